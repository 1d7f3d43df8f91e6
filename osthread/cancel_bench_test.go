package osthread

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// BenchmarkCancel cancels n waiters at once. The time per waiter does not grow
// with n.
func BenchmarkCancel(b *testing.B) {
	type waits struct {
		wait    func(context.Context) error
		waiting func() int
	}
	for _, row := range []struct {
		name string
		make func() waits
	}{
		{"Lock", func() waits {
			l := new(Lock)
			l.Lock()
			return waits{l.LockContext, waiting(l.queue())}
		}},
		{"RWLock.Lock", func() waits {
			w := new(RWLock)
			w.Lock()
			return waits{w.LockContext, waiting(w.queue())}
		}},
		{"RWLock.RLock", func() waits {
			w := new(RWLock)
			w.Lock()
			return waits{w.RLockContext, waiting(w.queue())}
		}},
		{"RWLock.RLock prefers readers", func() waits {
			w := &RWLock{PreferReaders: true}
			w.Lock()
			return waits{w.RLockContext, waiting(w.queue())}
		}},
		{"Semaphore", func() waits {
			s := NewSemaphore(0)
			return waits{func(ctx context.Context) error { return s.AcquireContext(ctx, 1) }, waiting(s.queue())}
		}},
		{"WaitAny", func() waits {
			s, e := NewSemaphore(0), new(Event)
			wait := func(ctx context.Context) error { _, err := WaitAnyContext(ctx, s, e); return err }
			return waits{wait, waiting(e.queue())}
		}},
		{"WaitAll", func() waits {
			s, r := NewSemaphore(0), NewSemaphore(0)
			return waits{func(ctx context.Context) error { return WaitAllContext(ctx, s, r) }, waiting(s.queue())}
		}},
	} {
		for _, n := range []int{1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", row.name, n), func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					w := row.make()
					ctx, cancel := context.WithCancel(context.Background())
					var all sync.WaitGroup
					for range n {
						all.Go(func() { _ = w.wait(ctx) })
					}
					for w.waiting() < n {
						runtime.Gosched()
					}
					b.StartTimer()
					cancel()
					all.Wait()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/waiter")
			})
		}
	}
}
