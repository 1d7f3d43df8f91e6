package osthread

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/event.pml. The flag is changed only under the queue's guard.
// Wait reads it without, and again under the guard before it enqueues. So a
// waiter in the queue found the flag clear, and the next Set finds its node. A
// waiter that Set has taken out returns true, even if the flag is cleared until
// it runs: if it checked the flag after the wakeup, a Set and a Clear right
// after it could wake no waiter (CPython, bpo-13502).

// An Event is a flag that threads and goroutines wait for. The zero value is a
// manual-reset event that is not set: Set wakes all waiters and lets newcomers
// pass until Clear. It must not be copied after first use.
//
// In the terms of the Go memory model, a Set synchronizes before the return of
// any Wait that returns because of it.
type Event struct {
	// AutoReset makes a Set release one waiter: the longest one or, if there is
	// none, the next to come, which clears the flag. It must not change after
	// first use.
	AutoReset bool

	byThread bool // set by a thread of ours; see wait.Node.ByThread

	flag atomic.Bool
	spin park.Spinner
	q    wait.ObjectQueue
	_    noCopy
}

// Set sets the flag and wakes all waiters. With AutoReset it wakes one, and
// sets the flag only if there is none.
func (e *Event) Set() {
	e.q.Lock()
	var first *wait.Node
	if e.AutoReset {
		first = e.q.Pop()
		e.flag.Store(first == nil)
	} else {
		e.flag.Store(true)
		first = e.q.TakeAll()
	}
	e.q.Unlock()
	if first != nil {
		wait.WakeAll(first, gotNotice)
		trace.Released(e)
	}
}

// Clear clears the flag.
func (e *Event) Clear() {
	e.q.Lock()
	defer e.q.Unlock()
	e.flag.Store(false)
}

// IsSet reports whether the flag is set. The result may be stale by the time it
// is used.
func (e *Event) IsSet() bool { return e.flag.Load() }

// Wait sleeps until the flag is set. It returns even if the flag is cleared
// again before the caller runs.
func (e *Event) Wait() { e.wait(park.Forever()) }

// TryWait is WaitTimeout(0).
func (e *Event) TryWait() bool { return e.WaitTimeout(0) }

// WaitTimeout is Wait for at most d and reports whether the flag was set.
func (e *Event) WaitTimeout(d time.Duration) bool { return e.wait(park.For(d)) }

// WaitContext is Wait until ctx is done; it then returns ctx's cause.
func (e *Event) WaitContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !e.wait(l) {
		return l.Err(nil)
	}
	return nil
}

func (e *Event) wait(l park.Limit) (passed bool) {
	if !e.AutoReset && e.flag.Load() {
		return !l.Canceled()
	}
	if trace.Enabled() && !e.flag.Load() {
		span := trace.Block(e)
		defer func() { span.Resume(passed, e.undo) }()
	}
	n := wait.New(&e.spin, &l)
	defer n.Free()
	if e.byThread {
		n.ByThread()
	}
	if waits, passed := e.enqueue(n, &l); !waits {
		return passed
	}
	return n.Served(n.ParkAs(n.OnThread(), &l), e.leave)
}

// enqueue puts n into the queue and reports that it waits, or reports whether
// it has passed.
func (e *Event) enqueue(n *wait.Node, l *park.Limit) (waits, passed bool) {
	e.q.Lock()
	defer e.q.Unlock()
	switch {
	case l.Canceled(): // perhaps before the flag was set
		return false, false
	case e.flag.Load():
		(*eventSource)(e).Take()
		return false, true
	case l.Expired():
		return false, false
	default:
		e.q.PushBack(n)
		return true, false
	}
}

// undo undoes a wait.
func (e *Event) undo() {
	if e.AutoReset {
		e.Set()
	}
}

func (e *Event) leave(n *wait.Node) bool {
	e.q.Lock()
	defer e.q.Unlock()
	return e.q.Remove(n)
}

// WaitSource makes e a [Waitable].
func (e *Event) WaitSource() wait.Source { return (*eventSource)(e) }

type eventSource Event

func (e *eventSource) Queue() *wait.ObjectQueue { return &e.q }
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
