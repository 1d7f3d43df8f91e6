package queue

import (
	"context"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/wait"
)

// A batch takes the guard once for as many values as can go in or out at the time, and wakes whom they wake afterwards.

// PutAll puts all of vs, in their order, sleeping whenever the queue is full. Values that others put may come between. It returns how many it has
// put, and ErrShutdown if those are not all.
func (q *Queue[T]) PutAll(vs []T) (int, error) { return q.putAll(vs, futex.Never, nil) }

// TryPutAll is PutAllTimeout(vs, 0).
func (q *Queue[T]) TryPutAll(vs []T) (int, error) { return q.putAll(vs, 0, nil) }

// PutAllTimeout is PutAll for at most d; past that it returns how many it has put and ErrFull. d <= 0 never sleeps.
func (q *Queue[T]) PutAllTimeout(vs []T, d time.Duration) (int, error) {
	return q.putAll(vs, after(d), nil)
}

// PutAllContext is PutAll until ctx is done; it then returns how many it has put and ctx's cause. If ctx is done already it does not try.
func (q *Queue[T]) PutAllContext(ctx context.Context, vs []T) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return q.putAll(vs, futex.Never, ctx)
}

// GetN takes as many values as there are and fit into buf, sleeping while there are none, and returns how many. It returns ErrShutdown when there
// are none and will be none. With an empty buf it returns at once.
func (q *Queue[T]) GetN(buf []T) (int, error) { return q.getN(buf, futex.Never, nil) }

// TryGetN is GetNTimeout(buf, 0).
func (q *Queue[T]) TryGetN(buf []T) (int, error) { return q.getN(buf, 0, nil) }

// GetNTimeout is GetN for at most d; past that it returns ErrEmpty. d <= 0 never sleeps.
func (q *Queue[T]) GetNTimeout(buf []T, d time.Duration) (int, error) {
	return q.getN(buf, after(d), nil)
}

// GetNContext is GetN until ctx is done; it then returns ctx's cause. If ctx is done already it does not look.
func (q *Queue[T]) GetNContext(ctx context.Context, buf []T) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return q.getN(buf, futex.Never, ctx)
}

// Drain takes all values that are in the queue, and lets in what those who wait to put have. TaskDone is to be called for each, as after Get.
func (q *Queue[T]) Drain() []T {
	buf := make([]T, q.Len())
	n, _ := q.getN(buf, 0, nil)
	return buf[:n]
}

func (q *Queue[T]) putAll(vs []T, deadline int64, ctx context.Context) (n int, err error) {
	for n < len(vs) {
		n += q.putSome(vs[n:])
		if n == len(vs) {
			break
		}
		if err := q.put(vs[n], deadline, ctx); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// putSome puts the first of vs for as long as there is room, and cmp does not panic, and returns how many.
func (q *Queue[T]) putSome(vs []T) (n int) {
	var first *wait.Node
	last := &first
	q.getters.LockPatiently()
	for _, v := range vs {
		if q.down {
			break
		}
		g, in, _ := q.accept(v) // a panic comes again when the value is put alone
		if !in {
			break
		}
		n++
		if g != nil {
			*last = g
			last = g.NextLink()
		}
	}
	q.getters.Unlock()
	q.wake(first)
	return n
}

func (q *Queue[T]) getN(buf []T, deadline int64, ctx context.Context) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	if n := q.getSome(buf); n > 0 {
		return n, nil
	}
	v, err := q.get(deadline, ctx)
	if err != nil {
		return 0, err
	}
	buf[0] = v
	return 1 + q.getSome(buf[1:]), nil
}

// getSome takes what is there and fits into buf, as long as cmp does not panic, and returns how many that is.
func (q *Queue[T]) getSome(buf []T) (n int) {
	var first *wait.Node
	last := &first
	q.getters.LockPatiently()
	for n < len(buf) && q.store.n > 0 {
		v, putters, panicked := q.take()
		if panicked != nil { // it comes again when the next is got alone
			break
		}
		buf[n] = v
		n++
		for *last = putters; *last != nil; {
			last = (*last).NextLink()
		}
	}
	q.getters.Unlock()
	q.wake(first)
	return n
}
