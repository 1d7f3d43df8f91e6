package queue

import "example.com/thread/internal/trace"

// What package timeline asks of this one: how many values are in a queue that a
// thread waits for.

func init() { trace.RegisterGauge(length) }

func length(obj any) (of any, n int, ok bool) {
	if q, ok := obj.(interface{ length() int }); ok {
		return obj, q.length(), true
	}
	return nil, 0, false
}

func (q *Queue[T]) length() int { return q.Len() }
