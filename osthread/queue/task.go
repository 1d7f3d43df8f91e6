package queue

import (
	"context"
	"slices"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// TaskDone says that the work on one value from the queue is finished. It
// panics with an error that is ErrTooManyDone, and counts nothing, if it was
// said of all values that were put.
func (q *Queue[T]) TaskDone() {
	q.getters.LockBackoff()
	if q.unfinished == 0 {
		q.getters.Unlock()
		panic(misuse("TaskDone", ErrTooManyDone))
	}
	first := q.finish(1)
	q.getters.Unlock()
	q.wake(first)
}

// finish counts n values as done and takes out who joins if those were all. The
// caller has the guard.
func (q *Queue[T]) finish(n int) (joiners *wait.Node) {
	q.unfinished -= n
	if q.unfinished > 0 {
		return nil
	}
	return q.joiners.TakeAll()
}

// Unfinished returns how many values were put and not told done. By the time
// the caller looks at the result it may be otherwise.
func (q *Queue[T]) Unfinished() int {
	q.getters.Lock()
	defer q.getters.Unlock()
	return q.unfinished
}

// Join sleeps until TaskDone has been called for every value that was put.
// Values that are put meanwhile count.
func (q *Queue[T]) Join() { q.join(park.Forever()) }

// TryJoin is JoinTimeout(0).
func (q *Queue[T]) TryJoin() bool { return q.join(park.For(0)) }

// JoinTimeout is Join for at most d and reports whether all is done. d <= 0
// never sleeps.
func (q *Queue[T]) JoinTimeout(d time.Duration) bool { return q.join(park.For(d)) }

// JoinContext is Join until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look.
func (q *Queue[T]) JoinContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !q.join(l) {
		return l.Err(nil)
	}
	return nil
}

func (q *Queue[T]) join(l park.Limit) bool {
	if trace.Enabled() && q.Unfinished() > 0 {
		return trace.Around(q, func() bool { return q.joinQueued(&l) }, nil)
	}
	return q.joinQueued(&l)
}

func (q *Queue[T]) joinQueued(l *park.Limit) bool {
	n := wait.New(nil, l)
	defer n.Free()
	q.getters.Lock()
	if q.unfinished == 0 || l.Expired() {
		done := q.unfinished == 0 && !l.Canceled()
		q.getters.Unlock()
		return done
	}
	q.joiners.PushBack(n)
	q.getters.Unlock()
	return wait.Sleep(n, func(n *wait.Node) bool { return q.leave(&q.joiners, n) }, l)
}

// Shutdown shuts the queue down: Put returns ErrShutdown from now on, and Get
// does once the queue is empty. Whoever sleeps in Put or Get is woken and
// returns ErrShutdown. There is no way back; to shut down again does nothing.
func (q *Queue[T]) Shutdown() { q.shutdown(false) }

// ShutdownNow is Shutdown that also empties the queue. It returns what was in
// it, in the order in which Get would have, or in none if a priority queue's
// comparison panics, and counts that as done. What is being worked on is not:
// Join waits for its TaskDone.
func (q *Queue[T]) ShutdownNow() []T { return q.shutdown(true) }

// IsShutdown reports whether the queue is shut down.
func (q *Queue[T]) IsShutdown() bool {
	q.getters.Lock()
	defer q.getters.Unlock()
	return q.down
}

func (q *Queue[T]) shutdown(now bool) []T {
	q.getters.Lock()
	q.down = true
	getters, putters := q.getters.TakeAll(), q.putters.TakeAll()
	var dropped store[T]
	var joiners *wait.Node
	if now {
		dropped = q.store
		q.store = store[T]{order: dropped.order, cmp: dropped.cmp}
		joiners = q.finish(min(dropped.n, q.unfinished)) // TaskDone may have come before Get
	}
	q.getters.Unlock()
	wait.WakeAll(getters, gotNothing)
	wait.WakeAll(putters, gotNothing)
	wait.WakeAll(joiners, gotServed)
	if getters != nil || putters != nil || joiners != nil {
		q.released()
	}
	return dropped.all()
}

// all returns the values of s, which is used up, in their order; in no order if
// cmp panics.
func (s *store[T]) all() (vs []T) {
	if s.order != priority {
		for s.n > 0 {
			vs = append(vs, s.pop())
		}
		return vs
	}
	for _, r := range s.sorted() {
		vs = append(vs, r.v)
	}
	return vs
}

func (s *store[T]) sorted() (rs []ranked[T]) {
	defer func() {
		if recover() != nil {
			rs = s.heap
		}
	}()
	return slices.SortedFunc(slices.Values(s.heap), func(a, b ranked[T]) int {
		if s.less(&a, &b) {
			return -1
		}
		return 1
	})
}
