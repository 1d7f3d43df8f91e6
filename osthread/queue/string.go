package queue

import (
	"fmt"
	"runtime"
)

// String returns q's kind and address, how many values are in it and there is
// room for, and how many callers wait. It may be called at any time, even in
// cmp.
func (q *Queue[T]) String() string {
	s := fmt.Sprintf("%v queue(%p, ", q.store.order, q)
	if !q.tryGuard() { // by cmp, which may be the caller
		return s + "in use)"
	}
	n, down := q.store.n, q.down
	getters, putters, joiners := q.getters.Len(), q.putters.Len(), q.joiners.Len()
	q.getters.Unlock()
	s += fmt.Sprint(n)
	if q.max > 0 {
		s += fmt.Sprintf(" of %d", q.max)
	}
	s += " values"
	for _, w := range []struct {
		n  int
		to string
	}{{getters, "get"}, {putters, "put"}, {joiners, "join"}} {
		if w.n > 0 {
			s += fmt.Sprintf(", %d waiting to %s", w.n, w.to)
		}
	}
	if down {
		s += ", shut down"
	}
	return s + ")"
}

// guardLooks bounds how often String looks for the guard, which a cmp that
// prints its own queue has.
const guardLooks = 1000

func (q *Queue[T]) tryGuard() bool {
	for range guardLooks {
		if q.getters.TryLock() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

func (o order) String() string { return [...]string{"FIFO", "LIFO", "priority"}[o] }

// Waiting returns how many callers wait for a value, and how many for room. The
// result may be stale by the time it is used.
func (q *Queue[T]) Waiting() (getters, putters int) {
	q.getters.Lock()
	defer q.getters.Unlock()
	return q.getters.Len(), q.putters.Len()
}

// String returns what the Queue's does.
func (s *Simple[T]) String() string { return s.q.String() }

// Waiting returns how many callers wait for a value. The result may be stale by
// the time it is used.
func (s *Simple[T]) Waiting() int {
	getters, _ := s.q.Waiting()
	return getters
}

// String returns the queue that g gets from.
func (g *GetOp[T]) String() string {
	if g.source.q == nil {
		return "GetOp without a queue"
	}
	return "GetOp from " + g.source.q.String()
}
