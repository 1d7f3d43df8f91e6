package wait

import (
	"sync/atomic"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
)

// A Set is a wait in several queues at once. It has a node in each and one
// place to sleep for all.
//
//	open (0) ----> index+1    Win, by who takes a node out to give it something, or Close
//
// A set that only wants to be told (Told) is woken, but not won: Win says no,
// so what there is goes to the next in the queue, and the waiter looks for
// itself.
type Set struct {
	Told bool

	waiter park.Waiter
	winner atomic.Int32
	nodes  []*Node
}

const closed = -1

// NewSet returns a set with n nodes, in no queue yet.
func NewSet(n int, told bool, l *park.Limit) *Set {
	s := &Set{Told: told, nodes: make([]*Node, n)}
	s.waiter.Bubble = true
	for i := range s.nodes {
		s.nodes[i] = New(nil, l)
		s.nodes[i].set, s.nodes[i].index, s.nodes[i].waiter = s, i, &s.waiter
		s.nodes[i].Since, s.nodes[i].Key = futex.Now(), 1
	}
	return s
}

// ByThread is Node.ByThread for the owner of all nodes.
func (s *Set) ByThread() { s.waiter.Bubble = false }

// Node returns the node for the queue i.
func (s *Set) Node(i int) *Node { return s.nodes[i] }

// Park sleeps until one of the nodes is unparked or l ends the wait.
func (s *Set) Park(l *park.Limit) park.Outcome {
	return s.waiter.ParkAs(park.OnThread(), l)
}

// Close makes sure that nobody wins the set any more and returns the index of
// the node that has, or -1.
func (s *Set) Close() int {
	if s.winner.CompareAndSwap(0, closed) {
		return -1
	}
	return int(s.winner.Load()) - 1
}

// Free gives the nodes back. They must be in no queue, and the wake-up of the
// winner must have come.
func (s *Set) Free() {
	for _, n := range s.nodes {
		n.Free()
	}
}

// OfSet reports whether n is a set's: whoever takes it out gives its owner
// something, or nothing at all.
func (n *Node) OfSet() bool { return n.set != nil }

// Told reports whether n's owner only wants to be told, and is given nothing.
func (n *Node) Told() bool { return n.set != nil && n.set.Told }

// Win reports whether n's owner is to get what the caller, who has the guard,
// has taken n out for. It says no, and the caller keeps it, if the owner
//
//   - has given up: its context was done before, and it is woken with nothing;
//   - has won elsewhere, or will find that its context is done by itself (a
//     set);
//   - only wants to be told that there may be something, and is.
func (n *Node) Win() bool {
	switch {
	case n.set == nil && !n.canceled():
		return true
	case n.set == nil:
		n.Got = GotCanceled
		n.Unpark()
		return false
	case n.set.Told:
		n.waiter.Unpark()
		return false
	default:
		return !n.canceled() && n.set.winner.CompareAndSwap(0, int32(n.index)+1)
	}
}
