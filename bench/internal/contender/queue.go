package contender

import (
	"sync/atomic"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/osthread/queue"
)

var queues = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		q := queue.New[int](c.spec.Capacity)
		// Put and Get fail only after a shutdown.
		return items(c, ours(c.spec), func(v int) { _ = q.Put(v) }, func() int { v, _ := q.Get(); return v })
	})},
	{"channel", false, of(func(c *crew) (sample.Sample, error) {
		ch := make(chan int, c.spec.Capacity)
		return items(c, theirs(c.spec), func(v int) { ch <- v }, func() int { return <-ch })
	})},
}

// items runs producers and consumers. Producers return when the round is over;
// the last one puts an end mark for each consumer, at which that returns.
func items(c *crew, spawn spawner, put func(int), get func() int) (sample.Sample, error) {
	const end = -1
	var producing atomic.Int64
	producing.Store(int64(c.spec.Producers))
	return c.run(c.spec.Consumers+c.spec.Producers, c.spec.Consumers, spawn, func(i int, t *tally) {
		if i < c.spec.Consumers {
			for {
				began := t.now()
				if get() == end {
					return
				}
				t.waited(began)
				t.step()
			}
		}
		for v := 0; !c.over(); v++ {
			put(v)
		}
		if producing.Add(-1) == 0 {
			for range c.spec.Consumers {
				put(end)
			}
		}
	})
}
