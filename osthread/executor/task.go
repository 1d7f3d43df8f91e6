package executor

import (
	"sync/atomic"

	"example.com/thread/internal/list"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
)

// A task is the part of a Future that does not depend on its type: what pools
// queue, and what waiters and callbacks hang on. The two are one allocation.
//
//	pending --begin--> running --publish--> finished
//	   |  \--fail, a promise that is kept at once--^
//	   \--cancel--> cancelled
//
// Each arrow out of pending is one compare-and-swap, so either the thread that
// begins or the caller that cancels wins. The winner owns fn, value and err:
// nothing else accesses them until it stores the state finished, and nothing
// writes them afterwards. Every reader's load pairs with that store.
//
// Waiters, the notes of collectors, the callbacks and the channel are under
// guard. A waiter checks the state under the guard before it queues. publish
// stores the state before it releases the guard, and takes out all that queued
// before. So a waiter either sees the end or is seen. Waiters and notes, which
// run no code of others, are served before any callback runs (callback.go).

// A State is how far a future has come.
type State uint32

const (
	Pending   State = iota // its function has not begun, and may still be cancelled
	Running                // its function runs
	Finished               // there is a result
	Cancelled              // there will be none
)

func (s State) String() string {
	names := [...]string{"pending", "running", "finished", "cancelled"}
	if s >= State(len(names)) {
		return "unknown"
	}
	return names[s]
}

type task struct {
	list.Links[task] // in the backlog; under the pool's guard

	self  runner
	pool  *pool           // nil: a promise's
	where place           // under the pool's guard
	host  *waitfor.Thread // that runs it; nil: unknown. Written before the state is running

	state     atomic.Uint32
	guard     wait.Guard // over the four that follow
	waiters   wait.List
	notes     list.List[note]
	callbacks *callback // the last to be added first
	done      chan struct{}
	err       error
}

// A runner is a *Future[T] of any T.
type runner interface {
	call() (returned bool) // runs the function and stores its result
	drop()                 // drops the function
}

func (t *task) load() State  { return State(t.state.Load()) }
func (t *task) isDone() bool { return t.load() >= Finished }

func (t *task) swap(from, to State) bool {
	return t.state.CompareAndSwap(uint32(from), uint32(to))
}

// begin reports whether the caller, on the thread host, is to run t. Only the
// thread that took t out of the pool's lists may call it.
func (t *task) begin(host *waitfor.Thread) bool {
	t.host = host
	return t.swap(Pending, Running)
}

// cancel reports whether t is cancelled.
func (t *task) cancel() bool {
	if !t.swap(Pending, Cancelled) {
		return t.load() == Cancelled
	}
	if t.pool != nil {
		t.pool.unqueue(t)
	}
	t.drop()
	t.complete(Cancelled, nil)
	return true
}

// drop drops the function.
func (t *task) drop() {
	if t.self != nil { // a zero Future's
		t.self.drop()
	}
}

// fail completes t, if it has not begun, with err, and returns the callbacks to
// call.
func (t *task) fail(err error) *callback {
	if !t.swap(Pending, Running) { // not begin: another thread may have begun t
		return nil
	}
	t.drop()
	t.err = err
	first, _ := t.publish(Finished, nil)
	return first
}

// complete is publish that calls the callbacks.
func (t *task) complete(to State, returning *atomic.Int32) (counted bool) {
	first, counted := t.publish(to, returning)
	first.callAll()
	return counted
}

// publish stores the final state of t, wakes those that wait for it, and
// returns the callbacks to call. If there are none the caller will soon look
// for work: returning, if not nil, is then incremented before anybody can see
// the state, and publish reports true.
func (t *task) publish(to State, returning *atomic.Int32) (first *callback, counted bool) {
	t.guard.Lock()
	waiters := t.waiters.TakeAll()
	notes, callbacks, done := t.notes.Head(), t.callbacks, t.done
	t.notes, t.callbacks = list.List[note]{}, nil
	for n := notes; n != nil; n = n.Next() {
		n.in = false
	}
	hooked := trace.Hooked()
	if counted = returning != nil && callbacks == nil && !hooked; counted {
		returning.Add(1)
	}
	t.state.Store(uint32(to))
	t.guard.Unlock()
	woken := waiters != nil
	wait.WakeAll(waiters, 0)
	if done != nil {
		close(done)
	}
	for n := notes; n != nil; {
		next := n.Next() // n is its collector's again
		n.collector.note(n.index)
		n = next
	}
	first = reversed(callbacks)
	if hooked && woken {
		first = &callback{next: first, call: func() { trace.Released(t.self) }}
	}
	return first, counted
}

