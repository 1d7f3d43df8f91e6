package osthread

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
)

// Model: verify/condition.pml. A waiter enqueues, under the queue's guard,
// before it unlocks L, so a Notify after the unlock finds it. From then on it
// is in one of three places:
//
//	in the queue --Notify, L is a Lock or RLock that is held--> in L's queue --Unlock--> awake, with L or woken to retry
//	   |  \--Notify, otherwise-----------------------------------------------------> awake, to lock L itself
//	   \-----timeout: it removes itself-------------> awake, not notified
//
// A waiter that was requeued does not wake up only to find L held by the thread
// that notified it, and NotifyAll is no thundering herd. Where L has no queue
// that waiters can be moved to, NotifyAll wakes one waiter, and each, once it
// has L, the next.
//
// Signal and Broadcast need not hold L, and neither does the argument: it rests
// on the queue's guard alone. If L is held by another thread then, its Unlock
// wakes the requeued waiter; if it becomes free meanwhile, requeue fails.
//
// A waiter that has timed out and is not in the queue was notified: it returns
// true. So no notification is lost on a waiter that has stopped waiting, as
// CPython and POSIX allow.

// A Condition is a condition variable tied to L. It comes from NewCondition, or
// has L set, and must not be copied after first use.
//
// There are no spurious wakeups. Waiters are notified in the order in which
// they came.
//
// In the terms of the Go memory model, a Notify synchronizes before the return
// of the wait that it ends.
type Condition struct {
	_ noCopy

	// L is held by a caller that waits, notifies, or accesses what the
	// condition is about. Several conditions may share one L.
	L sync.Locker

	q atomic.Pointer[condQueue] // nil until the first wait
}

type condQueue struct {
	wait.Queue
	spare wait.Spare
	spin  park.Spinner
}

// NewCondition returns a condition on l; a nil l stands for a new RLock.
func NewCondition(l sync.Locker) *Condition {
	if l == nil {
		l = new(RLock)
	}
	return &Condition{L: l}
}

// Wait unlocks L, sleeps until notified, and locks L again; an RLock as often
// as it was. It panics with an error that is [ErrNotLocked] if L is a Lock that
// is not locked, or an RWLock that is not locked for writing, and [ErrNotOwner]
// if it is an RLock that the calling thread does not hold. For other Lockers it
// cannot check.
func (c *Condition) Wait() {
	if !c.wait("Wait", &unlimited) {
		unlimited.Unwind()
	}
}

// TryWait is WaitTimeout(0).
func (c *Condition) TryWait() bool { return c.WaitTimeout(0) }

// WaitTimeout is Wait for at most d and reports whether it was notified. It
// locks L again in any case, which may take longer than d.
func (c *Condition) WaitTimeout(d time.Duration) bool {
	l := park.For(d).Unwinding()
	notified := c.wait("WaitTimeout", &l)
	if !notified {
		l.Unwind()
	}
	return notified
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause, with L
// locked. If ctx is done already it does not unlock L.
func (c *Condition) WaitContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		c.mustHold("WaitContext")
		return err
	}
	if !c.wait("WaitContext", &l) {
		return l.Err(nil)
	}
	return nil
}

// WaitFor waits until cond returns true. It calls cond with L held, first at
// once. If cond panics L is held.
func (c *Condition) WaitFor(cond func() bool) { c.waitFor("WaitFor", cond, &unlimited) }

// WaitForTimeout is WaitFor for at most d in all. It returns the last result of
// cond. With d <= 0 it calls cond once, and once more after other callers could
// lock L.
func (c *Condition) WaitForTimeout(cond func() bool, d time.Duration) bool {
	l := park.For(d).Unwinding()
	return c.waitFor("WaitForTimeout", cond, &l)
}

// WaitForContext is WaitFor until ctx is done; if cond returns false then, it
// returns ctx's cause. If ctx is done already it calls cond once.
func (c *Condition) WaitForContext(ctx context.Context, cond func() bool) error {
	l, err := park.Until(ctx)
	if err != nil {
		if cond() {
			return nil
		}
		return err
	}
	if !c.waitFor("WaitForContext", cond, &l) {
		return l.Err(nil)
	}
	return nil
}

