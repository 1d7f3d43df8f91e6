package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
	osync "example.com/thread/osthread/sync"
)

// A locker is a lock in all shapes.
type locker interface {
	Lock()
	TryLock() bool
	LockTimeout(d time.Duration) bool
	LockContext(ctx context.Context) error
	Unlock()
}

// Mutual exclusion: a plain counter under each lock is, in the end, the number
// of times that it was locked.
var lockLoads = []load{
	{"Lock", beginLock(func() locker { return new(osthread.Lock) })},
	{"fair Lock", beginLock(func() locker { return &osthread.Lock{Fair: true} })},
	{"RLock", beginLock(func() locker { return new(osthread.RLock) })},
	{"thread.Lock", beginLock(func() locker { return new(thread.Lock) })},
	{"RWLock as a Lock", beginLock(func() locker { return new(osthread.RWLock) })},
	{"sync.Mutex", beginMutex},
}

func beginLock(newLock func() locker) func(*round, int) use {
	return func(r *round, _ int) use {
		l := newLock()
		return counting(r, l, forms(l.Lock, l.TryLock, l.LockTimeout, l.LockContext), l.Unlock)
	}
}

func beginMutex(r *round, _ int) use {
	l := new(osync.Mutex)
	return counting(r, l, shapes{
		plain: func() error { l.Lock(); return nil },
		try:   func() error { return no(l.TryLock()) },
	}, l.Unlock)
}

// counting counts under l, which s locks.
func counting(r *round, l any, s shapes, unlock func()) use {
	n, locked := int64(0), new(atomic.Int64)
	r2, recursive := l.(*osthread.RLock)
	return use{
		step: func(w *worker) {
			if !w.wait(s) {
				return
			}
			before := n
			w.dwell()
			n = before + 1
			locked.Add(1)
			if recursive && w.rnd.IntN(4) == 0 {
				r2.Lock()
				if d := r2.Depth(); d != 2 {
					w.fail("%v: the depth of a lock that is locked twice is %d", w, d)
				}
				r2.Unlock()
			}
			unlock()
		},
		check: func() {
			if n != locked.Load() {
				r.fail("%T: %d sections have counted to %d", l, locked.Load(), n)
			}
			if q, ok := l.(interface {
				Locked() bool
				Waiting() int
			}); ok && (q.Locked() || q.Waiting() != 0) {
				r.fail("%v: locked, or with waiters, in the end", fmt.Sprint(l))
			}
		},
	}
}