// A note notifies a collector that a task is done.
type note struct {
	list.Links[note]
	collector *collector
	index     int  // of the task in it
	in        bool // task.notes
}

// addNote adds n to t's notes. It reports false, and does nothing, if t is
// done.
func (t *task) addNote(n *note) bool {
	t.guard.Lock()
	defer t.guard.Unlock()
	if t.isDone() {
		return false
	}
	n.in = true
	t.notes.PushFront(n)
	return true
}

// removeNote takes n back unless publish has taken it.
func (t *task) removeNote(n *note) {
	t.guard.Lock()
	defer t.guard.Unlock()
	if n.in {
		n.in = false
		t.notes.Remove(n)
	}
}

// promiseSpin is the spinner of waits for promises.
var promiseSpin park.Spinner

// spinner returns what waits for t spin by.
func (t *task) spinner() *park.Spinner {
	if t.pool == nil {
		return &promiseSpin
	}
	return &t.pool.results
}

// await waits until t is done and returns nil; l's error if that ends it; or
// ErrDeadlock if the caller runs t, or t waits for the caller over edge.
func (t *task) await(l *park.Limit, spin *park.Spinner, edge waitfor.Edge) error {
	switch {
	case l.Expired():
		return l.Err(ErrTimeout)
	case t.isOwn():
		return ErrDeadlock
	}
	// Ordinary goroutines spin here too, unlike elsewhere. Their waker is a
	// thread with its own P. From its queue others take them only after some 50
	// us with two processors, while a short function is done within one.
	if spin != nil && park.CanSpin() && spin.Until(t.isDone) {
		return nil
	}
	var here *waitfor.Thread
	if l.Never() {
		here = waitfor.Here()
	}
	if here != nil || trace.Enabled() {
		return t.sleepNoted(l, here, edge)
	}
	return t.sleep(l)
}

// sleepNoted is sleep with its events, and with its edge from here, if not nil.
func (t *task) sleepNoted(l *park.Limit, here *waitfor.Thread, edge waitfor.Edge) error {
	if trace.Enabled() {
		defer trace.Block(t.self).Resume(false, nil)
	}
	if here != nil {
		if !here.Wait(edge) {
			return ErrDeadlock
		}
		defer here.Resume()
	}
	return t.sleep(l)
}

// sleep is the rest of await.
func (t *task) sleep(l *park.Limit) error {
	n := wait.New(nil, l)
	n.For = t.self
	if t.pool != nil {
		n.ByThread()
	}
	t.guard.Lock()
	done := t.isDone()
	if done {
		t.guard.Unlock()
	} else {
		t.waiters.PushBack(n)
		if done = n.CanParkUnder(l); done {
			n.ParkUnder(&t.guard)
		} else {
			done = wait.UnlockAndSleep(&t.guard, n, t.leave, l)
		}
	}
	n.Free()
	if !done {
		return l.Err(ErrTimeout)
	}
	return nil
}

func (t *task) leave(n *wait.Node) bool {
	t.guard.Lock()
	defer t.guard.Unlock()
	return t.waiters.Remove(n)
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// channel returns t.done, which it makes if there is none.
func (t *task) channel() <-chan struct{} {
	if t.isDone() {
		return closedChannel
	}
	c := make(chan struct{}) // not under the guard: it allocates
	t.guard.Lock()
	defer t.guard.Unlock()
	switch {
	case t.done != nil:
		return t.done
	case t.isDone():
		return closedChannel
	default:
		t.done = c
		return c
	}
}
