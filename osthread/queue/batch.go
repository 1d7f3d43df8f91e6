package queue

import (
	"context"
	"time"

	"example.com/thread/internal/caught"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// A batch takes the guard once for as many values as can go in or out at the
// time, and wakes whom they wake afterwards.

// PutAll puts all of vs, in their order, sleeping whenever the queue is full.
// Values that others put may come between. It returns how many it has put, and
// if those are not all ErrShutdown, or a *osthread.PanicError if the cmp of a
// priority queue panicked over the next one.
func (q *Queue[T]) PutAll(vs []T) (int, error) { return q.putAll(vs, park.Forever()) }

// TryPutAll is PutAllTimeout(vs, 0).
func (q *Queue[T]) TryPutAll(vs []T) (int, error) { return q.putAll(vs, park.For(0)) }

// PutAllTimeout is PutAll for at most d; past that it returns how many it has
// put and ErrFull. d <= 0 never sleeps.
func (q *Queue[T]) PutAllTimeout(vs []T, d time.Duration) (int, error) {
	return q.putAll(vs, park.For(d))
}

// PutAllContext is PutAll until ctx is done; it then returns how many it has
// put and ctx's cause. If ctx is done already it does not try.
func (q *Queue[T]) PutAllContext(ctx context.Context, vs []T) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	return q.putAll(vs, l)
}

// GetN takes as many values as there are and fit into buf, sleeping while there
// are none, and returns how many. It returns ErrShutdown when there are none
// and will be none. With an empty buf it returns at once.
func (q *Queue[T]) GetN(buf []T) (int, error) { return q.getN(buf, park.Forever()) }

// TryGetN is GetNTimeout(buf, 0).
func (q *Queue[T]) TryGetN(buf []T) (int, error) { return q.getN(buf, park.For(0)) }

// GetNTimeout is GetN for at most d; past that it returns ErrEmpty. d <= 0
// never sleeps.
func (q *Queue[T]) GetNTimeout(buf []T, d time.Duration) (int, error) {
	return q.getN(buf, park.For(d))
}

// GetNContext is GetN until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look.
func (q *Queue[T]) GetNContext(ctx context.Context, buf []T) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	return q.getN(buf, l)
}

// Drain takes all values that are in the queue, and lets in what those who wait
// to put have. TaskDone is to be called for each, as after Get.
func (q *Queue[T]) Drain() []T {
	buf := make([]T, q.Len())
	n, _ := q.getN(buf, park.For(0))
	return buf[:n]
}

func (q *Queue[T]) putAll(vs []T, l park.Limit) (n int, err error) {
	for n < len(vs) {
		n += q.putSome(vs[n:])
		if n == len(vs) {
			break
		}
		if err := q.putNext(vs[n], l); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// putNext is put that returns what cmp panics with as an error: a panic would
// lose the number of values that are in.
func (q *Queue[T]) putNext(v T, l park.Limit) (err error) {
	if q.store.order == priority {
		defer func() {
			if v := recover(); v != nil {
				err = caught.Panic(v)
			}
		}()
	}
	return q.put(v, l)
}

// putSome puts the first of vs for as long as there is room, and cmp does not
// panic, and returns how many.
func (q *Queue[T]) putSome(vs []T) (n int) {
	var first *wait.Node
	last := &first
	q.getters.LockBackoff()
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

func (q *Queue[T]) getN(buf []T, l park.Limit) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	if n := q.getSome(buf); n > 0 {
		return n, nil
	}
	v, err := q.get(l)
	if err != nil {
		return 0, err
	}
	buf[0] = v
	return 1 + q.getSome(buf[1:]), nil
}

// getSome takes what is there and fits into buf, as long as cmp does not panic,
// and returns how many that is.
func (q *Queue[T]) getSome(buf []T) (n int) {
	var first *wait.Node
	last := &first
	q.getters.LockBackoff()
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
