package contender

import (
	"sync"
	"sync/atomic"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/osthread"
)

var barriers = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		b := osthread.NewBarrier(c.spec.Parties, nil)
		// fails only when broken, and nothing breaks it
		return meetings(c, ours(c.spec), func(int, int) { _, _ = b.Wait() })
	})},
	{"sync.Cond", false, of(func(c *crew) (sample.Sample, error) {
		var mu sync.Mutex
		met := sync.NewCond(&mu)
		here, generation := 0, 0
		return meetings(c, theirs(c.spec), func(int, int) {
			mu.Lock()
			defer mu.Unlock()
			if here++; here == c.spec.Parties {
				here = 0
				generation++
				met.Broadcast()
				return
			}
			for mine := generation; mine == generation; {
				met.Wait()
			}
		})
	})},
	// Three WaitGroups in turn: when all have passed one, nobody is in the one
	// before, and party 0 can make that ready for the meeting after the next.
	{"sync.WaitGroup", false, of(func(c *crew) (sample.Sample, error) {
		var groups [3]sync.WaitGroup
		groups[0].Add(c.spec.Parties)
		groups[1].Add(c.spec.Parties)
		return meetings(c, theirs(c.spec), func(party, meeting int) {
			g := &groups[meeting%3]
			g.Done()
			g.Wait()
			if party == 0 {
				groups[(meeting+2)%3].Add(c.spec.Parties)
			}
		})
	})},
}

// meetings has the parties meet until party 0 has seen that the round is over.
// It says before a meeting whether that is the last one, so that all know after
// it.
func meetings(c *crew, spawn spawner, meet func(party, meeting int)) (sample.Sample, error) {
	var last atomic.Int64
	last.Store(-1)
	return c.run(c.spec.Parties, c.spec.Parties, spawn, func(i int, t *tally) {
		for meeting := 0; ; meeting++ {
			if i == 0 && c.over() {
				last.Store(int64(meeting))
			}
			began := t.now()
			meet(i, meeting)
			t.waited(began)
			if last.Load() == int64(meeting) {
				return
			}
			t.step()
		}
	})
}
