package executor

import (
	"context"
	"fmt"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/osthread/internal/protect"
)

// A Future is the result of a function that may not have run yet (Python:
// concurrent.futures.Future). It comes from Submit, or from a [Promise]; the
// zero Future is pending until it is cancelled. It must not be copied. All
// methods may be called from any thread or goroutine.
//
// In the terms of the Go memory model, Submit synchronizes before the function,
// and the function, or the Cancel, synchronizes before the return of each call
// that reports the end: Result, IsDone and Cancelled that return true, a
// receive from Done, a callback.
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
// ended its thread; ErrCancelled if f was cancelled; an error that is ErrBroken
// if the pool broke before; what thread.Start returned if the pool was left
// without a thread.
//
// A task that waits for another task of the same pool holds a thread meanwhile.
// If all threads are held so, none is left for the tasks that they wait for.
// Use a second pool for those, or submit them in an OnDone. Result returns
// ErrDeadlock in f's own function, and where the wait could not end: f has no
// thread to run on, or runs on one, that waits for the caller, directly or over
// other futures and workers.
func (f *Future[T]) Result() (T, error) { return f.result(park.Unlimited()) }

// TryResult is ResultTimeout(0).
func (f *Future[T]) TryResult() (T, error) { return f.ResultTimeout(0) }

// ResultTimeout is Result for at most d; past that it returns ErrTimeout. If
// the function may return ErrTimeout itself, IsDone distinguishes the two.
func (f *Future[T]) ResultTimeout(d time.Duration) (T, error) { return f.result(park.For(d)) }

// ResultContext is Result until ctx is done; it then returns ctx's cause.
func (f *Future[T]) ResultContext(ctx context.Context) (v T, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		return v, err
	}
	return f.result(l)
}

func (f *Future[T]) result(l park.Limit) (v T, err error) {
	if err := f.awaitDone(l); err != nil {
		return v, err
	}
	if f.load() == Cancelled {
		return v, ErrCancelled
	}
	return f.value, f.err
}

// awaitDone waits until f is done and returns nil, or why it gave up.
func (f *Future[T]) awaitDone(l park.Limit) error {
	if !f.isDone() {
		if err := f.await(&l, f.spinner(), (*taskWait)(&f.task)); err != nil {
			return err
		}
	}
	if l.Canceled() { // perhaps before f was done
		return l.Err(nil)
	}
	return nil
}

// Cancel prevents f's function from running if it has not begun, and reports
// whether f is cancelled. Its room in the backlog is free at once. A running
// function cannot be stopped: let it check a context.
func (f *Future[T]) Cancel() bool { return f.cancel() }

// Cancelled reports whether f is cancelled.
func (f *Future[T]) Cancelled() bool { return f.load() == Cancelled }

// Running reports whether f's function runs. The result may be stale by the
// time it is used.
func (f *Future[T]) Running() bool { return f.load() == Running }

// IsDone reports whether f is finished or cancelled: Result would not wait.
func (f *Future[T]) IsDone() bool { return f.isDone() }

// State returns how far f has come. The result may be stale by the time it is
// used.
func (f *Future[T]) State() State { return f.load() }

// Done returns a channel that is closed when f is done, for select; until then
// it is always the same one. To wait for f alone use ResultContext, which makes
// no channel.
func (f *Future[T]) Done() <-chan struct{} { return f.channel() }

// OnDone registers fn to be called with f when f is done: on the thread that
// completes or cancels f, after the functions registered before; or at once, by
// the caller, if f is done. If f is done because a thread of the pool has
// ended, by runtime.Goexit, thread.Exit or C code or in OnStart, fn runs on a
// thread made for it. A nil fn does nothing. A panic of fn is reported to
// osthread's panic hook. Neither a panic nor runtime.Goexit keeps other
// callbacks from being called. A slow fn holds up a thread of the pool. On the
// pool's threads, including those made for callbacks, closing the pool returns
// ErrDeadlock.
//
// A callback that completes another future calls the callbacks of that one, and
// so on. From some hundred levels on another goroutine calls them, and the
// completion does not wait for them, so a chain may have any length.
func (f *Future[T]) OnDone(fn func(*Future[T])) {
	if fn == nil {
		return
	}
	c := &callback{call: func() { fn(f) }}
	if !f.addCallback(c) {
		c.callAll()
	}
}

// String returns f's state.
func (f *Future[T]) String() string { return fmt.Sprintf("Future(%v)", f.State()) }
