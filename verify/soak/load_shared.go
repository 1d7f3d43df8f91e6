//go:build !plan9

package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/osthread/shared"
)

// What C and Go share, used by Go; load_c_linux.go has C's side.
var sharedLoads = []load{
	{"shared.Mutex", beginSharedMutex},
	{"shared.RWMutex", beginSharedRWMutex},
	{"shared.Semaphore", beginSharedSemaphore},
	{"shared.Cond", beginSharedCond},
	{"shared.Ring", beginRing},
}

// errBusy is what package shared returns where an object could not be acquired.
var errBusy = shared.ErrBusy

// sharedLocks are locks of package shared, for load_brief.go.
var sharedLocks = []func() sync.Locker{
	func() sync.Locker { return new(shared.Mutex).Locker() },
	func() sync.Locker { return new(shared.RWMutex).Locker() },
	func() sync.Locker {
		s := new(shared.Semaphore)
		_ = s.Init(1, false) // the value is in range
		return sharedPermit{s}
	},
}

// A sharedPermit is a semaphore as a lock.
type sharedPermit struct{ s *shared.Semaphore }

func (p sharedPermit) Lock() {
	if err := p.s.Acquire(); err != nil {
		panic(err)
	}
}

func (p sharedPermit) Unlock() {
	if err := p.s.Release(); err != nil {
		panic(err)
	}
}

func beginSharedMutex(r *round, _ int) use {
	m := new(shared.Mutex)
	if err := m.Init(shared.MutexAttr{}); err != nil {
		r.fail("shared.Mutex: %v", err)
	}
	return counting(r, m, shapes{m.Lock, m.TryLock, m.LockTimeout, m.LockContext}, func() { r.must(m.Unlock()) })
}

func beginSharedRWMutex(r *round, _ int) use {
	rw, p := new(shared.RWMutex), new(pair)
	writing := shapes{rw.Lock, rw.TryLock, rw.LockTimeout, rw.LockContext}
	reading := shapes{rw.RLock, rw.TryRLock, rw.RLockTimeout, rw.RLockContext}
	return use{
		step: func(w *worker) {
			if w.rnd.IntN(4) == 0 {
				if w.wait(writing) {
					p.write(w)
					r.must(rw.Unlock())
				}
			} else if w.wait(reading) {
				p.read(w)
				r.must(rw.RUnlock())
			}
		},
		check: func() { p.check(r, "shared.RWMutex") },
	}
}

func beginSharedSemaphore(r *round, _ int) use {
	const bound = 3
	s, held := new(shared.Semaphore), new(atomic.Int64)
	r.must(s.Init(bound, false))
	return use{
		step: func(w *worker) {
			if !w.wait(shapes{s.Acquire, s.TryAcquire, s.AcquireTimeout, s.AcquireContext}) {
				return
			}
			if n := held.Add(1); n > bound {
				w.fail("%v: %d permits of %d are held", w, n, bound)
			}
			w.dwell()
			held.Add(-1)
			r.must(s.Release())
		},
		check: func() {
			if n, err := s.Value(); n != bound || err != nil {
				r.fail("%v in the end, of %d: %v", s, bound, err)
			}
		},
	}
}

// A sharedCondUse has tokens, as those of load_condition.go.
type sharedCondUse struct {
	m                  shared.Mutex
	c                  shared.Cond
	there, made, taken int
	closed             bool
	awake              awake
}

func beginSharedCond(r *round, places int) use {
	k := &sharedCondUse{awake: awake{places: int64(places)}}
	return use{
		step: k.step,
		stop: func() {
			r.must(k.m.Lock())
			if !k.closed {
				k.closed = true
				r.must(k.c.Broadcast())
			}
			r.must(k.m.Unlock())
		},
		check: func() {
			if k.made != k.taken+k.there {
				r.fail("%v: %d tokens made, %d taken, %d there", &k.c, k.made, k.taken, k.there)
			}
		},
	}
}

func (k *sharedCondUse) step(w *worker) {
	if !w.wait(shapes{plain: k.m.Lock}) {
		return
	}
	defer func() { w.must(k.m.Unlock()) }()
	if w.rnd.IntN(2) == 0 && k.there < 3 {
		k.there++
		k.made++
		if w.rnd.IntN(4) == 0 {
			w.must(k.c.Broadcast())
		} else {
			w.must(k.c.Signal())
		}
		return
	}
	plain, leave := k.awake.guard(func() error { return k.c.Wait(&k.m) })
	defer leave()
	s := shapes{
		plain:   plain,
		timeout: func(d time.Duration) error { return k.c.WaitTimeout(&k.m, d) },
		context: func(ctx context.Context) error { return k.c.WaitContext(ctx, &k.m) },
	}
	for k.there == 0 && !k.closed {
		if !w.wait(s) {
			return
		}
	}
	if k.there > 0 {
		k.there--
		k.taken++
	}
}

var sharedBriefLoads = []load{{"shared.Cond used briefly", beginBriefSharedCond}}

func beginBriefSharedCond(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		m, c := new(shared.Mutex), new(shared.Cond)
		r.produceAndConsume(w, condition{
			lock:   func() { r.must(m.Lock()) },
			unlock: func() { r.must(m.Unlock()) },
			wait:   func() { r.must(c.Wait(m)) },
			notify: func() { r.must(c.Signal()) },
		})
	}}
}
