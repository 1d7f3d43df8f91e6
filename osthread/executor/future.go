package executor

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread/internal/protect"
)

// A task is the part of a Future that does not depend on its type: what pools
// queue, and what waiters and callbacks hang on. The two are one allocation.
//
//	pending --begin--> running --finish--> finished
//	   |  \--fail, a promise that is kept at once--^
//	   \--cancel--> cancelled
//
// Each arrow out of pending is one compare-and-swap, so of a thread that begins
// and a caller that cancels one wins. The winner owns fn, value and err: until
// it publishes the state finished it alone touches them, and from then on
// nobody writes them. The state's store is what every reader's load pairs with.
//
// Waiters stand in q, collectors' notes in notes, callbacks in late, all under
// guard. A waiter looks at the state under the guard before it queues. What
// settles the task has stored the state before it gives the guard back, and has
// taken out all that queued before: so a waiter either sees the end or is seen.
// Waiters and notes, which take no code of others, are seen to before any
// callback runs (callback.go).

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
	self      runner
	pool      *pool      // nil: a promise's
	prev      *task      // in list
	next      *task      // in list
	applicant *wait.Node // of the submitter that waits for a place, while in pool.waiting
	list      *taskList  // that it is in; under the pool's guard

	host *waitfor.Thread // that runs it; nil: nobody knows. Written before the state is running

	state atomic.Uint32
	guard wait.Guard // over the four that follow
	q     wait.List
	notes *note     // the last to come first
	late  *callback // likewise
	done  chan struct{}
	err   error
}

// A runner is a *Future[T] to those who do not know T.
type runner interface {
	call() (returned bool) // runs the function and keeps what comes of it
	drop()                 // forgets the function
}

func (t *task) load() State   { return State(t.state.Load()) }
func (t *task) settled() bool { return t.load() >= Finished }

func (t *task) swap(from, to State) bool {
	return t.state.CompareAndSwap(uint32(from), uint32(to))
}

// begin reports whether the caller, on the thread host, is to run t. Nobody
// else may call it at the same time.
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
		t.pool.forget(t)
	}
	t.drop()
	t.settle(Cancelled, nil)
	return true
}

// drop forgets the function.
func (t *task) drop() {
	if t.self != nil { // a zero Future's
		t.self.drop()
	}
}

// fail ends t, if it has not begun, with err, and returns the callbacks to
// call.
func (t *task) fail(err error) *callback {
	if !t.begin(nil) {
		return nil
	}
	t.drop()
	t.err = err
	first, _ := t.publish(Finished, nil)
	return first
}

// settle is publish that calls the callbacks.
func (t *task) settle(to State, back *atomic.Int32) (counted bool) {
	first, counted := t.publish(to, back)
	first.callAll()
	return counted
}

// publish makes t's end, to, known, and returns the callbacks to call. If there
// are none the caller will be back soon: back, if not nil, is then counted up
// before anybody can see the end, and publish reports true.
func (t *task) publish(to State, back *atomic.Int32) (first *callback, counted bool) {
	t.guard.Lock()
	waiters := t.q.TakeAll()
	notes, late, done := t.notes, t.late, t.done
	t.notes, t.late = nil, nil
	for n := notes; n != nil; n = n.next {
		n.in = false
	}
	hooked := trace.Enabled()
	if counted = back != nil && late == nil && !hooked; counted {
		back.Add(1)
	}
	t.state.Store(uint32(to))
	t.guard.Unlock()
	woken := waiters != nil
	wait.WakeAll(waiters, 0)
	if done != nil {
		close(done)
	}
	for n := notes; n != nil; {
		next := n.next // n is its collector's again
		n.collector.note(n.index)
		n = next
	}
	first = reversed(late)
	if hooked && woken {
		first = &callback{next: first, call: func() { trace.Released(t.self) }}
	}
	return first, counted
}

// A note tells a collector that a task is settled.
type note struct {
	collector  *collector
	index      int // of the task in it
	next, prev *note
	in         bool // task.notes
}

// watch puts n into t's notes. It reports false, and does nothing, if t is
// settled.
func (t *task) watch(n *note) bool {
	t.guard.Lock()
	defer t.guard.Unlock()
	if t.settled() {
		return false
	}
	n.in = true
	n.next = t.notes
	if n.next != nil {
		n.next.prev = n
	}
	t.notes = n
	return true
}

// unwatch takes n back, if it has not been taken out to be used.
func (t *task) unwatch(n *note) {
	t.guard.Lock()
	defer t.guard.Unlock()
	if !n.in {
		return
	}
	n.in = false
	if n.prev == nil {
		t.notes = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
}

// isOwn reports whether the caller is the thread that runs t.
func (t *task) isOwn() bool {
	if t.load() != Running || t.host == nil {
		return false
	}
	return waitfor.Here() == t.host
}

// servers appends the threads of which any one can settle t. It reports false
// if others can, too, or t is settled.
func (t *task) servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	switch t.load() {
	case Running:
		if t.host != nil {
			return append(threads, t.host), true
		}
	case Pending:
		if t.pool != nil {
			t.pool.guard.Lock()
			defer t.pool.guard.Unlock()
			return t.pool.servers(threads)
		}
	}
	return threads, false
}

