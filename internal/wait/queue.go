// Package wait is the queue that every blocking primitive of the threading tier
// keeps its waiters in.
//
// A primitive is a state word, for the uncontended paths, and a [Queue]. Who
// has to wait puts a [Node] into the queue, under its guard and after a last
// look at the state, and parks on the node. Who wakes a waiter first takes its
// node out, under the guard, writes down what the waiter has got (Node.Got),
// and unparks it after the guard is open again. From this follow the rules that
// the primitives rest on:
//
//   - No wake-up is sent twice: a node that is out is nobody else's to wake.
//   - No wake-up is lost: the last look at the state and the node's going in
//     are one step to everyone who takes the guard to wake.
//   - How a wait ended is told by the queue, not by the clock: a waiter whose
//     time is up takes the guard and looks. If its node still stands there it
//     takes it out and has timed out. If not, somebody has given it something,
//     and the wake-up is on its way: [Node.Await].
//   - A wait in several queues at once ([Set]) is won by the first who takes
//     one of its nodes out and swaps the winner in; to all others it is as if
//     the node were not there. So no queue gives away anything for a waiter
//     that has got its wish elsewhere.
//   - What comes after a waiter's context was done is not for it: [Node.Win]
//     says no and tells the owner so ([GotCanceled]). Where a node is taken out
//     without Win, or its owner is woken to retry, the owner looks at its
//     context last, and gives back what it got.
//   - A node is used again only by its owner, after the unpark has reached it.
//     The unparker's last touch of it is the swap that lets the owner go, or
//     the address alone (internal/park).
package wait

import (
	"context"
	"sync"
	"sync/atomic"

	"example.com/thread/internal/park"
)

// A Queue holds the nodes of waiters, in the order in which they are to be
// woken. The zero value is empty. All methods need its Guard.
//
// Nodes that are given nothing ([Node.Told]) stand in a list of their own, so
// nobody walks past them. They are woken one at a time, once no other node is
// left to give to: the owner looks at the state, and if it leaves something
// there it wakes the next ([Queue.Tell]). So as long as there is something and
// somebody to be told, one of them is on its way to look.
type Queue struct {
	Guard
	list
	told list
}

// A list is one of nodes, doubly linked.
type list struct {
	head, tail *Node
	n          int
	pushed     uint64 // by PushBack and Move
}

// A Node is a waiter's place in a queue. It comes from [New] and goes back by
// [Node.Free].
type Node struct {
	own        park.Waiter
	waiter     *park.Waiter // own, or that of the set
	set        *Set         // nil: the waiter waits in this queue alone
	index      int          // in set
	onThread   bool
	source     context.Context // of the limit: canceled once it has an Err; nil: nobody but the owner can tell
	next, prev *Node
	in         bool   // the queue that its owner put it into; that one's guard protects it
	place      uint64 // see Before

	Since int64  // when the wait began, by futex.Now
	Key   uint64 // the waiter's own: what it asks for
	Got   int    // written by who takes the node out, in its own terms
	Item  any    // the waiter's own, for who takes the node out: where to put, or what to take
}

var nodes = sync.Pool{New: func() any { return new(Node) }}

// GotCanceled is what a waiter has got whose context was done before there was
// something for it: nothing.
const GotCanceled = -1

// New returns a node for a wait that l bounds. A caller on a thread of its own
// uses spin, if not nil, to look for its wakeup for a while before it sleeps;
// an ordinary goroutine never does, since its sleep costs less than the look.
func New(spin *park.Spinner, l *park.Limit) *Node {
	n := nodes.Get().(*Node)
	n.Renew(spin, l)
	return n
}

// Renew makes n, which is in no queue, its owner kept, and has no wake-up to
// come, as if it came from New.
func (n *Node) Renew(spin *park.Spinner, l *park.Limit) {
	n.waiter, n.source = &n.own, l.Source()
	n.own.Spin, n.own.Bubble = nil, true
	n.onThread = park.OnThread()
	if n.onThread {
		n.own.Spin = spin
	}
	n.Got, n.next = 0, nil
}

// ByThread says that a thread of ours wakes n's owner, and not a goroutine of
// the bubble of testing/synctest, if any, that the owner is in.
func (n *Node) ByThread() { n.waiter.Bubble = false }

// OnThread reports whether n's owner has a thread of its own.
func (n *Node) OnThread() bool { return n.onThread }

// Free gives n, which must be in no queue and have no wake-up to come, back.
func (n *Node) Free() {
	n.set, n.source, n.Item = nil, nil, nil
	nodes.Put(n)
}

// Park sleeps until Unpark or the end of l; see park.Waiter.
func (n *Node) Park(l *park.Limit) park.Outcome { return n.waiter.ParkAs(n.onThread, l) }

// Await waits for the wakeup of a node that somebody has taken out.
func (n *Node) Await() {
	l := park.Forever()
	n.Park(&l)
}

// canceled reports whether the context of n's owner is done.
func (n *Node) canceled() bool { return n.source != nil && n.source.Err() != nil }

// Unpark wakes n's owner, who may use n again at once.
func (n *Node) Unpark() { n.waiter.Unpark() }

// Asleep reports whether n's owner sleeps. For tests.
func (n *Node) Asleep() bool { return n.waiter.Asleep() }

// A Spare keeps one node for the next to come, which costs less than the pool
// where the same few wait again and again. The zero value is empty.
type Spare struct{ node atomic.Pointer[Node] }

// New is New that takes the spare node if there is one.
func (s *Spare) New(spin *park.Spinner, l *park.Limit) *Node {
	if s.node.Load() != nil {
		if n := s.node.Swap(nil); n != nil {
			n.Renew(spin, l)
			return n
		}
	}
	return New(spin, l)
}

