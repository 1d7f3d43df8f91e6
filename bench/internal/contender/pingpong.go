package contender

import (
	"sync"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/osthread"
)

// The two threads of a pair end together. The one that holds the token when the
// round is over sets last, passes the token and returns; the other reads last
// when it gets the token. last is written before the token is passed and read
// after it was received, so the token orders both.

var conditions = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		return conditionPingPong(c, ours(c.spec), func() (sync.Locker, func(), func()) {
			l := new(osthread.Lock)
			cond := osthread.NewCondition(l)
			return l, cond.Wait, cond.Notify
		})
	})},
	{"sync", false, of(func(c *crew) (sample.Sample, error) {
		return conditionPingPong(c, theirs(c.spec), func() (sync.Locker, func(), func()) {
			l := new(sync.Mutex)
			cond := sync.NewCond(l)
			return l, cond.Wait, cond.Signal
		})
	})},
}

// conditionPingPong makes each pair alternate using a lock and its condition's
// wait and notify, which newPair returns.
func conditionPingPong(
	c *crew,
	spawn spawner,
	newPair func() (l sync.Locker, wait, notify func()),
) (sample.Sample, error) {
	type pair struct {
		l            sync.Locker
		wait, notify func()
		holder       int
		last         bool
	}
	pairs := make([]*pair, c.spec.Pairs)
	for i := range pairs {
		pairs[i] = new(pair)
		pairs[i].l, pairs[i].wait, pairs[i].notify = newPair()
	}
	n := 2 * c.spec.Pairs
	return c.run(n, n, spawn, func(i int, t *tally) {
		p, me := pairs[i/2], i%2
		for began := int64(0); ; {
			p.l.Lock()
			for p.holder != me {
				p.wait()
			}
			waited := t.since(began)
			began = t.now() // the wait is a round trip: it begins before the token is passed
			last := p.last
			if !last {
				p.last = c.over()
				p.holder = 1 - me
				p.notify()
			}
			leave := p.last
			p.l.Unlock()
			t.count(waited)
			if leave {
				return
			}
			t.step()
		}
	})
}

var events = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		return eventPingPong(c, ours(c.spec), func() (func(), func()) {
			e := new(osthread.Event)
			return e.Set, func() { e.Wait(); e.Clear() }
		})
	})},
	{"channel", false, of(func(c *crew) (sample.Sample, error) {
		return eventPingPong(c, theirs(c.spec), func() (func(), func()) {
			ch := make(chan struct{}, 1)
			return func() { ch <- struct{}{} }, func() { <-ch }
		})
	})},
}

// eventPingPong makes each pair alternate using one event per direction, whose
// set and wait newEvent returns.
func eventPingPong(c *crew, spawn spawner, newEvent func() (set, wait func())) (sample.Sample, error) {
	type pair struct {
		set, wait [2]func()
		last      bool
	}
	pairs := make([]*pair, c.spec.Pairs)
	for i := range pairs {
		pairs[i] = new(pair)
		for side := range 2 {
			pairs[i].set[side], pairs[i].wait[side] = newEvent()
		}
		pairs[i].set[0]() // side 0 begins
	}
	n := 2 * c.spec.Pairs
	return c.run(n, n, spawn, func(i int, t *tally) {
		p := pairs[i/2]
		pingPong(c, t, &p.last, p.wait[i%2], p.set[1-i%2])
	})
}

// pingPong receives and passes the token until the round ends. Both threads of
// a pair share last.
func pingPong(c *crew, t *tally, last *bool, wait, pass func()) {
	for began := int64(0); ; {
		wait()
		t.waited(began)
		if *last {
			return
		}
		if c.over() {
			*last = true
			pass()
			return
		}
		began = t.now() // the wait is a round trip: it begins before the token is passed
		pass()
		t.step()
	}
}

var parks = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		var last bool
		var mates [2]*thread.Thread
		var known sync.WaitGroup
		known.Add(2)
		return c.run(2, 2, native, func(i int, t *tally) {
			mates[i] = thread.Current()
			known.Done()
			known.Wait()
			mate := mates[1-i]
			if i == 1 {
				mate.Unpark() // side 0 begins
			}
			// Park fails only in a goroutine that is not on a native thread.
			pingPong(c, t, &last, func() { _ = thread.Park() }, mate.Unpark)
		})
	})},
	{"channel", false, of(func(c *crew) (sample.Sample, error) {
		c.spec.Pairs = 1
		return eventPingPong(c, locked, func() (func(), func()) {
			ch := make(chan struct{}, 1)
			return func() { ch <- struct{}{} }, func() { <-ch }
		})
	})},
}
