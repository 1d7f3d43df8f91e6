package queue

import (
	"fmt"
	"runtime"
)

// String returns q's kind and address, the number of values and the bound, and
// how many callers wait. It may be called at any time, even by cmp.
func (q *Queue[T]) String() string {
	s := fmt.Sprintf("%v queue(%p, ", q.store.order, q)
	if !q.tryLock() {
		return s + "in use)"
	}
	n, down := q.len(), q.down
	getters, putters, joiners := q.getters.Len(), q.putters.Len(), q.joiners.Len()
	q.mu().Unlock()
	s += fmt.Sprint(n)
	if q.max > 0 {
		s += fmt.Sprintf(" of %d", q.max)
	}
	s += " values" + waiting(getters, "get") + waiting(putters, "put") + waiting(joiners, "join")
	if down {
		s += ", shut down"
	}
	return s + ")"
}

func waiting(n int, op string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d waiting to %s", n, op)
}

// tryLock gives up after a bounded number of attempts, since the caller may be
// a cmp that prints its own queue.
func (q *Queue[T]) tryLock() bool {
	for range 1000 {
		if q.mu().TryLock() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

func (o order) String() string { return [...]string{"FIFO", "LIFO", "priority"}[o] }

// Waiting returns how many callers wait for a value, and how many for room.
func (q *Queue[T]) Waiting() (getters, putters int) {
	q.mu().Lock()
	defer q.mu().Unlock()
	return q.getters.Len(), q.putters.Len()
}
