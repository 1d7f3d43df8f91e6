package queue

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"
)

// A queue of any bound, with any timeouts, holds as many values as it may and
// returns them in its order.
func FuzzQueueBounds(f *testing.F) {
	f.Add(0, int64(0), []byte("one"), 2)
	f.Add(1, int64(-1), []byte("two"), 0)
	f.Add(-1, int64(math.MinInt64), []byte(""), 9)
	f.Add(math.MaxInt, int64(1), []byte("a longer one, of more than eight"), 3)
	f.Add(math.MinInt, int64(1000), []byte("b"), 1)
	f.Fuzz(func(t *testing.T, bound int, n int64, values []byte, batch int) {
		d := min(time.Duration(n), 100*time.Microsecond)
		sorted := slices.Clone(values)
		sorted = sorted[:min(len(sorted), 100)]
		values = slices.Clone(sorted)
		if bound > 0 {
			values = values[:min(len(values), bound)]
		}
		least := slices.Clone(values)
		slices.Sort(least)
		last := slices.Clone(values)
		slices.Reverse(last)
		for name, row := range map[string]struct {
			q    *Queue[byte]
			want []byte
		}{
			"FIFO":     {New[byte](bound), values},
			"LIFO":     {NewLIFO[byte](bound), last},
			"priority": {NewPriority(bound, cmp.Compare[byte]), least},
		} {
			q := row.q
			if put, err := q.PutAllTimeout(sorted, d); put != len(values) || (err == nil) != (put == len(sorted)) {
				t.Fatalf("%s: put %d of %d: %v", name, put, len(sorted), err)
			}
			if q.Len() != len(values) || q.Cap() != max(bound, 0) || q.Full() != (bound > 0 && q.Len() == bound) {
				t.Errorf("%s: %v with a bound of %d and %d values", name, q, bound, len(values))
			}
			buf := make([]byte, max(0, min(batch, 10)))
			got, err := q.GetNTimeout(buf, d)
			if got != min(len(buf), len(row.want)) || err != nil && (got > 0 || err != ErrEmpty) {
				t.Errorf("%s: got %d of %d: %v", name, got, len(row.want), err)
			}
			if all := append(buf[:got], q.ShutdownNow()...); !slices.Equal(all, row.want) {
				t.Errorf("%s: got %v, want %v", name, all, row.want)
			}
			if q.Unfinished() != got {
				t.Errorf("%s: %d values are unfinished, want %d", name, q.Unfinished(), got)
			}
		}
	})
}
