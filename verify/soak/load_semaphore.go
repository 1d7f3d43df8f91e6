package main

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/osthread"
)

// The permits that are held are never above the bound, and all are back in the
// end.
var semaphoreLoads = []load{
	{"Semaphore", beginSemaphore(false)},
	{"fair Semaphore", beginSemaphore(true)},
}

func beginSemaphore(fair bool) func(*round, int) use {
	return func(r *round, _ int) use {
		const bound = 5
		s, held := osthread.NewBoundedSemaphore(bound), new(atomic.Int64)
		s.Fair = fair
		return use{
			step: func(w *worker) {
				n := 1 + w.rnd.IntN(3)
				if !w.wait(forms(
					func() { s.Acquire(n) },
					func() bool { return s.TryAcquire(n) },
					func(d time.Duration) bool { return s.AcquireTimeout(n, d) },
					func(ctx context.Context) error { return s.AcquireContext(ctx, n) },
				)) {
					return
				}
				if all := held.Add(int64(n)); all > bound {
					w.fail("%v: %d permits of %d are held", w, all, bound)
				}
				w.dwell()
				held.Add(int64(-n))
				s.Release(n)
			},
			check: func() {
				if s.Value() != bound || s.Waiting() != 0 {
					r.fail("%v in the end, of %d", s, bound)
				}
			},
		}
	}
}
