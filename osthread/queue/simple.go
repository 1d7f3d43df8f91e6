package queue

import (
	"context"
	"iter"
	"time"
)

// A Simple is an unbounded first-in-first-out queue without a count of tasks
// and without a shutdown. The zero value is empty. It must not be copied after
// first use.
//
// Put locks the queue only to move a value, or occasionally to double the
// buffer, and calls nothing but trace functions. So it may be called from
// anywhere: from finalizers, from callbacks of C, and from the goroutine that
// serves signal.Notify.
type Simple[T any] struct{ q Queue[T] }

// Put puts v. It never sleeps.
func (s *Simple[T]) Put(v T) { _ = s.q.Put(v) } // never full, never shut down

// Get takes the value that was put first, sleeping while the queue is empty.
func (s *Simple[T]) Get() T {
	v, _ := s.q.Get()
	return v
}

// TryGet is GetTimeout(0).
func (s *Simple[T]) TryGet() (T, error) { return s.q.TryGet() }

// GetTimeout is Get for at most d, then it returns ErrEmpty.
func (s *Simple[T]) GetTimeout(d time.Duration) (T, error) { return s.q.GetTimeout(d) }

// GetContext is Get until ctx is done, then it returns the cause of ctx.
func (s *Simple[T]) GetContext(ctx context.Context) (T, error) { return s.q.GetContext(ctx) }

// All ranges over the values that Get returns, for ever.
func (s *Simple[T]) All() iter.Seq[T] { return s.q.All() }

// Len returns the number of values in the queue.
func (s *Simple[T]) Len() int { return s.q.Len() }

// Empty reports whether Len is 0.
func (s *Simple[T]) Empty() bool { return s.q.Empty() }

// GetOp is [Queue.GetOp].
func (s *Simple[T]) GetOp() *GetOp[T] { return s.q.GetOp() }

// Waiting returns how many callers wait for a value.
func (s *Simple[T]) Waiting() int {
	getters, _ := s.q.Waiting()
	return getters
}

// String is [Queue.String].
func (s *Simple[T]) String() string { return s.q.String() }
