package queue

import (
	"example.com/thread/internal/wait"
	"example.com/thread/osthread"
)

// A Getting is a Get that osthread.WaitAny and osthread.WaitAll can wait for, beside other things:
//
//	g := q.Getting()
//	if osthread.WaitAny(stop, g) == 1 {
//		v, err := g.Result()
//
// It may be waited for again once Result has been called, by one caller at a time.
type Getting[T any] struct {
	osthread.Waitable
	source getting[T]
}

// Getting returns a Getting of q.
func (q *Queue[T]) Getting() *Getting[T] {
	g := &Getting[T]{source: getting[T]{q: q}}
	g.Waitable = wait.Waitable(&g.source).(osthread.Waitable)
	return g
}

// Result returns what Get would have: the value, or ErrShutdown. It returns ErrEmpty if no wait has ended with this Getting since the last
// call. A wait that ended otherwise has taken nothing from the queue.
func (g *Getting[T]) Result() (T, error) {
	s := &g.source
	v, err := s.v, ErrEmpty
	if s.done {
		err = s.err
	}
	panicked := s.panicked
	*s = getting[T]{q: s.q}
	if panicked != nil {
		panic(panicked)
	}
	return v, err
}

// A getting's fields but q and cell are the waiter's own; what is set aside is counted in q.
type getting[T any] struct {
	q    *Queue[T]
	cell *cell[T]
	v    T
	err  error
	done bool

	panicked any // what cmp has panicked with
}

func (s *getting[T]) Queue() *wait.Queue { return &s.q.getters }
func (s *getting[T]) Ready() bool        { return s.q.store.n > s.q.aside || s.q.down }
func (s *getting[T]) Take()              { s.q.aside++ }
func (s *getting[T]) Untake()            { s.q.aside-- }

func (s *getting[T]) Prepare(n *wait.Node) {
	s.cell = new(cell[T])
	n.Item = s.cell
}

func (s *getting[T]) Took(n *wait.Node) {
	s.done = true
	switch {
	case n != nil:
		if s.v = s.cell.v; n.Got == gotNothing {
			s.err = ErrShutdown
		}
		s.cell = nil
	case s.q.store.n == 0:
		s.q.aside--
		s.err = ErrShutdown
	default:
		s.q.aside--
		s.take()
	}
}

// take takes the next value. If cmp panics Result does, later: the guard is to stay with the caller.
func (s *getting[T]) take() {
	defer func() {
		if s.panicked = recover(); s.panicked != nil {
			s.q.getters.Lock()
		}
	}()
	var p *wait.Node
	if s.v, p = s.q.take(); p != nil {
		p.Unpark()
	}
}
