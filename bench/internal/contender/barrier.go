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
		// fails only if broken, and nothing breaks it
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
	{"sync.WaitGroup", false, of(func(c *crew) (sample.Sample, error) {
		return waitGroupMeetings(c, theirs(c.spec), original.waitGroup)
	})},
}

// waitGroupMeetings makes the parties meet at three WaitGroups, used
// cyclically: when all have passed one, no party is left in the previous one,
// and party 0 can reset that for the meeting after next.
func waitGroupMeetings(c *crew, spawn spawner, newGroup func() waitGroup) (sample.Sample, error) {
	groups := [3]waitGroup{newGroup(), newGroup(), newGroup()}
	groups[0].Add(c.spec.Parties)
	groups[1].Add(c.spec.Parties)
	return meetings(c, spawn, func(party, meeting int) {
		g := groups[meeting%3]
		g.Done()
		g.Wait()
		if party == 0 {
			groups[(meeting+2)%3].Add(c.spec.Parties)
		}
	})
}

// meetings makes the parties meet until party 0 has seen the end of the round.
// Before each meeting party 0 stores whether it is the last one; the others
// read that after it.
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
