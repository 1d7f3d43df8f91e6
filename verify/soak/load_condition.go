package main

import (
	"context"
	"sync"
	"time"

	"example.com/thread/osthread"
)

// Tokens are made and taken under a lock, and a Condition says that there are
// some: none is lost, and no waiter sleeps on while there is one.
var conditionLoads = []load{
	{"Condition of a Lock", beginCondition(func() sync.Locker { return new(osthread.Lock) })},
	{"Condition of an RLock", beginCondition(func() sync.Locker { return new(osthread.RLock) })},
	{"Condition of a sync.Mutex", beginCondition(func() sync.Locker { return new(sync.Mutex) })},
}

// A tokens is what the lock of the Condition protects.
type tokens struct {
	c                  *osthread.Condition
	there, made, taken int
	closed             bool
	awake              awake
	waiting            shapes
	held               bool
}

func beginCondition(newLock func() sync.Locker) func(*round, int) use {
	return func(r *round, places int) use {
		k := &tokens{c: osthread.NewCondition(newLock()), awake: awake{places: int64(places)}}
		some := func() bool { return k.there > 0 || k.closed }
		k.waiting = forms(
			func() { k.c.WaitFor(some) },
			some,
			func(d time.Duration) bool { return k.c.WaitForTimeout(some, d) },
			func(ctx context.Context) error { return k.c.WaitForContext(ctx, some) },
		)
		return use{
			step: k.step,
			stop: func() {
				k.c.L.Lock()
				defer k.c.L.Unlock()
				if !k.closed { // a second NotifyAll would hide a lost notification
					k.closed = true
					k.c.NotifyAll()
				}
			},
			check: func() {
				if k.made != k.taken+k.there || k.c.Waiting() != 0 {
					r.fail("%v: %d tokens made, %d taken, %d there", k.c, k.made, k.taken, k.there)
				}
			},
		}
	}
}

func (k *tokens) step(w *worker) {
	k.c.L.Lock()
	defer k.c.L.Unlock()
	if k.held {
		w.fail("%v: two callers hold the lock", w)
	}
	k.held = true
	defer func() { k.held = false }()
	if w.rnd.IntN(2) == 0 && k.there < 3 {
		k.make(w)
	} else {
		k.take(w)
	}
}

func (k *tokens) make(w *worker) {
	n := 1 + w.rnd.IntN(2)
	k.there += n
	k.made += n
	switch w.rnd.IntN(4) {
	case 0:
		k.c.NotifyAll()
	case 1:
		for range n {
			k.c.Signal()
		}
	default:
		k.c.NotifyN(n)
	}
}

func (k *tokens) take(w *worker) {
	s := k.waiting
	plain, leave := k.awake.guard(s.plain)
	defer leave()
	s.plain = plain
	k.held = false
	defer func() { k.held = true }()
	if w.wait(s) && k.there > 0 {
		k.there--
		k.taken++
	}
}
