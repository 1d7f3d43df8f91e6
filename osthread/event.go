package osthread

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/event.pml. The flag is changed under the queue's guard alone;
// Wait looks at it without, and under the guard before it queues. So whoever
// has queued found the flag clear, and the next Set finds the node. A waiter
// that Set has taken out returns true, whatever becomes of the flag until it
// runs: with a look at the flag after the wake-up, Set and a Clear right after
// could wake nobody (CPython, bpo-13502).

// An Event is a flag that threads and goroutines wait for. The zero value is a
// manual-reset event that is not set: Set lets everybody go, now and until
// Clear. It must not be copied after first use.
//
// In the terms of the Go memory model, a Set synchronizes before the return of
// any Wait that returns because of it.
type Event struct {
	// AutoReset makes a Set let one waiter go: the one that has waited longest,
	// or if there is none the next to come, which clears the flag. It must not
	// change after first use.
	AutoReset bool

	byThread bool // set by a thread of ours; see wait.Node.ByThread

	flag atomic.Bool
	spin park.Spinner
	q    wait.ObjectQueue
	_    noCopy
}

// Set sets the flag and wakes everybody that waits. With AutoReset it wakes
// one, and sets the flag only if nobody waits.
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

// Clear takes the flag back.
func (e *Event) Clear() {
	e.q.Lock()
	defer e.q.Unlock()
	e.flag.Store(false)
}

// IsSet reports whether the flag is set. By the time the caller looks at the
// result it may be otherwise.
func (e *Event) IsSet() bool { return e.flag.Load() }

// Wait sleeps until the flag is set. It returns also if the flag is cleared
// again before the caller runs.
func (e *Event) Wait() { e.wait(park.Forever()) }

// TryWait is WaitTimeout(0).
func (e *Event) TryWait() bool { return e.WaitTimeout(0) }

// WaitTimeout is Wait for at most d and reports whether the flag was set. d <=
// 0 never sleeps.
func (e *Event) WaitTimeout(d time.Duration) bool { return e.wait(park.For(d)) }

// WaitContext is Wait until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look at the flag.
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

func (e *Event) wait(l park.Limit) bool {
	if !e.AutoReset && e.flag.Load() {
		return !l.Canceled()
	}
	if trace.Enabled() && !e.flag.Load() {
		return trace.Around(e, func() bool { return e.waitQueued(&l) }, e.giveBack)
	}
	return e.waitQueued(&l)
}

func (e *Event) waitQueued(l *park.Limit) bool {
	n := wait.New(&e.spin, l)
	defer n.Free()
	if e.byThread {
		n.ByThread()
	}
	e.q.Lock()
	if l.Canceled() { // before the flag was set, it may be
		e.q.Unlock()
		return false
	}
	if e.ready() {
		e.take()
		e.q.Unlock()
		return true
	}
	if l.Expired() {
		e.q.Unlock()
		return false
	}
	e.q.PushBack(n)
	e.q.Unlock()
	return wait.Sleep(n, e.leave, l)
}

// giveBack undoes a wait.
func (e *Event) giveBack() {
	if e.AutoReset {
		e.Set()
	}
}

func (e *Event) leave(n *wait.Node) bool {
	e.q.Lock()
	defer e.q.Unlock()
	return e.q.Remove(n)
}

func (e *Event) queue() *wait.ObjectQueue { return &e.q }
func (e *Event) ready() bool              { return e.flag.Load() }
func (e *Event) take() {
	if e.AutoReset {
		e.flag.Store(false)
	}
}

func (e *Event) untake() {
	if e.AutoReset {
		e.flag.Store(true)
	}
}
func (e *Event) foreign() wait.Source { return nil }
