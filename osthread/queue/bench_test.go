package queue

import (
	"fmt"
	"sync"
	"testing"

	"example.com/thread"
)

// BenchmarkQueue compares queues with channels of the same capacity, used by
// goroutines and by threads:
// go test -bench Queue -cpu 1,2,4 ./osthread/queue
func BenchmarkQueue(b *testing.B) {
	b.Run("caller=goroutine", func(b *testing.B) {
		benchmarkQueue(b, func() {}, func() {})
	})
	b.Run("caller=thread", func(b *testing.B) {
		benchmarkQueue(b, func() {
			if _, err := thread.Attach(); err != nil {
				b.Error(err)
			}
		}, func() {
			if err := thread.Detach(); err != nil {
				b.Error(err)
			}
		})
	})
}

func benchmarkQueue(b *testing.B, begin, end func()) {
	for _, size := range []int{1, 64, 1024} {
		for _, pairs := range []int{1, 4} {
			each := func(b *testing.B, put func(int), get func()) {
				var wg sync.WaitGroup
				per := b.N/pairs + 1
				for range pairs {
					wg.Go(func() {
						begin()
						defer end()
						for i := range per {
							put(i)
						}
					})
					wg.Go(func() {
						begin()
						defer end()
						for range per {
							get()
						}
					})
				}
				wg.Wait()
			}
			b.Run(fmt.Sprintf("cap=%d/pairs=%d/queue", size, pairs), func(b *testing.B) {
				q := New[int](size)
				each(b, func(i int) { _ = q.Put(i) }, func() { _, _ = q.Get() })
			})
			b.Run(fmt.Sprintf("cap=%d/pairs=%d/chan", size, pairs), func(b *testing.B) {
				c := make(chan int, size)
				each(b, func(i int) { c <- i }, func() { <-c })
			})
		}
	}
}
