package sync

import (
	"sync/atomic"

	"example.com/thread/osthread"
)

// A Cond is a condition variable, as [sync.Cond] is. It comes from NewCond, or
// has L set. It must not be copied after first use.
//
// There are no spurious wakeups. Waiters are woken in the order in which they
// began to wait.
//
// In the terms of the Go memory model, a call of Signal or Broadcast
// synchronizes before the return of any Wait that it ends.
type Cond struct {
	_ noCopy

	// L is held by a caller that waits or accesses what the condition is about.
	// It must not change after the first Wait.
	L Locker

	self atomic.Pointer[Cond]               // set by the first call; another Cond is a copy
	cond atomic.Pointer[osthread.Condition] // made by the first Wait
}

// NewCond returns a Cond on l.
func NewCond(l Locker) *Cond { return &Cond{L: l} }

// Wait unlocks c.L, sleeps until woken by Signal or Broadcast, and locks c.L
// again. It panics with an error that is [osthread.ErrNotLocked] if c.L is a
// Mutex that is not locked.
//
// Between the wakeup and the return others may lock c.L and change what the
// condition is about, so Wait is called in a loop:
//
//	c.L.Lock()
//	for !condition() {
//		c.Wait()
//	}
//	... make use of the condition ...
//	c.L.Unlock()
func (c *Cond) Wait() {
	c.check()
	cond := c.cond.Load()
	if cond == nil {
		cond = c.makeCond()
	}
	cond.Wait()
}

// Signal wakes the longest waiter, if any. The caller may hold c.L, but need
// not.
func (c *Cond) Signal() {
	c.check()
	if cond := c.cond.Load(); cond != nil {
		cond.Signal()
	}
}

// Broadcast wakes all waiters. The caller may hold c.L, but need not.
func (c *Cond) Broadcast() {
	c.check()
	if cond := c.cond.Load(); cond != nil {
		cond.Broadcast()
	}
}

// makeCond makes the condition below. Several readers may do so at once if L is
// of [RWMutex.RLocker]; the first one's counts. A Signal that finds none has no
// waiter to wake: each waits in it, and it is there before the waiter unlocks
// L.
func (c *Cond) makeCond() *osthread.Condition {
	l := c.L
	if m, ok := l.(*Mutex); ok {
		l = &m.l // whose queue Signal can move the waiter to
	}
	c.cond.CompareAndSwap(nil, osthread.NewCondition(l))
	return c.cond.Load()
}

func (c *Cond) check() {
	if c.self.Load() != c && !c.self.CompareAndSwap(nil, c) && c.self.Load() != c {
		panic("sync.Cond is copied")
	}
}
