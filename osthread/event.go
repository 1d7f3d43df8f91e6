package osthread

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Models: verify/event.pml, verify/broadcast.pml. Whether there is a waiter and
// whether the flag is set are decided under one guard: Wait reads the flag
// without it, and again under it before it enqueues. So a waiter in the queue
// found the flag clear, and the next Set finds it. A waiter that Set has taken
// out returns true, even if the flag is cleared until it runs: if it checked
// the flag after the wakeup, a Set and a Clear right after it could wake no
// waiter (CPython, bpo-13502).
//
// The queue and its guard exist from the first wait on. A Set that finds none
// sets the flag and loads the queue again: either it finds it, or the first
// waiter finds the flag.
//
// The waiters of a manual-reset event all get the same, so those on threads
// need no place in the queue: they sleep together (park.Broadcast), and only
// their number is kept.

// An Event is a flag that threads and goroutines wait for. The zero value is a
// manual-reset event that is not set: Set wakes all waiters and lets newcomers
// pass until Clear. It must not be copied after first use.
//
// In the terms of the Go memory model, a Set synchronizes before the return of
// any Wait that returns because of it.
type Event struct {
	_ noCopy

	// AutoReset makes a Set release one waiter: the longest one or, if there is
	// none, the next to come, which clears the flag. It must not change after
	// first use.
	AutoReset bool

	byThread bool // set by a thread of ours; see wait.Node.ByThread

	flag atomic.Bool
	q    atomic.Pointer[eventQueue] // nil until the first wait
}

type eventQueue struct {
	wait.ObjectQueue
	spin     park.Spinner
	threads  park.Broadcast
	together int // waiters in threads' epoch
}

// Len returns the number of waiters.
func (q *eventQueue) Len() int { return q.ObjectQueue.Len() + q.together }

func (e *Event) queue() *eventQueue {
	if q := e.q.Load(); q != nil {
		return q
	}
	return e.newQueue()
}

func (e *Event) newQueue() *eventQueue {
	e.q.CompareAndSwap(nil, new(eventQueue))
	return e.q.Load()
}

// Set sets the flag and wakes all waiters. With AutoReset it wakes one, and
// sets the flag only if there is none.
func (e *Event) Set() {
	q := e.q.Load()
	if q == nil {
		e.flag.Store(true)
		if q = e.q.Load(); q == nil {
			return
		}
		if e.AutoReset {
			e.passOn(q)
			return
		}
	}
	if e.AutoReset {
		e.setOne(q)
	} else {
		e.setAll(q)
	}
}

// passOn ends a Set that has set the flag, of an AutoReset event, when the
// first waiter came: that waits, if nobody has the flag.
func (e *Event) passOn(q *eventQueue) {
	q.Lock()
	set := e.flag.Swap(false)
	q.Unlock()
	if set {
		e.setOne(q)
	}
}

func (e *Event) setOne(q *eventQueue) {
	q.Lock()
	n := q.Pop()
	if set := n == nil; set != e.flag.Load() {
		e.flag.Store(set)
	}
	q.Unlock()
	if n != nil {
		n.Got = gotNotice
		n.Unpark()
		trace.Released(e)
	}
}

func (e *Event) setAll(q *eventQueue) {
	q.Lock()
	if !e.flag.Load() {
		e.flag.Store(true)
	}
	first := q.TakeAll()
	together := q.together
	wake := together > 0 && q.threads.End(together+1)
	q.together = 0
	q.Unlock()
	if wake {
		q.threads.Wake()
	}
	if first != nil {
		wait.WakeAll(first, gotNotice)
	}
	if first != nil || together > 0 {
		trace.Released(e)
	}
}

// Clear clears the flag.
func (e *Event) Clear() {
	q := e.q.Load()
	if q == nil || !e.AutoReset {
		e.flag.Store(false)
		return
	}
	q.Lock() // a WaitAll may have taken the flag, and put it back
	e.flag.Store(false)
	q.Unlock()
}

// IsSet reports whether the flag is set. The result may be stale by the time it
// is used.
func (e *Event) IsSet() bool { return e.flag.Load() }

// Wait sleeps until the flag is set. It returns even if the flag is cleared
// again before the caller runs.
func (e *Event) Wait() { e.wait(e, &unlimited) }

// TryWait is WaitTimeout(0).
func (e *Event) TryWait() bool { return e.WaitTimeout(0) }

// WaitTimeout is Wait for at most d and reports whether the flag was set.
func (e *Event) WaitTimeout(d time.Duration) bool {
	l := park.For(d).Unwinding()
	return e.wait(e, &l)
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause.
func (e *Event) WaitContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !e.wait(e, &l) {
		return l.Err(nil)
	}
	return nil
}

// wait waits until the flag is set, and reports true, or until l ends that. The
// caller waits for object, which is, or has, e.
func (e *Event) wait(object any, l *park.Limit) (passed bool) {
	switch {
	case !e.AutoReset && e.flag.Load():
		passed = !l.Canceled()
	case trace.Enabled() && !e.flag.Load():
		passed = trace.Around(object, func() bool { return e.sleep(object, l) }, e.undo)
	default:
		passed = e.sleep(object, l)
	}
	if !passed {
		l.Unwind()
	}
	return passed
}

func (e *Event) sleep(object any, l *park.Limit) (passed bool) {
	q := e.queue()
	thread := park.OnThread()
	if thread && !e.AutoReset && l.Shared() {
		return e.sleepTogether(q, object, l)
	}
	n := wait.NewAs(thread, &q.spin, l)
	n.For = object
	if e.byThread {
		n.ByThread()
	}
	q.Lock()
	waits := !l.Canceled() // perhaps before the flag was set
	if waits && e.flag.Load() {
		(*eventSource)(e).Take()
		waits, passed = false, true
	}
	if waits && !l.Expired() {
		q.PushBack(n)
		if passed = n.CanParkUnder(l); passed {
			n.ParkUnder(&q.Guard)
		} else {
			passed = wait.UnlockAndSleep(&q.Guard, n, e.leave, l)
		}
	} else {
		q.Unlock()
	}
	n.Free()
	return passed
}

// sleepTogether is sleep for a thread that needs no place in the queue.
func (e *Event) sleepTogether(q *eventQueue, object any, l *park.Limit) (passed bool) {
	q.Lock()
	if passed = e.flag.Load(); passed || l.Expired() {
		q.Unlock()
		return passed
	}
	epoch := q.threads.Epoch()
	q.together++
	q.Unlock()
	if q.threads.Sleep(epoch, &q.spin, l, object) {
		return true
	}
	q.Lock()
	defer q.Unlock()
	if q.threads.Epoch() != epoch { // Set meanwhile
		return true
	}
	q.together--
	return false
}

// undo undoes a wait.
func (e *Event) undo() {
	if e.AutoReset {
		e.Set()
	}
}

func (e *Event) leave(n *wait.Node) bool {
	q := e.queue()
	q.Lock()
	left := q.Remove(n)
	q.Unlock()
	return left
}

// WaitSource makes e a [Waitable].
func (e *Event) WaitSource() wait.Source { return (*eventSource)(e) }

type eventSource Event

func (e *eventSource) Queue() *wait.ObjectQueue { return &(*Event)(e).queue().ObjectQueue }
func (e *eventSource) Ready() bool              { return e.flag.Load() }

func (e *eventSource) Take() {
	if e.AutoReset {
		e.flag.Store(false)
	}
}

func (e *eventSource) Untake() {
	if e.AutoReset {
		e.flag.Store(true)
	}
}