func (c *Condition) waitFor(op string, cond func() bool, l *park.Limit) bool {
	for inTime := true; !cond(); {
		if !inTime && l.Expired() { // cond may have taken a request
			l.Unwind()
			return false
		}
		inTime = c.wait(op, l)
	}
	return true
}

// Notify wakes the longest waiter, if any: it returns once it has L. Notify and
// its variants panic as Wait does if L is not held.
func (c *Condition) Notify() { c.notify("Notify", 1) }

// NotifyN wakes the n longest waiters. n <= 0 wakes none.
func (c *Condition) NotifyN(n int) { c.notify("NotifyN", n) }

// NotifyAll wakes all waiters.
func (c *Condition) NotifyAll() { c.notify("NotifyAll", math.MaxInt) }

// Signal is Notify for a caller that need not hold L, as with [sync.Cond] and
// pthread_cond_signal. What the waiter waits for must have been changed with L
// held all the same.
func (c *Condition) Signal() { c.notifyUnchecked(1) }

// Broadcast is NotifyAll for a caller that need not hold L.
func (c *Condition) Broadcast() { c.notifyUnchecked(math.MaxInt) }

// A condLock is an L that knows whether it is held.
type condLock interface {
	// mustHold panics, as the method op of the Condition, if L is certainly not
	// held by the caller. It returns the key with which the caller waits for L
	// in L's queue; 0 if the caller must lock L itself.
	mustHold(op string) (key uint64)
}

// A requeuer is an L with a queue that notified waiters can be moved to.
type requeuer interface {
	barged
	condLock
	// unlockAll unlocks L however often it is locked, and returns how often
	// beyond once; restore makes that so again.
	unlockAll() (depth int)
	restore(depth int)
	// relocked notes in watch mode that the caller has locked L again.
	relocked()
	// requeue puts n into the queue. It returns false if L is free.
	requeue(n *wait.Node, fair bool) bool
}

func (c *Condition) queue() *condQueue {
	if q := c.q.Load(); q != nil {
		return q
	}
	return c.newQueue()
}

func (c *Condition) newQueue() *condQueue {
	c.q.CompareAndSwap(nil, new(condQueue))
	return c.q.Load()
}

// requeuer returns L if it is a requeuer, and otherwise nil. Asking for the
// types is faster than for the interface.
func (c *Condition) requeuer() requeuer {
	switch l := c.L.(type) {
	case *Lock:
		return l
	case *RLock:
		return l
	default:
		return nil
	}
}

func (c *Condition) mustHold(op string) (key uint64) {
	switch l := c.L.(type) {
	case *Lock:
		return l.mustHold(op)
	case condLock:
		return l.mustHold(op)
	case nil:
		panic(misuse("Condition."+op+" without L", ErrNotLocked))
	default:
		return 0
	}
}

// notify returns how many waiters it has notified.
func (c *Condition) notify(op string, n int) (notified int) {
	c.mustHold(op)
	return c.notifyUnchecked(n)
}

func (c *Condition) notifyUnchecked(n int) (notified int) {
	q := c.q.Load()
	if q == nil {
		return 0 // a waiter that is yet to come
	}
	q.Lock()
	taken := q.Take(n)
	q.Unlock()
	notified = taken.Len()
	if notified > 0 {
		c.wake(&taken)
	}
	return notified
}

// wake requeues the notified waiters, or wakes the first of those that cannot
// be: each locks L and wakes the next.
func (c *Condition) wake(notified *wait.Chain) {
	l := c.requeuer()
	first := notified.Head()
	// Requeued, a single goroutine would wake up later than it can lock L.
	if l != nil && (notified.Len() > 1 || l.isFair() || first.OnThread()) {
		var rest wait.Chain
		for n := notified.Pop(); n != nil; n = notified.Pop() {
			n.Got = gotNotice
			if n.Key == 0 || !l.requeue(n, l.isFair()) {
				rest.PushBack(n)
			}
		}
		first = rest.Head()
	}
	if first != nil {
		first.Unpark()
	}
}