// isNextTo reports whether t, as the pending task that was looked at last, has
// not begun and is of the pool last: then the same threads can settle it.
func (t *task) isNextTo(last **pool) bool {
	if t.pool == nil || t.load() != Pending {
		return false
	}
	same := t.pool == *last
	*last = t.pool
	return same
}

// A taskWait is the edge of a thread that waits for a task.
type taskWait task

// Servers is waitfor.Edge's.
func (w *taskWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	return (*task)(w).servers(threads)
}

// await waits until t is settled and returns nil; l's error if that ends it; or
// ErrDeadlock if it is the caller that runs t, or t waits for that.
func (t *task) await(l park.Limit) error {
	if !t.settled() {
		if l.Expired() {
			return l.Err(ErrTimeout)
		}
		if err := t.awaitSlow(&l); err != nil {
			return err
		}
	}
	if l.Canceled() { // before t was settled, it may be
		return l.Err(nil)
	}
	return nil
}

func (t *task) awaitSlow(l *park.Limit) error {
	spin := &promiseSpin
	if t.pool != nil {
		spin = &t.pool.results
		if t.isOwn() {
			return ErrDeadlock
		}
	}
	// Ordinary goroutines spin here as well, other than elsewhere: what wakes
	// them is a thread with its P, from whose queue others take them only after
	// a while, 50 us with two processors, where a short function is done within
	// one.
	if park.CanSpin() && spin.Until(t.settled) {
		return nil
	}
	if !trace.Enabled() {
		return t.awaitQueued(l)
	}
	var err error
	trace.Around(t.self, func() bool { err = t.awaitQueued(l); return err == nil }, nil)
	return err
}

func (t *task) awaitQueued(l *park.Limit) error {
	if l.Never() {
		if here := waitfor.Here(); here != nil {
			if !here.Wait((*taskWait)(t)) {
				return ErrDeadlock
			}
			defer here.Resume()
		}
	}
	n := wait.New(nil, l)
	defer n.Free()
	if t.pool != nil {
		n.ByThread()
	}
	t.guard.Lock()
	if t.settled() {
		t.guard.Unlock()
		return nil
	}
	t.q.PushBack(n)
	t.guard.Unlock()
	if !wait.Sleep(n, t.leave, l) {
		return l.Err(ErrTimeout)
	}
	return nil
}

// promiseSpin tells whether promises are kept while one spins.
var promiseSpin park.Spinner

func (t *task) leave(n *wait.Node) bool {
	t.guard.Lock()
	defer t.guard.Unlock()
	return t.q.Remove(n)
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// channel returns t.done, which it makes if there is none.
func (t *task) channel() <-chan struct{} {
	if t.settled() {
		return closedChannel
	}
	c := make(chan struct{}) // the guard is no place to allocate
	t.guard.Lock()
	defer t.guard.Unlock()
	switch {
	case t.done != nil:
		return t.done
	case t.settled():
		return closedChannel
	default:
		t.done = c
		return c
	}
}

// A Future is the result of a function that may not have run yet (Python:
// concurrent.futures.Future). It comes from Submit and its kin, or from a
// [Promise]; the zero Future is pending until it is cancelled. It must not be
// copied. All methods may be called from any thread or goroutine.
//
// In the terms of the Go memory model, what was done before Submit synchronizes
// before the function, and the function, or the Cancel, before the return of
// whatever tells of its end: Result and its kin, IsDone and Cancelled that
// report true, a receive from Done, a callback.
type Future[T any] struct {
	task
	fn    func() (T, error)
	value T
}

// call does not return from a Goexit of f's function.
func (f *Future[T]) call() (returned bool) {
	fn := f.fn
	f.fn = nil // what it refers to must not live as long as the result
	if fn == nil {
		return true
	}
	protect.Call(
		func() (err error) { f.value, err = fn(); return err },
		func(err error, ok bool) { f.err, returned = err, ok },
	)
	return returned
}

func (f *Future[T]) drop() { f.fn = nil }

func (f *Future[T]) base() *task { return &f.task }

// Result waits until f is done and returns what its function returned, or a
// zero T and: a *PanicError if the function panicked, ErrGoexit or ErrExit if
// it called runtime.Goexit or thread.Exit, osthread.ErrPthreadExit if C code
// has ended its thread; ErrCancelled if f was cancelled; an error that is
// ErrBroken if the pool broke before; what thread.Start returned if the pool
// was left without a thread.
//
// A task that waits for another of the same pool holds a thread meanwhile: if
// all do there is none left for those that they wait for. Keep such tasks in
// two pools, or let the second be submitted by an OnDone of the first. Result
// returns ErrDeadlock in f's own function, and where the wait could not end: f
// has no thread to run on, or is run by one, that waits, over whatever other
// futures and workers, for the caller.
func (f *Future[T]) Result() (T, error) { return f.result(park.Forever()) }

// TryResult is ResultTimeout(0).
func (f *Future[T]) TryResult() (T, error) { return f.ResultTimeout(0) }

// ResultTimeout is Result for at most d; past that it returns ErrTimeout. d <=
// 0 never sleeps. If the function may return ErrTimeout itself, IsDone tells
// the two apart.
func (f *Future[T]) ResultTimeout(d time.Duration) (T, error) { return f.result(park.For(d)) }

// ResultContext is Result until ctx is done; it then returns ctx's cause. If
// ctx is done already it does not look at f.
func (f *Future[T]) ResultContext(ctx context.Context) (v T, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		return v, err
	}
	return f.result(l)
}

