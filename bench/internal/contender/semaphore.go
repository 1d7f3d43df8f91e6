package contender

import (
	"context"

	"golang.org/x/sync/semaphore"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

var semaphores = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		s := osthread.NewSemaphore(c.spec.Permits)
		return permits(c, ours(c.spec), func() { s.Acquire(1) }, func() { s.Release(1) })
	})},
	{"channel", false, of(func(c *crew) (sample.Sample, error) {
		ch := make(chan struct{}, c.spec.Permits)
		return permits(c, theirs(c.spec), func() { ch <- struct{}{} }, func() { <-ch })
	})},
	{"x/sync", false, of(func(c *crew) (sample.Sample, error) {
		s := semaphore.NewWeighted(int64(c.spec.Permits))
		ctx := context.Background() // never done, so that Acquire cannot fail
		return permits(c, theirs(c.spec), func() { _ = s.Acquire(ctx, 1) }, func() { s.Release(1) })
	})},
}

func permits(c *crew, spawn spawner, acquire, release func()) (sample.Sample, error) {
	return c.run(c.spec.Threads, c.spec.Threads, spawn, func(_ int, t *tally) {
		batch, x := c.spec.Batch(), uint64(1)
		for !c.over() {
			for range batch {
				began := t.now()
				acquire()
				waited := t.since(began)
				x = scenario.Work(x, c.spec.Work)
				release()
				t.count(waited)
			}
			t.add(batch)
		}
	})
}
