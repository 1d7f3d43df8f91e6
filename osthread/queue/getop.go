package queue

import (
	"sync"

	"example.com/thread/internal/wait"
)

// A GetOp is a Get that [osthread.WaitAny] and [osthread.WaitAll] can wait for,
// together with other objects:
//
//	g := q.GetOp()
//	if osthread.WaitAny(stop, g) == 1 {
//		v, err := g.Result()
//
// Each wait that ends with g adds one result, even if g was passed twice. One
// caller at a time may wait for a GetOp or call Result. A GetOp comes from
// [Queue.GetOp] or [Simple.GetOp]; waiting for the zero value panics.
type GetOp[T any] struct {
	source getSource[T]
	_      [0]sync.Mutex // not to be copied
}

// GetOp returns a GetOp of q.
func (q *Queue[T]) GetOp() *GetOp[T] { return &GetOp[T]{source: getSource[T]{q: q}} }

// WaitSource makes g an [osthread.Waitable].
func (g *GetOp[T]) WaitSource() wait.Source { return &g.source }

// Result returns what Get would have returned, once for each wait that ended
// with g, in order: the value, or ErrShutdown; or it panics if cmp did. It
// returns ErrEmpty if there are no more results. Waits that ended otherwise
// have taken nothing from the queue.
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

// String returns the queue that g gets from.
func (g *GetOp[T]) String() string {
	if g.source.q == nil {
		return "GetOp without a queue"
	}
	return "GetOp of " + g.source.q.String()
}

// A getSource is a GetOp's side of the wait. Only the waiter accesses results.
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

// Ready counts the values of putters as well: each take stores one of them. So
// what Ready has counted is served, even to a WaitAll that takes other things
// before, and even if a putter's context is done meanwhile: Received does not
// ask again. Ready is called first whenever the guard is held, and closes the
// queue's ends.
func (s *getSource[T]) Ready() bool {
	s.q.shut()
	if s.q.store.n > s.q.reserved || s.q.down {
		return true
	}
	s.q.putters.DropCanceled()
	return s.q.store.n+s.q.putters.Len() > s.q.reserved
}

func (s *getSource[T]) Take()   { s.q.reserved++ }
func (s *getSource[T]) Untake() { s.q.reserved-- }

func (s *getSource[T]) Prepare(n *wait.Node) { n.Item = new(cell[T]) }

func (s *getSource[T]) Received(n *wait.Node) {
	var r result[T]
	if n == nil {
		s.q.reserved--
		r = s.take()
	} else if r.v = n.Item.(*cell[T]).v; n.Got == gotNothing {
		r.err = ErrShutdown
	}
	s.results = append(s.results, r)
}

// Taken notes in watch mode that the caller has got the last result.
func (s *getSource[T]) Taken() {
	if r := s.results[len(s.results)-1]; r.err == nil && r.panicked == nil {
		s.q.took(1)
	}
}

func (s *getSource[T]) take() (r result[T]) {
	switch {
	case s.q.store.n > 0:
		var putters wait.Chain
		if r.v, r.panicked = s.q.store.pop(); r.panicked == nil {
			for p := s.q.putters.Head(); p != nil; p = s.q.putters.Head() {
				s.q.putters.Unlink(p)
				if s.q.storeOf(p, &putters) {
					break
				}
			}
		}
		wait.Wake(putters.Head()) // no trace event: WaitAll holds the guard
	case s.q.down:
		r.err = ErrShutdown
	default:
		r.err = ErrEmpty // cmp panicked over the values of all putters
	}
	return r
}
