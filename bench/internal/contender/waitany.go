package contender

import (
	"reflect"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

// waitAnys: semaphores of one permit stand for locks. One thread waits for any
// of them, the other releases one, each time another, and waits for the answer.
var waitAnys = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		var answer osthread.Semaphore
		locks := make([]osthread.Waitable, c.spec.Objects)
		for i := range locks {
			locks[i] = osthread.NewSemaphore(0)
		}
		return selects(c, ours(c.spec),
			func() int { return osthread.WaitAny(locks...) },
			func(i int) { locks[i].(*osthread.Semaphore).Release(1) },
			func() { answer.Release(1) },
			func() { answer.Acquire(1) })
	})},
	{"channel", false, of(func(c *crew) (sample.Sample, error) {
		answer := make(chan struct{}, 1)
		locks := make([]chan struct{}, c.spec.Objects)
		cases := make([]reflect.SelectCase, c.spec.Objects)
		for i := range locks {
			locks[i] = make(chan struct{}, 1)
			cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(locks[i])}
		}
		return selects(c, theirs(c.spec),
			func() int { i, _, _ := reflect.Select(cases); return i },
			func(i int) { locks[i] <- struct{}{} },
			func() { answer <- struct{}{} },
			func() { <-answer })
	})},
}

// selects makes thread 0 wait for any object. Thread 1 releases the last object
// and returns when the round is over.
func selects(c *crew, spawn spawner, any func() int, release func(int), reply, await func()) (sample.Sample, error) {
	n := c.spec.Objects
	last := false // written before the last release
	return c.run(2, 1, spawn, func(i int, t *tally) {
		if i == 0 {
			for {
				began := t.now()
				any()
				if last {
					return
				}
				t.waited(began)
				t.add(n)
				reply()
			}
		}
		for k := uint64(1); ; {
			if c.over() {
				last = true
			}
			release(int(k % uint64(n)))
			if last {
				return
			}
			await()
			k = scenario.Work(k, 1) >> 1
		}
	})
}
