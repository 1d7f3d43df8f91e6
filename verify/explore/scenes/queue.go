package main

import (
	"context"
	"errors"
	"slices"

	"example.com/thread/osthread/queue"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Queue/" + k.String()
		add(name+"/producer, two consumers", func(t *test) { putGet(t, k, queue.New[int](0), 1, 2) })
		add(name+"/two producers, consumer", func(t *test) { putGet(t, k, queue.New[int](1), 2, 1) })
		add(name+"/get timeout", func(t *test) { getTimeout(t, k) })
		add(name+"/put timeout", func(t *test) { putTimeout(t, k) })
		add(name+"/get context", func(t *test) { getContext(t, k) })
		add(name+"/shutdown", func(t *test) { queueShutdown(t, k) })
		add(name+"/join", func(t *test) { queueJoin(t, k) })
		add(name+"/open ends", func(t *test) { openEnds(t, k) })
		add(name+"/open ends, emptied", func(t *test) { openEndsEmptied(t, k) })
	}
}

func (t *test) queueIsIdle(q *queue.Queue[int]) {
	t.atEnd("empty", q.Empty)
	t.atEnd("without waiters", func() bool {
		getters, putters := q.Waiting()
		return getters == 0 && putters == 0
	})
}

// putGet has some producers and consumers, with two values for each of those
// that there are fewer of.
func putGet(t *test, k kind, q *queue.Queue[int], producers, consumers int) {
	const each = 2
	t.queueIsIdle(q)
	var got []int
	n := max(producers, consumers)
	for i := range producers {
		t.caller(k, "producer "+names[i], func() {
			for j := range n / producers * each {
				must(q.Put(10*i+j) == nil, "Put fails")
			}
		})
	}
	for i := range consumers {
		t.caller(k, "consumer "+names[i], func() {
			last := map[int]int{}
			for range n / consumers * each {
				v, err := q.Get()
				must(err == nil && !slices.Contains(got, v), "Get returns %d again, %v", v, err)
				must(v >= last[v/10], "Get returns %d after %d", v, last[v/10])
				last[v/10] = v
				got = append(got, v)
			}
		})
	}
	t.atEnd("each value taken", func() bool { return len(got) == n*each })
}

// getTimeout has a getter that gives up at any moment, and one behind it.
func getTimeout(t *test, k kind) {
	q := queue.New[int](0)
	got := 0
	a := t.caller(k, "A", func() {
		if _, err := q.GetTimeout(brief); err == nil {
			got++
		} else {
			must(errors.Is(err, queue.ErrEmpty), "GetTimeout returns %v", err)
		}
	})
	t.caller(k, "B", func() {
		until(a.Slept)
		_, err := q.Get()
		must(err == nil, "Get returns %v", err)
		got++
	})
	t.caller(k, "producer", func() { must(q.Put(1) == nil && q.Put(2) == nil, "Put fails") })
	t.atEnd("each value in one place", func() bool { return got+q.Len() == 2 })
}

// putTimeout has a putter that gives up at any moment: its value is in the
// queue or not.
func putTimeout(t *test, k kind) {
	q := queue.New[int](1)
	must(q.Put(0) == nil, "Put fails")
	put, got := 1, 0
	t.caller(k, "A", func() {
		if q.PutTimeout(1, brief) == nil {
			put++
		}
	})
	t.caller(k, "B", func() {
		if q.PutTimeout(2, brief) == nil {
			put++
		}
	})
	t.caller(k, "consumer", func() {
		if _, err := q.Get(); err == nil {
			got++
		}
	})
	t.atEnd("each value put once", func() bool { return put == got+q.Len() })
}

func getContext(t *test, k kind) {
	q := queue.New[int](0)
	ctx := t.cancelable()
	got := 0
	t.caller(k, "A", func() {
		if _, err := q.GetContext(ctx); err == nil {
			got++
		} else {
			must(errors.Is(err, context.Canceled), "GetContext returns %v", err)
		}
	})
	t.caller(k, "producer", func() { must(q.Put(1) == nil, "Put fails") })
	t.atEnd("the value in one place", func() bool { return got+q.Len() == 1 })
}

// queueShutdown has a shutdown that ends all waits, after the values.
func queueShutdown(t *test, k kind) {
	q := queue.New[int](0)
	t.queueIsIdle(q)
	put, got := 0, 0
	for i := range 2 {
		t.caller(k, names[i], func() {
			for {
				if _, err := q.Get(); err != nil {
					must(errors.Is(err, queue.ErrShutdown), "Get returns %v", err)
					return
				}
				got++
			}
		})
	}
	t.caller(k, "producer", func() {
		if q.Put(1) == nil {
			put++
		}
		q.Shutdown()
	})
	t.atEnd("each value taken", func() bool { return put == got })
}

func queueJoin(t *test, k kind) {
	q := queue.New[int](0)
	t.queueIsIdle(q)
	done := 0
	t.caller(k, "producer", func() {
		must(q.Put(1) == nil && q.Put(2) == nil, "Put fails")
		q.Join()
		must(done == 2, "Join returns after %d of 2 tasks", done)
	})
	for i := range 2 {
		t.caller(k, names[i], func() {
			_, err := q.Get()
			must(err == nil, "Get returns %v", err)
			done++
			q.TaskDone()
		})
	}
}

// opened returns a queue with open ends and n values.
func opened(t *test, n int) *queue.Queue[int] {
	const many = 64
	q := queue.New[int](0)
	for i := range many {
		must(q.Put(i-many) == nil, "Put fails")
	}
	for range many - n {
		_, err := q.Get()
		must(err == nil, "Get returns %v", err)
	}
	return q
}

// openEnds has a producer and two consumers that use the ends of a queue, and
// one that closes them.
func openEnds(t *test, k kind) {
	q := opened(t, 40)
	var got []int
	for i := range 2 {
		t.caller(k, names[i], func() {
			v, err := q.Get()
			must(err == nil && !slices.Contains(got, v), "Get returns %d again, %v", v, err)
			got = append(got, v)
		})
	}
	t.caller(k, "producer", func() { must(q.Put(1) == nil, "Put fails") })
	t.caller(k, "closer", func() { _ = q.Len() })
	t.atEnd("all others there", func() bool { return q.Len() == 39 })
}

// openEndsEmptied has two consumers that take the last values at the ends.
func openEndsEmptied(t *test, k kind) {
	q := opened(t, 34)
	var got []int
	for i := range 2 {
		t.caller(k, names[i], func() {
			for range 18 {
				v, err := q.Get()
				must(err == nil && !slices.Contains(got, v), "Get returns %d again, %v", v, err)
				got = append(got, v)
			}
		})
	}
	t.caller(k, "producer", func() {
		must(q.Put(1) == nil && q.Put(2) == nil, "Put fails")
	})
	t.queueIsIdle(q)
}
