package queue

import (
	"context"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
	"example.com/thread/osthread/internal/protect"
)

// A batch locks mu once for all values that can be moved without a wait, and
// wakes their waiters after it has unlocked mu.

// PutAll puts all of vs in order, sleeping whenever the queue is full. Other
// callers' values may come between them. It returns how many values it has put
// and, if that is not all, ErrShutdown or a *[osthread.PanicError] if the
// comparison function of a priority queue panicked over the next one.
func (q *Queue[T]) PutAll(vs []T) (int, error) { return q.putAll(vs, park.Unlimited()) }

// TryPutAll is PutAllTimeout(vs, 0).
func (q *Queue[T]) TryPutAll(vs []T) (int, error) { return q.putAll(vs, park.For(0)) }

// PutAllTimeout is PutAll for at most d, then it returns how many values it has
// put and ErrFull.
func (q *Queue[T]) PutAllTimeout(vs []T, d time.Duration) (int, error) {
	return q.putAll(vs, park.For(d))
}

// PutAllContext is PutAll until ctx is done, then it returns how many values it
// has put and the cause of ctx.
func (q *Queue[T]) PutAllContext(ctx context.Context, vs []T) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	return q.putAll(vs, l)
}

// GetN takes as many values as the queue has, at most len(buf), into buf and
// returns their number. It sleeps while the queue is empty, and returns
// ErrShutdown once the queue is shut down and empty. If buf is empty it returns
// at once.
func (q *Queue[T]) GetN(buf []T) (int, error) { return q.getN(buf, park.Unlimited()) }

// TryGetN is GetNTimeout(buf, 0).
func (q *Queue[T]) TryGetN(buf []T) (int, error) { return q.getN(buf, park.For(0)) }

// GetNTimeout is GetN for at most d, then it returns ErrEmpty.
func (q *Queue[T]) GetNTimeout(buf []T, d time.Duration) (int, error) {
	return q.getN(buf, park.For(d))
}

// GetNContext is GetN until ctx is done, then it returns the cause of ctx.
func (q *Queue[T]) GetNContext(ctx context.Context, buf []T) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	return q.getN(buf, l)
}

// Drain takes all values that are in the queue, without sleeping. The values of
// waiting putters take their place. As after Get, each value needs a TaskDone.
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

// putNext is put, but returns what cmp panics with as an error: a panic would
// lose the number of values that were put.
func (q *Queue[T]) putNext(v T, l park.Limit) (err error) {
	if q.store.order == priority {
		defer func() {
			if v := recover(); v != nil {
				err = protect.Recovered(v)
			}
		}()
	}
	return q.putLimit(v, l)
}

// putSome puts values of vs while there is room and cmp does not panic, and
// returns how many. A panic recurs when the value is put alone.
func (q *Queue[T]) putSome(vs []T) (n int) {
	var woken wait.Chain
	q.lock()
	for ; n < len(vs) && !q.down; n++ {
		getter, stored, _ := q.accept(vs[n])
		if !stored {
			break
		}
		if getter != nil {
			woken.PushBack(getter)
		}
	}
	q.mu().Unlock()
	q.wake(woken.Head())
	return n
}

func (q *Queue[T]) getN(buf []T, l park.Limit) (int, error) {
	if len(buf) == 0 {
		return 0, nil
	}
	if n := q.getSome(buf); n > 0 {
		return n, nil
	}
	v, err := q.getLimit(l)
	if err != nil {
		return 0, err
	}
	buf[0] = v
	return 1 + q.getSome(buf[1:]), nil
}

// getSome takes values into buf while there are any and cmp does not panic, and
// returns how many. A panic recurs when the value is taken alone.
func (q *Queue[T]) getSome(buf []T) (n int) {
	var woken wait.Chain
	q.lock()
	for ; n < len(buf) && q.store.n > 0; n++ {
		v, panicked := q.take(&woken)
		if panicked != nil {
			break
		}
		buf[n] = v
	}
	q.mu().Unlock()
	q.wake(woken.Head())
	q.took(n)
	return n
}