// wait reports whether it was notified. If not, it does not unwind.
func (c *Condition) wait(op string, l *park.Limit) (notified bool) {
	key := c.mustHold(op)
	q := c.queue()
	n := q.spare.New(&q.spin, l)
	n.Key, n.For = key, c
	q.Lock()
	q.PushBack(n)
	if c.unlockUnder(n, l) {
		n.ParkUnder(&q.Guard)
		return c.resume(n, 0, park.Unparked)
	}
	q.Unlock()
	depth := c.unlock(n)
	if trace.Enabled() {
		return c.sleepTraced(n, depth, l)
	}
	return c.resume(n, depth, n.ParkAs(n.OnThread(), l))
}

// unlockUnder unlocks L, and reports whether it did, if that is one step and
// n's owner may sleep under the queue's guard, which the caller holds.
func (c *Condition) unlockUnder(n *wait.Node, l *park.Limit) bool {
	lock, ok := c.L.(*Lock)
	return ok && n.CanParkUnder(l) && !trace.Enabled() && lock.word.CompareAndSwap(anonymous, 0)
}

// resume ends the wait of n's owner, which has parked, with L locked again. It
// reports whether the owner was notified.
func (c *Condition) resume(n *wait.Node, depth int, o park.Outcome) (notified bool) {
	notified = n.Served(o, c.leave)
	c.relock(n, depth, notified)
	c.queue().spare.Free(n)
	return notified
}

// sleepTraced is the rest of wait, with its events. If a trace function ends
// the goroutine, deferred calls of its callers find L locked, and another
// waiter gets the notification.
func (c *Condition) sleepTraced(n *wait.Node, depth int, l *park.Limit) (notified bool) {
	var span trace.Span
	blocked, o := false, park.Canceled
	defer func() {
		notified = c.resume(n, depth, o)
		wakeNext := func() { c.notifyUnchecked(1) }
		if blocked {
			span.Resume(notified, wakeNext)
		} else if notified {
			wakeNext()
		}
	}()
	span = trace.Block(c)
	blocked = true
	o = n.ParkAs(n.OnThread(), l)
	return false // set above
}

func (c *Condition) leave(n *wait.Node) bool {
	q := c.queue()
	q.Lock()
	defer q.Unlock()
	return q.Remove(n)
}

// unlock unlocks L however often it is locked, and returns how often beyond
// once. If L cannot be unlocked it takes n out again; what n was notified of
// meanwhile goes to another waiter.
func (c *Condition) unlock(n *wait.Node) (depth int) {
	unlocked := false
	defer func() {
		if unlocked || c.leave(n) {
			return
		}
		n.Await()
		if next := n.Next(); next != nil {
			next.Unpark()
		}
		if n.Got != wait.GotCanceled {
			c.notifyUnchecked(1)
		}
	}()
	if l := c.requeuer(); l != nil {
		depth = l.unlockAll()
	} else {
		c.L.Unlock()
	}
	unlocked = true
	return depth
}

// relock locks L again for the owner of n, and then wakes the next waiter in
// n's chain, even if another package's L panics.
func (c *Condition) relock(n *wait.Node, depth int, notified bool) {
	next := n.Next()
	defer func() {
		if next != nil {
			next.Unpark()
		}
	}()
	l := c.requeuer()
	if watch.On && n.Key != 0 {
		watch.Here().Wants(l, watch.Exclusive)
	}
	switch {
	case n.Key == 0:
		waits.Hidden(c.L.Lock)
	case notified && n.Got == gotLock:
		l.endHandoff()
	case notified && n.Got == gotRetry:
		if !l.retry(n) {
			acquireQueued(l, n, true, &forever)
		}
	case !l.try(n.Key) && (l.isFair() || !l.spin(n.Key)):
		n.Spin = nil // of c, not of L
		acquireQueued(l, n, false, &forever)
	}
	if l != nil {
		l.restore(depth)
		if n.Key != 0 {
			l.relocked()
		}
	}
}
