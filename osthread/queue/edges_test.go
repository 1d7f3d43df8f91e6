package queue

import (
	"cmp"
	"context"
	"testing"
	"time"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// Each sentence "X synchronizes before Y" of this package's documentation, with
// all shapes of what waits, for each order and for the queue with open ends.
func TestSynchronizesBefore(t *testing.T) {
	start := func(body func() error) (testutil.Thread, error) { return osthread.Go(body) }
	testutil.CheckEdges(t, start, valueEdges())
	testutil.CheckEdges(t, start, simpleEdges())
	testutil.CheckEdges(t, start, doneEdges())
}

var orders = map[string]func() *Queue[int]{
	"FIFO":       func() *Queue[int] { return New[int](1) },
	"unbounded":  func() *Queue[int] { return New[int](0) },
	"open ends":  func() *Queue[int] { return New[int](64) },
	"LIFO":       func() *Queue[int] { return NewLIFO[int](1) },
	"priorities": func() *Queue[int] { return NewPriority(1, cmp.Compare[int]) },
}

var gets = map[string]func(q *Queue[int]){
	"Get":        func(q *Queue[int]) { got(q.Get()) },
	"GetTimeout": func(q *Queue[int]) { got(q.GetTimeout(time.Hour)) },
	"GetContext": func(q *Queue[int]) { got(q.GetContext(context.Background())) },
	"GetN":       func(q *Queue[int]) { got(q.GetN(make([]int, 2))) },
	"TryGet":     func(q *Queue[int]) { testutil.Await(func() bool { _, err := q.TryGet(); return err == nil }) },
	"Drain":      func(q *Queue[int]) { testutil.Await(func() bool { return len(q.Drain()) == 1 }) },
	"GetOp":      func(q *Queue[int]) { op := q.GetOp(); osthread.WaitAny(op); got(op.Result()) },
	"All": func(q *Queue[int]) {
		for range q.All() {
			return
		}
	},
}

func got(_ int, err error) { testutil.Must(err) }

func valueEdges() (edges []testutil.Edge) {
	for order, make := range orders {
		for how, get := range gets {
			edges = append(edges, testutil.Edge{Name: order + ", Put, " + how, Make: func(func()) (_, _ func()) {
				q := make()
				return func() { testutil.Must(q.Put(1)) }, func() { get(q) }
			}})
		}
		edges = append(edges, testutil.Edge{Name: order + ", PutAll, Get", Make: func(func()) (_, _ func()) {
			q := make()
			return func() { got(q.PutAll([]int{1})) }, func() { got(q.Get()) }
		}})
	}
	return append(edges, testutil.Edge{Name: "a Put that waits, Get", Make: func(func()) (_, _ func()) {
		q := NewLIFO[int](1)
		testutil.Must(q.Put(1))
		return func() { testutil.Must(q.Put(2)) }, func() {
			for v := 0; v != 2; { // the last value may overtake the first
				var err error
				v, err = q.Get()
				testutil.Must(err)
			}
		}
	}})
}

func simpleEdges() (edges []testutil.Edge) {
	for how, get := range map[string]func(q *Simple[int]){
		"Get":        func(q *Simple[int]) { q.Get() },
		"GetTimeout": func(q *Simple[int]) { got(q.GetTimeout(time.Hour)) },
		"GetContext": func(q *Simple[int]) { got(q.GetContext(context.Background())) },
		"GetOp":      func(q *Simple[int]) { op := q.GetOp(); osthread.WaitAny(op); got(op.Result()) },
	} {
		edges = append(edges, testutil.Edge{Name: "Simple Put, " + how, Make: func(func()) (_, _ func()) {
			q := new(Simple[int])
			return func() { q.Put(1) }, func() { get(q) }
		}})
	}
	return edges
}

func doneEdges() (edges []testutil.Edge) {
	for how, join := range map[string]func(q *Queue[int]){
		"Join":        (*Queue[int]).Join,
		"TryJoin":     func(q *Queue[int]) { testutil.Await(q.TryJoin) },
		"JoinTimeout": func(q *Queue[int]) { testutil.Await(func() bool { return q.JoinTimeout(time.Hour) }) },
		"JoinContext": func(q *Queue[int]) { testutil.Must(q.JoinContext(context.Background())) },
	} {
		for order, make := range orders {
			edges = append(edges, testutil.Edge{Name: order + ", TaskDone, " + how, Make: func(func()) (_, _ func()) {
				q := make()
				testutil.Must(q.Put(1))
				return func() { got(q.Get()); q.TaskDone() }, func() { join(q) }
			}})
		}
	}
	return edges
}
