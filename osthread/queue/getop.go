package queue

import (
	"example.com/thread/internal/wait"
	"example.com/thread/osthread"
)

// A GetOp is a Get that osthread.WaitAny and osthread.WaitAll can wait for,
// beside other things:
//
//	g := q.GetOp()
//	if osthread.WaitAny(stop, g) == 1 {
//		v, err := g.Result()
//
// Each wait that ends with it, also one that has it twice, adds one to its
// results. Waits and Result are for one caller at a time. It comes from
// Queue.GetOp or Simple.GetOp; a wait for another panics.
type GetOp[T any] struct {
	waitable
	source getSource[T]
	_      noCopy
}

// waitable lets a GetOp have a Waitable's methods and not the name, which
// would be a field that anybody can set.
type waitable = osthread.Waitable

// GetOp returns a GetOp of q.
func (q *Queue[T]) GetOp() *GetOp[T] {
	g := &GetOp[T]{source: getSource[T]{q: q}}
	g.waitable = wait.Waitable(&g.source).(osthread.Waitable)
	return g
}

// Result returns what Get would have, once for each wait that has ended with g,
// in their order: the value, or ErrShutdown, or it panics if cmp did. It
// returns ErrEmpty if there is no result left. A wait that ended otherwise has
// taken nothing from the queue.
func (g *GetOp[T]) Result() (v T, err error) {
	s := &g.source
	if len(s.results) == 0 {
		return v, ErrEmpty
	}
	r := s.results[0]
	s.results[0] = result[T]{} // or the array would keep the value alive
	s.results = s.results[1:]
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.v, r.err
}

// A getting's results are the waiter's own; what is set aside is counted in q.
type getSource[T any] struct {
	q       *Queue[T]
	results []result[T]
}

type result[T any] struct {
	v        T
	err      error
	panicked any
}

func (s *getSource[T]) Queue() *wait.ObjectQueue { return &s.q.getters }

// What putters wait with can be taken too: each take lets one of them in.
func (s *getSource[T]) Ready() bool {
	if s.q.store.n > s.q.aside || s.q.down {
		return true
	}
	s.q.putters.DropCanceled()
	return s.q.store.n+s.q.putters.Len() > s.q.aside
}
func (s *getSource[T]) Take()   { s.q.aside++ }
func (s *getSource[T]) Untake() { s.q.aside-- }

func (s *getSource[T]) Prepare(n *wait.Node) { n.Item = new(cell[T]) }

func (s *getSource[T]) Took(n *wait.Node) {
	var r result[T]
	switch {
	case n != nil:
		if r.v = n.Item.(*cell[T]).v; n.Got == gotNothing {
			r.err = ErrShutdown
		}
	default:
		s.q.aside--
		r = s.take()
	}
	s.results = append(s.results, r)
}

func (s *getSource[T]) take() (r result[T]) {
	if s.q.store.n == 0 {
		r.err = ErrEmpty // cmp has panicked over what the putters had
		if s.q.down {
			r.err = ErrShutdown
		}
		return r
	}
	var putters *wait.Node
	r.v, putters, r.panicked = s.q.take()
	for p := putters; p != nil; { // trace functions are not told: the guard is closed
		next := p.Next()
		p.Unpark()
		p = next
	}
	return r
}
