package queue

import (
	"context"
	"iter"
	"time"
)

// A Simple is a first-in-first-out queue without a bound, a count of tasks, or
// an end. The zero value is empty. It must not be copied after first use.
//
// Put takes no lock for longer than it takes to move a value, or now and then
// to double the room, and calls nothing but trace functions, if there are any:
// so it may be called from anywhere, as from finalizers, callbacks of C, and
// signal.Notify's goroutine.
type Simple[T any] struct{ q Queue[T] }

// Put puts v. It never sleeps.
func (s *Simple[T]) Put(v T) { _ = s.q.Put(v) } // neither full nor shut down, ever

// Get takes the value put first, sleeping while there is none.
func (s *Simple[T]) Get() T {
	v, _ := s.q.Get()
	return v
}

// TryGet is GetTimeout(0).
func (s *Simple[T]) TryGet() (T, error) { return s.q.TryGet() }

// GetTimeout is Get for at most d; past that it returns ErrEmpty. d <= 0 never
// sleeps.
func (s *Simple[T]) GetTimeout(d time.Duration) (T, error) { return s.q.GetTimeout(d) }

// GetContext is Get until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look.
func (s *Simple[T]) GetContext(ctx context.Context) (T, error) { return s.q.GetContext(ctx) }

// All ranges over what Get returns, for ever.
func (s *Simple[T]) All() iter.Seq[T] { return s.q.All() }

// Len returns how many values are in the queue. By the time the caller looks at
// the result it may be otherwise, as with Empty.
func (s *Simple[T]) Len() int { return s.q.Len() }

// Empty reports whether Len is 0.
func (s *Simple[T]) Empty() bool { return s.q.Empty() }

// GetOp is Queue.GetOp.
func (s *Simple[T]) GetOp() *GetOp[T] { return s.q.GetOp() }
