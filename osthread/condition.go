package osthread

import (
	"context"
	"sync"
	"time"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/condition.pml. A waiter queues, under the queue's guard, before
// it unlocks L, so a Notify that comes after the unlock finds it. From then on
// it is in one of three places:
//
//	in c.q --Notify, L is a Lock or RLock that is held--> in L's queue --Unlock--> awake, with L or on its way to it
//	   |  \--Notify, otherwise-----------------------------------------------------> awake, to lock L itself
//	   \-----its time is up: it takes itself out---> awake, not notified
//
// Moved to L's queue it does not wake up only to find L held by the one who
// notified, and a NotifyAll wakes nobody by itself. Where L is another's lock
// with a queue that we cannot reach, NotifyAll wakes one waiter, and each, once
// it has L, the next.
//
// A waiter whose time is up and who is not in c.q any more was notified: it
// returns true. So no notification is lost on one that has stopped waiting,
// which is what CPython and POSIX allow.

// A Condition is a condition variable tied to L. It comes from NewCondition, or
// has L set, and must not be copied after first use.
//
// A wait does not return for any other reason than its documented ones: there
// are no spurious wake-ups. Waiters are notified in the order in which they
// came.
//
// In the terms of the Go memory model, a Notify synchronizes before the return
// of the wait that it ends.
type Condition struct {
	// L is held by whoever waits, notifies, or touches what the condition is
	// about. Several conditions may share one.
	L sync.Locker

	spin  park.Spinner
	spare wait.Spare
	q     wait.Queue
	_     noCopy
}

// NewCondition returns a condition on l; nil stands for a new RLock.
func NewCondition(l sync.Locker) *Condition {
	if l == nil {
		l = new(RLock)
	}
	return &Condition{L: l}
}

// Wait unlocks L, sleeps until notified, and locks L again; an RLock as often
// as it was. It panics with an error that is ErrNotLocked if L is a Lock that
// is not locked, or an RWLock, and ErrNotOwner if it is an RLock that the
// calling thread does not hold; of other Lockers it cannot tell.
func (c *Condition) Wait() { c.wait("Wait", park.Forever()) }

// TryWait is WaitTimeout(0).
func (c *Condition) TryWait() bool { return c.WaitTimeout(0) }

// WaitTimeout is Wait for at most d and reports whether it was notified. It
// takes longer than d if L does: that is locked again in any case. d <= 0 never
// sleeps for a notification.
func (c *Condition) WaitTimeout(d time.Duration) bool {
	return c.wait("WaitTimeout", park.For(d))
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause, with L
// locked as in any case. If ctx is done already it does not unlock L.
func (c *Condition) WaitContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		mustHold("WaitContext", c.L)
		return err
	}
	if !c.wait("WaitContext", l) {
		return l.Err(nil)
	}
	return nil
}

// WaitFor waits until cond, which is called with L held, first at once, is
// true. If cond panics L is held.
func (c *Condition) WaitFor(cond func() bool) {
	for !cond() {
		c.Wait()
	}
}

// WaitForTimeout is WaitFor for at most d in all. It returns what cond said
// last. With d <= 0 it asks cond once, and once more after letting others have
// L.
func (c *Condition) WaitForTimeout(cond func() bool, d time.Duration) bool {
	return c.waitFor("WaitForTimeout", cond, park.For(d))
}

// WaitForContext is WaitFor until ctx is done; if cond is not true then it
// returns ctx's cause. If ctx is done already it asks cond once.
func (c *Condition) WaitForContext(ctx context.Context, cond func() bool) error {
	l, err := park.Until(ctx)
	if err != nil {
		if cond() {
			return nil
		}
		return err
	}
	if !c.waitFor("WaitForContext", cond, l) {
		return l.Err(nil)
	}
	return nil
}

func (c *Condition) waitFor(what string, cond func() bool, l park.Limit) bool {
	for inTime := true; !cond(); {
		if !inTime {
			return false
		}
		inTime = c.wait(what, l)
	}
	return true
}

// Notify wakes the one who has waited longest, if any: it returns once it has
// L. It panics, as do its kin, as Wait does if L is not held.
func (c *Condition) Notify() { c.notify("Notify", 1) }

// NotifyN wakes the n who have waited longest. n <= 0 wakes nobody.
func (c *Condition) NotifyN(n int) { c.notify("NotifyN", n) }

// NotifyAll wakes everybody who waits.
func (c *Condition) NotifyAll() {
	mustHold("NotifyAll", c.L)
	c.q.Lock()
	first := c.q.TakeAll()
	c.q.Unlock()
	c.wake(first)
}

// Waiting returns how many wait and are not notified yet. By the time the
// caller looks at the result it may be otherwise, unless it holds L.
func (c *Condition) Waiting() int {
	c.q.Lock()
	defer c.q.Unlock()
	return c.q.Len()
}

// notify returns how many it has notified.
func (c *Condition) notify(what string, n int) (notified int) {
	mustHold(what, c.L)
	c.q.Lock()
	var first *wait.Node
	last := &first
	for notified < n {
		h := c.q.Pop()
		if h == nil {
			break
		}
		*last = h
		last = h.NextLink()
		notified++
	}
	c.q.Unlock()
	c.wake(first)
	return notified
}

