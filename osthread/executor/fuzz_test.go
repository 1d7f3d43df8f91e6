package executor

import (
	"errors"
	"math"
	"testing"
	"time"
)

// For any options New returns an executor that runs a function, or an error
// that is ErrInvalid.
func FuzzOptions(f *testing.F) {
	f.Add(0, 0, uint8(0), int64(0))
	f.Add(1, -1, uint8(2), int64(1))
	f.Add(math.MaxInt, math.MaxInt, uint8(1), int64(math.MaxInt64))
	f.Add(-1, -2, uint8(3), int64(-1))
	f.Add(math.MinInt, math.MinInt, uint8(255), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, threads, backlog int, full uint8, idle int64) {
		o := Options{Threads: threads, Backlog: backlog, Full: FullPolicy(full), IdleTimeout: time.Duration(idle)}
		e, err := New(o)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%d threads, %d tasks, policy %d, %d ns: %v", threads, backlog, full, idle, err)
			}
			return
		}
		if v, err := must(t, e, value(1)).Result(); v != 1 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}
