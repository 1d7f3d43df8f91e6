package inspect_test

import (
	"fmt"
	"testing"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// Take of threads each of which waits for an Event, and of as many that wait
// for an RLock of one owner.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("threads=%d", n), func(b *testing.B) {
			var done osthread.Event
			var l osthread.RLock
			l.Lock()
			var threads []*osthread.Thread
			for i := range n {
				th, err := osthread.Go(func() error {
					if i%2 == 0 {
						done.Wait()
						return nil
					}
					pass(&l)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				threads = append(threads, th)
			}
			await(func() bool { return done.Waiting() == (n+1)/2 && l.Waiting() == n/2 })
			b.ReportAllocs()
			for b.Loop() {
				inspect.Take()
			}
			done.Set()
			l.Unlock()
			for _, th := range threads {
				_ = th.Join()
			}
		})
	}
}