// wake lets the notified waiters first and those behind it have L, one after
// the other.
func (c *Condition) wake(first *wait.Node) {
	if first == nil {
		return
	}
	m, fair := mutexOf(c.L)
	if m == nil || first.Next() == nil && !fair && !first.OnThread() {
		first.Unpark() // and it the next
		return
	}
	var alone *wait.Node // the first of those who lock L themselves
	last := &alone
	for n := first; n != nil; {
		next := n.Next()
		*n.NextLink() = nil
		n.Got = gotNotice
		if n.Key == 0 || !m.adopt(n, fair) {
			*last = n
			last = n.NextLink()
		}
		n = next
	}
	if alone != nil {
		alone.Unpark()
	}
}

// wait reports whether it was notified.
func (c *Condition) wait(what string, l park.Limit) bool {
	n := c.spare.New(&c.spin, &l)
	n.Key = mustHold(what, c.L)
	c.q.Lock()
	c.q.PushBack(n)
	c.q.Unlock()
	depth := c.unlock(n)
	if trace.Enabled() {
		return c.sleepTraced(n, depth, &l)
	}
	notified := wait.Sleep(n, c.leave, &l)
	c.relock(n, depth, notified)
	c.spare.Free(n)
	return notified
}

// sleepTraced is the rest of wait with its events. If a trace function ends the
// goroutine the deferred calls above find L locked, and what n was notified of
// goes to another waiter.
func (c *Condition) sleepTraced(n *wait.Node, depth int, l *park.Limit) (notified bool) {
	slept, returned := false, false
	defer func() {
		if !slept {
			if notified = !c.leave(n); notified {
				n.Await()
				notified = n.Got != wait.GotCanceled
			}
			c.relock(n, depth, notified)
		}
		if notified && !returned {
			c.wakeOne()
		}
	}()
	span := trace.Block(c)
	notified = wait.Sleep(n, c.leave, l)
	slept = true
	c.relock(n, depth, notified)
	span.Resume(notified, nil)
	returned = true
	c.spare.Free(n)
	return notified
}

// wakeOne passes on what a waiter was notified of that cannot return.
func (c *Condition) wakeOne() {
	c.q.Lock()
	first := c.q.Pop()
	c.q.Unlock()
	c.wake(first)
}

func (c *Condition) leave(n *wait.Node) bool {
	c.q.Lock()
	defer c.q.Unlock()
	return c.q.Remove(n)
}

// relock locks L again for the owner of n.
func (c *Condition) relock(n *wait.Node, depth int, notified bool) {
	m, fair := mutexOf(c.L)
	switch {
	case n.Key == 0:
		c.relockOther(n)
		c.restore(depth)
		return
	case !notified || n.Got == gotNotice:
		if m.word.CompareAndSwap(0, n.Key) || m.tryLock(n.Key) {
			break
		}
		// Without events: those of the condition go on until L is locked.
		m.lockUntraced(n.Key, fair, &forever)
	case !m.woken(n):
		m.await(n, true, &forever)
	}
	if next := n.Next(); next != nil {
		next.Unpark()
	}
	c.restore(depth)
}

// restore makes an RLock locked as often as it was.
func (c *Condition) restore(depth int) {
	if r, ok := c.L.(*RLock); ok {
		r.depth = depth
	}
}

// relockOther is relock of a goroutine, or of an L of another type. That may
// panic: those who are notified after n wait for its wakeup all the same.
func (c *Condition) relockOther(n *wait.Node) {
	next := n.Next()
	defer func() {
		if next != nil {
			next.Unpark()
		}
	}()
	c.L.Lock()
}

// mutexOf returns what is in l if it is one of ours that a waiter can be moved
// to.
func mutexOf(l sync.Locker) (m *mutex, fair bool) {
	switch l := l.(type) {
	case *Lock:
		return &l.m, l.Fair
	case *RLock:
		return &l.m, l.Fair
	default:
		return nil, false
	}
}

// mustHold panics if l is certainly not held by the caller. It returns the key
// that a waiter waits for l with; 0 if it must lock l by itself: then it waits
// as a goroutine that is held on no thread.
func mustHold(what string, l sync.Locker) (key uint64) {
	switch l := l.(type) {
	case *Lock:
		if !l.Locked() {
			panic(misuse("Condition."+what, ErrNotLocked))
		}
		return anonymous
	case *RLock:
		if !l.Owned() {
			panic(misuse("Condition."+what, ErrNotOwner))
		}
		if slot := ident.Slot(); ident.Row(slot) != 0 {
			return keyOf(slot)
		}
	case *RWLock:
		if !l.writeLocked() {
			panic(misuse("Condition."+what, ErrNotLocked))
		}
	case nil:
		panic(misuse("Condition."+what+" without L", ErrNotLocked))
	}
	return 0
}

// unlock unlocks L however often it is locked, and returns how often beyond
// once. If L cannot be unlocked n is taken out again.
func (c *Condition) unlock(n *wait.Node) (depth int) {
	switch l := c.L.(type) {
	case *Lock:
		if s := l.m.word.Add(minusAnonymous); s != 0 {
			if !free(s) {
				c.withdraw(n)
			}
			l.unlockSlow(s)
		}
	case *RLock:
		depth, l.depth = l.depth, 0
		l.Unlock()
	default:
		c.unlockOther(n)
	}
	return depth
}

// withdraw takes n out whose owner cannot wait. What it was notified of
// meanwhile goes to another waiter.
func (c *Condition) withdraw(n *wait.Node) {
	if c.leave(n) {
		return
	}
	n.Await()
	if next := n.Next(); next != nil {
		next.Unpark()
	}
	if n.Got != wait.GotCanceled {
		c.wakeOne()
	}
}

func (c *Condition) unlockOther(n *wait.Node) {
	unlocked := false
	defer func() {
		if !unlocked {
			c.withdraw(n)
		}
	}()
	c.L.Unlock()
	unlocked = true
}