// Free is n.Free that keeps n if there is no spare node.
func (s *Spare) Free(n *Node) {
	if s.node.Load() != nil || !s.node.CompareAndSwap(nil, n) {
		n.Free()
	}
}

// Next returns the node behind n.
func (n *Node) Next() *Node { return n.next }

// Head returns the first node that is not to be told, nil if there is none.
func (q *Queue) Head() *Node { return q.head }

// Len returns the number of nodes.
func (q *Queue) Len() int { return q.n + q.told.n }

// HeadTold returns the first node that is to be told, nil if there is none.
func (q *Queue) HeadTold() *Node { return q.told.head }

// Before reports whether n was put into the queue that both have been put into
// last, behind all others, before m was. Going back there does not count.
func (n *Node) Before(m *Node) bool { return n.place < m.place }

// PushBack puts n behind all others.
func (q *Queue) PushBack(n *Node) {
	n.in = true
	q.Move(n)
}

// Move is PushBack of a node that the caller has taken out of another queue. To
// its owner it is out, and stays so.
func (q *Queue) Move(n *Node) {
	q.pushed++
	n.place = q.pushed
	l := q.of(n)
	l.n++
	n.next, n.prev = nil, l.tail
	if l.tail == nil {
		l.head = n
	} else {
		l.tail.next = n
	}
	l.tail = n
}

// PutBack puts n, which is to be told and had been taken out of q last, back
// before those that were put in later.
func (q *Queue) PutBack(n *Node) {
	n.in = true
	later := q.told.head
	for later != nil && later.place < n.place {
		later = later.next
	}
	q.told.pushBefore(n, later)
}

// of returns the list for n.
func (q *Queue) of(n *Node) *list {
	if n.Told() {
		return &q.told
	}
	return &q.list
}

// pushBefore puts n before later, or last for nil.
func (l *list) pushBefore(n, later *Node) {
	l.n++
	n.next, n.prev = later, l.tail
	if later != nil {
		n.prev = later.prev
		later.prev = n
	} else {
		l.tail = n
	}
	if n.prev == nil {
		l.head = n
	} else {
		n.prev.next = n
	}
}

// PushFront puts n before all others.
func (q *Queue) PushFront(n *Node) {
	n.in = true
	q.pushBefore(n, q.head)
}

// Restore puts n, which had been taken out, back before those that came later,
// by Node.Since.
func (q *Queue) Restore(n *Node) {
	n.in = true
	later := q.head
	for later != nil && later.Since <= n.Since {
		later = later.next
	}
	q.pushBefore(n, later)
}

// Pop takes the first node out, to give it what it waits for; nil if there is
// none. Nodes for which Win says no are taken out and passed over. If there is
// nobody to give to, the first that is to be told is.
func (q *Queue) Pop() *Node {
	n := q.pop()
	if n == nil && q.told.head != nil {
		q.Tell()
	}
	return n
}

func (q *Queue) pop() *Node {
	for n := q.head; n != nil; n = q.head {
		q.unlink(n)
		if n.Win() {
			return n
		}
	}
	return nil
}

// Tell takes the first node that is to be told out and wakes its owner. There
// must be one.
func (q *Queue) Tell() {
	n := q.told.head
	q.unlink(n)
	n.Win()
}

// Take takes n, which stands in q, out, whatever Win would say.
func (q *Queue) Take(n *Node) { q.unlink(n) }

// Remove takes n out and reports whether it stood there. q must be the queue
// that n's owner put it into.
func (q *Queue) Remove(n *Node) bool {
	if !n.in {
		return false
	}
	q.unlink(n)
	return true
}

// TellAfter is Tell of the first node that was put in later than n, if there is
// one. It walks past those that were put in before.
func (q *Queue) TellAfter(n *Node) {
	next := q.told.head
	for next != nil && next.place < n.place {
		next = next.next
	}
	if next != nil {
		q.unlink(next)
		next.Win()
	}
}

func (q *Queue) unlink(n *Node) {
	if n.in { // a moved one is out already, and its owner may look under the guard of its first queue
		n.in = false
	}
	l := q.of(n)
	l.n--
	if n.prev == nil {
		l.head = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.tail = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.next, n.prev = nil, nil
}

// DropCanceled takes out, and wakes, the waiters whose context is done.
func (q *Queue) DropCanceled() {
	for n := q.head; n != nil; {
		next := n.next
		if n.set == nil && n.canceled() {
			q.unlink(n)
			n.Win() // says no, and tells the owner
		}
		n = next
	}
}

// AnyCanceled reports whether the context of a waiter is done.
func (q *Queue) AnyCanceled() bool {
	for n := q.head; n != nil; n = n.next {
		if n.canceled() {
			return true
		}
	}
	return false
}

// TakeAll is Pop until there is no node left, also none to be told. Next leads
// from each to the one behind it.
func (q *Queue) TakeAll() *Node {
	first := q.pop()
	for last := first; last != nil; last = last.next {
		last.next = q.pop()
	}
	for q.told.head != nil {
		q.Tell()
	}
	return first
}

// Drain takes all nodes out that may be given something, whatever Win would
// say.
func (q *Queue) Drain() (first *Node) {
	last := &first
	for n := q.head; n != nil; n = q.head {
		q.unlink(n)
		*last, last = n, &n.next
	}
	return first
}

// NextLink returns where Next reads from, to chain nodes that are in no queue.
func (n *Node) NextLink() **Node { return &n.next }
