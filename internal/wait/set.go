package wait

import (
	"sync/atomic"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
)

// A Set is a wait in several queues at once. It has a node in each queue and
// one parker for all.
//
//	open (0) ----> index+1    Win, by a waker that has something to give
//	         \---> closed     Close, by the owner
//
// A notify-only set is woken but never won: Win returns false, the waker gives
// what it has to the next waiter, and the owner checks the state itself.
type Set struct {
	notifyOnly bool

	waiter park.Waiter
	winner atomic.Int32
	nodes  []*Node
}

const closed = -1

// NewSet returns a set with n nodes, in no queue yet.
func NewSet(n int, l *park.Limit) *Set {
	s := &Set{nodes: make([]*Node, n)}
	s.waiter.Bubble = true
	for i := range s.nodes {
		s.nodes[i] = New(nil, l)
		s.nodes[i].set, s.nodes[i].index, s.nodes[i].waiter = s, int32(i), &s.waiter
		s.nodes[i].Since, s.nodes[i].Key = futex.Now(), 1
	}
	return s
}

// NewNotifyOnly returns a notify-only set with one node.
func NewNotifyOnly(l *park.Limit) *Set {
	s := NewSet(1, l)
	s.notifyOnly = true
	return s
}

// ByThread is Node.ByThread for the owner of all nodes.
func (s *Set) ByThread() { s.waiter.Bubble = false }

// Node returns the node for the queue i.
func (s *Set) Node(i int) *Node { return s.nodes[i] }

// For says what the owner waits for.
func (s *Set) For(object any) { s.waiter.For = object }

// Park sleeps until one of the nodes is unparked or l ends the wait.
func (s *Set) Park(l *park.Limit) park.Outcome {
	return s.waiter.ParkAs(park.OnThread(), l)
}

// Close ends the set for wakers, and returns the index of the node that has won
// it, -1 if none has.
func (s *Set) Close() int {
	if s.winner.CompareAndSwap(0, closed) {
		return -1
	}
	return int(s.winner.Load()) - 1
}

// Free releases the nodes. They must be in no queue, and the winner's wakeup
// must have arrived.
func (s *Set) Free() {
	for _, n := range s.nodes {
		n.Free()
	}
}

// OfSet reports whether n is a set's. Its owner is never woken to retry.
func (n *Node) OfSet() bool { return n.set != nil }

// NotifyOnly reports whether n is a notify-only set's.
func (n *Node) NotifyOnly() bool { return n.set != nil && n.set.notifyOnly }

// Win reports whether n's owner gets what the caller, which holds the guard and
// has taken n out, has to give. It returns false, and the caller keeps it, if
// the owner
//
//   - has a context that was done before: it is woken with GotCanceled;
//   - has won elsewhere, or will find that its context is done by itself (a
//     set);
//   - is notify-only: it is woken.
func (n *Node) Win() bool {
	switch {
	case n.set == nil && !n.canceled():
		return true
	case n.set == nil:
		n.Got = GotCanceled
		n.Unpark()
		return false
	case n.set.notifyOnly:
		n.waiter.Unpark()
		return false
	default:
		return !n.canceled() && n.set.winner.CompareAndSwap(0, n.index+1)
	}
}