func (f *Future[T]) result(l park.Limit) (v T, err error) {
	if err := f.await(l); err != nil {
		return v, err
	}
	if f.load() == Cancelled {
		return v, ErrCancelled
	}
	return f.value, f.err
}

// Cancel keeps f's function from running if it has not begun, and reports
// whether f is cancelled. The place in the backlog is free at once. What runs
// cannot be stopped: have the function look at a context.
func (f *Future[T]) Cancel() bool { return f.cancel() }

// Cancelled reports whether f is cancelled.
func (f *Future[T]) Cancelled() bool { return f.load() == Cancelled }

// Running reports whether f's function runs. The result may be stale by the
// time it is used.
func (f *Future[T]) Running() bool { return f.load() == Running }

// IsDone reports whether f is finished or cancelled: Result would not wait.
func (f *Future[T]) IsDone() bool { return f.settled() }

// State returns how far f has come. The result may be stale by the time it is
// used.
func (f *Future[T]) State() State { return f.load() }

// Done returns a channel that is closed when f is done, for select; always the
// same one while it is not. A caller that waits for f alone is better served by
// ResultContext, which makes no channel.
func (f *Future[T]) Done() <-chan struct{} { return f.channel() }

// OnDone makes fn be called with f when f is done: on the thread that finishes
// or cancels it, after those given before; or at once, by the caller, if f is
// done already. If f is done because a thread of the pool has ended, by
// runtime.Goexit, thread.Exit or C code or since OnStart failed, that is a
// thread made for it. A nil fn does nothing. A panic of fn goes to osthread's
// panic hook, and neither that nor runtime.Goexit keeps other callbacks from
// being called. A slow fn holds up a thread of the pool. On the pool's threads,
// those made for it included, closing the pool returns ErrDeadlock.
//
// A callback that finishes another future calls that one's callbacks, and so
// on. From some hundred levels on they are called by another goroutine, and
// what finished the future does not wait for them, so a chain may have any
// length.
func (f *Future[T]) OnDone(fn func(*Future[T])) {
	if fn == nil {
		return
	}
	c := &callback{call: func() { fn(f) }}
	if !f.later(c) {
		c.callAll()
	}
}

// String returns f's state.
func (f *Future[T]) String() string { return fmt.Sprintf("Future(%v)", f.State()) }

// A Promise is the other side of a future that no pool of this package serves,
// for executors of another kind. It comes from NewPromise; the zero Promise is
// ready, too. It must not be copied. Its holder must keep it: a future
// whose promise is forgotten is never done.
type Promise[T any] struct {
	f Future[T]
	// kept is set by the one that may write the result. Until that is published
	// the state is running.
	kept atomic.Bool
}

// NewPromise returns a promise with a pending future.
func NewPromise[T any]() *Promise[T] {
	p := new(Promise[T])
	p.f.self = &p.f
	return p
}

// Future returns p's future, always the same.
func (p *Promise[T]) Future() *Future[T] { return &p.f }

// SetRunning makes the future running, so that it cannot be cancelled any more
// (Python: set_running_or_notify_cancel). It returns ErrCancelled if that has
// happened before, and ErrInvalidState if the future is running or finished.
func (p *Promise[T]) SetRunning() error {
	if p.f.swap(Pending, Running) {
		return nil
	}
	return p.wrongState()
}

// SetResult finishes the future, which may be pending or running, with v. It
// returns ErrCancelled if the future was cancelled, ErrInvalidState if it is finished;
// both leave it as it is.
func (p *Promise[T]) SetResult(v T) error { return p.keep(v, nil) }

// SetError is SetResult of an error. A nil error is one of no error, with a
// zero T.
func (p *Promise[T]) SetError(err error) error {
	var zero T
	return p.keep(zero, err)
}

func (p *Promise[T]) keep(v T, err error) error {
	if !p.f.swap(Pending, Running) && p.f.load() != Running || !p.kept.CompareAndSwap(false, true) {
		return p.wrongState()
	}
	p.f.value, p.f.err = v, err
	p.f.settle(Finished, nil)
	return nil
}

// String returns the future's state.
func (p *Promise[T]) String() string { return fmt.Sprintf("Promise(%v)", p.f.State()) }

func (p *Promise[T]) wrongState() error {
	if p.f.Cancelled() {
		return ErrCancelled
	}
	return ErrInvalidState
}
