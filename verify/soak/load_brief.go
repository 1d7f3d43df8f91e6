package main

import (
	"sync"

	"example.com/thread"
	"example.com/thread/osthread"
	osync "example.com/thread/osthread/sync"
)

// Two to four callers use a lock that they share for a short while: a wakeup
// that is lost at its end is not healed by a later one.
var briefLoads = append([]load{
	{"locks used briefly", beginBrief},
	{"Condition used briefly", beginBriefCondition},
}, sharedBriefLoads...)

// briefLocks are all locks with a plain Lock.
var briefLocks = append([]func() sync.Locker{
	func() sync.Locker { return new(osthread.Lock) },
	func() sync.Locker { return &osthread.Lock{Fair: true} },
	func() sync.Locker { return new(osthread.RLock) },
	func() sync.Locker { return new(osthread.RWLock) },
	func() sync.Locker { return new(osync.Mutex) },
	func() sync.Locker { return new(osync.RWMutex) },
	func() sync.Locker { return new(thread.Lock) },
	func() sync.Locker { return permit{osthread.NewBoundedSemaphore(1)} },
}, sharedLocks...)

// A permit is a semaphore as a lock.
type permit struct{ s *osthread.Semaphore }

func (p permit) Lock()   { p.s.Acquire(1) }
func (p permit) Unlock() { p.s.Release(1) }

func beginBrief(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		l := briefLocks[w.rnd.IntN(len(briefLocks))]()
		n, want := 0, 0 // n is plain, under l
		var joins []func()
		for range 2 + w.rnd.IntN(3) {
			times := 1 + w.rnd.IntN(20)
			want += times
			c := r.newCallerOf(w)
			joins = append(joins, elsewhere(r, w.rnd, func() {
				for range times {
					l.Lock()
					before := n
					c.dwell()
					n = before + 1
					l.Unlock()
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		if n != want {
			w.fail("%v: %T: %d sections have counted to %d", w, l, want, n)
		}
	}}
}

func beginBriefCondition(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		c := osthread.NewCondition(new(osthread.Lock))
		r.produceAndConsume(w, condition{c.L.Lock, c.L.Unlock, c.Wait, c.Notify})
	}}
}

// A condition is a condition variable and its lock.
type condition struct{ lock, unlock, wait, notify func() }

// produceAndConsume has one caller make the tokens that some others take. Each
// token notifies one of them.
func (r *round) produceAndConsume(w *worker, c condition) {
	there, made := 0, 0 // under the lock
	var joins []func()
	for range 1 + w.rnd.IntN(3) {
		times := 1 + w.rnd.IntN(10)
		made += times
		joins = append(joins, elsewhere(r, w.rnd, func() {
			for range times {
				c.lock()
				for there == 0 {
					c.wait()
				}
				there--
				c.unlock()
			}
		}))
	}
	for range made {
		c.lock()
		there++
		c.notify()
		c.unlock()
		w.dwell()
	}
	for _, join := range joins {
		join()
	}
	if there != 0 {
		w.fail("%v: %d tokens of %d are left", w, there, made)
	}
}
