package main

import (
	"sync/atomic"

	"example.com/thread/osthread"
)

var eventLoads = []load{
	{"Event", beginEvent},
	{"Event with AutoReset", beginAutoReset},
}

// A gate is an Event with what was written before its Set.
type gate struct {
	claimed atomic.Bool
	value   int // plain
	event   osthread.Event
}

// One gate after the other is opened. A waiter that passes sees the value, and
// none stays.
func beginEvent(r *round, places int) use {
	var now atomic.Pointer[gate]
	now.Store(new(gate))
	a := awake{places: int64(places)}
	open := func(g *gate) {
		if g.claimed.CompareAndSwap(false, true) {
			g.value = 42
			g.event.Set()
			now.Store(new(gate))
		}
	}
	return use{
		step: func(w *worker) {
			g := now.Load()
			if w.rnd.IntN(4) == 0 {
				w.dwell()
				open(g)
				return
			}
			s := forms(g.event.Wait, g.event.TryWait, g.event.WaitTimeout, g.event.WaitContext)
			plain, leave := a.guard(s.plain)
			defer leave()
			s.plain = plain
			if w.wait(s) && g.value != 42 {
				w.fail("%v: passed an event before it was set", w)
			}
		},
		stop: func() { open(now.Load()) }, // each gate once: a second Set would hide a lost wakeup
	}
}

// Each Set lets one pass at most.
func beginAutoReset(r *round, places int) use {
	e := osthread.Event{AutoReset: true}
	var set, passed atomic.Int64
	a := awake{places: int64(places)}
	return use{
		step: func(w *worker) {
			if w.rnd.IntN(2) == 0 {
				set.Add(1)
				e.Set()
				return
			}
			s := forms(e.Wait, e.TryWait, e.WaitTimeout, e.WaitContext)
			plain, leave := a.guard(s.plain)
			defer leave()
			s.plain = plain
			if w.wait(s) {
				passed.Add(1)
			}
		},
		stop: func() {
			if !e.IsSet() { // or else a second Set would hide a lost wakeup
				set.Add(1)
				e.Set()
			}
		},
		check: func() {
			if passed.Load() > set.Load() || e.Waiting() != 0 {
				r.fail("%v: %d have passed, for %d times Set", &e, passed.Load(), set.Load())
			}
		},
	}
}
