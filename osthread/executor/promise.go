package executor

import (
	"fmt"
	"sync/atomic"
)

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
	p.f.complete(Finished, nil)
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
