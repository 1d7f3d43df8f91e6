package queue

import (
	"context"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// TaskDone marks one value from the queue as done. It panics with an error that
// is ErrTooManyDone, and changes nothing, if all values that were put are done.
func (q *Queue[T]) TaskDone() {
	if !q.tryTaskDone() {
		q.taskDone()
	}
	if watch.On {
		watch.Released(q, watch.Tasks, 1)
	}
}

func (q *Queue[T]) taskDone() {
	q.lock()
	if q.undone() == 0 {
		q.mu().Unlock()
		panic(misuse("TaskDone", ErrTooManyDone))
	}
	joiners := q.countDone(1)
	q.mu().Unlock()
	q.wake(joiners)
}

// countDone marks n values as done and returns the joiners to wake. The caller
// holds mu, and the ends are closed.
func (q *Queue[T]) countDone(n int) (joiners *wait.Node) {
	if q.dones.Add(uint64(n) << doneShift); q.undone() > 0 {
		return nil
	}
	return q.joiners.TakeAll()
}

// Unfinished returns the number of values that were put and not marked done.
func (q *Queue[T]) Unfinished() int {
	q.mu().Lock()
	defer q.mu().Unlock()
	return q.undone()
}

// Join sleeps until TaskDone has been called for every value that was put,
// including those that are put meanwhile.
func (q *Queue[T]) Join() { q.join(park.Unlimited().Unwinding()) }

// TryJoin is JoinTimeout(0).
func (q *Queue[T]) TryJoin() bool { return q.join(park.For(0)) }

// JoinTimeout is Join for at most d and reports whether all values are done.
func (q *Queue[T]) JoinTimeout(d time.Duration) bool { return q.join(park.For(d).Unwinding()) }

// JoinContext is Join until ctx is done, then it returns the cause of ctx.
func (q *Queue[T]) JoinContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil || q.join(l) {
		return err
	}
	return l.Err(nil)
}

func (q *Queue[T]) join(l park.Limit) bool {
	done := false
	if trace.Enabled() && q.Unfinished() > 0 {
		done = trace.Around(q, func() bool { return q.joinUntraced(&l) }, nil)
	} else {
		done = q.joinUntraced(&l)
	}
	if !done {
		l.Unwind()
	}
	return done
}

func (q *Queue[T]) joinUntraced(l *park.Limit) bool {
	n := wait.New(nil, l)
	defer n.Free()
	n.For = q
	q.lock()
	if q.undone() == 0 || l.Expired() {
		done := q.undone() == 0 && !l.Canceled()
		q.mu().Unlock()
		return done
	}
	q.joiners.PushBack(n)
	q.mu().Unlock()
	return wait.Sleep(n, q.leaveJoiners, l)
}

// Shutdown shuts the queue down for good: Put returns ErrShutdown from now on,
// and Get once the queue is empty. Waiters in Put and Get are woken and return
// ErrShutdown. A second Shutdown does nothing.
func (q *Queue[T]) Shutdown() { q.shutdown(false) }

// ShutdownNow is Shutdown that also empties the queue and marks its values as
// done. It returns them in the order of Get, or in no order if the comparison
// function of a priority queue panics. Join still waits for the TaskDone of
// values that were taken before.
func (q *Queue[T]) ShutdownNow() []T { return q.shutdown(true) }

// IsShutdown reports whether the queue is shut down.
func (q *Queue[T]) IsShutdown() bool {
	q.mu().Lock()
	defer q.mu().Unlock()
	return q.down
}

func (q *Queue[T]) shutdown(now bool) []T {
	var dropped store[T]
	var joiners *wait.Node
	q.lock()
	q.down = true
	getters, putters := q.getters.TakeAll(), q.putters.TakeAll()
	if now {
		dropped = q.store.split()
		joiners = q.countDone(min(dropped.n, q.undone())) // TaskDone may have come before Get
	}
	q.mu().Unlock()
	q.wake(getters)
	q.wake(putters)
	q.wake(joiners)
	return dropped.all()
}
