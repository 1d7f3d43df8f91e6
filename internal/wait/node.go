package wait

import (
	"context"
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/list"
	"example.com/thread/internal/park"
)

// A Node is a waiter's place in a queue. It comes from [New] and is released by
// [Node.Free].
//
// What the waker of an ordinary goroutine needs comes first, in one cache line:
// where many wait, each line of a node is a miss.
type Node struct {
	list.Links[Node] // in a queue, or in a chain of nodes that were taken out

	Got      int // what its owner got, set by the waker in the primitive's terms
	index    int32
	onThread bool
	under    bool // its owner sleeps by ParkUnder; under the guard, then the waker's
	in       bool // in the queue that its owner put it into; under that queue's guard

	park.Waiter // where the owner sleeps, unless it is a set's

	waiter  *park.Waiter    // Waiter, or that of the set
	set     *Set            // nil: the waiter waits in this queue alone; else index is the node's in set
	source  context.Context // of the limit: canceled once it has an Err; nil: only the owner can check it
	place   uint64          // see ObjectQueue.Before
	charged int64           // since when the wait was in no mutex profile; see Charge

	Since int64  // when the wait began, by futex.Now
	Key   uint64 // the waiter's own: what it asks for
	Item  any    // the waiter's own, for the waker: where to put a value, or the value
}

var nodes = sync.Pool{New: func() any { return new(Node) }}

// GotCanceled is the Got of a waiter whose context was done before there was
// something to give it.
const GotCanceled = -1

// New returns a node for a wait that l bounds. A caller on a thread of its own
// spins by spin, if not nil, before it sleeps. An ordinary goroutine never
// spins: for it a sleep costs less than a poll.
func New(spin *park.Spinner, l *park.Limit) *Node { return NewAs(park.OnThread(), spin, l) }

// NewAs is New for a caller that knows whether it has a thread of its own.
func NewAs(thread bool, spin *park.Spinner, l *park.Limit) *Node {
	n := nodes.Get().(*Node)
	n.renew(thread, spin, l)
	return n
}

// Renew makes n as if it came from New. n must be in no queue, be used by its
// owner again, and have no wakeup pending.
func (n *Node) Renew(spin *park.Spinner, l *park.Limit) { n.renew(park.OnThread(), spin, l) }

func (n *Node) renew(thread bool, spin *park.Spinner, l *park.Limit) {
	n.waiter, n.source = &n.Waiter, l.Source()
	n.Spin, n.Bubble = nil, true
	n.onThread = thread
	if thread {
		n.Spin = spin
	}
	n.Got = 0
	*n.NextLink() = nil
}

// ByThread says that a thread of ours will wake n's owner, rather than a
// goroutine of the same testing/synctest bubble, if the owner is in one.
func (n *Node) ByThread() { n.waiter.Bubble = false }

// Parker returns the address of where n's owner sleeps.
func (n *Node) Parker() unsafe.Pointer { return unsafe.Pointer(n.waiter) }

// OnThread reports whether n's owner has a thread of its own.
func (n *Node) OnThread() bool { return n.onThread }

// Free releases n, which must be in no queue and have no wakeup pending.
func (n *Node) Free() {
	n.set, n.source, n.Item, n.For = nil, nil, nil, nil
	nodes.Put(n)
}

// At returns the node whose Waiter is at that address.
func At(waiter unsafe.Pointer) *Node {
	return (*Node)(unsafe.Add(waiter, -int(unsafe.Offsetof(Node{}.Waiter))))
}

// InQueue reports whether n is in the queue that its owner put it into. The
// caller has that queue's guard, and the owner sleeps.
func (n *Node) InQueue() bool { return n.in }

// Await waits for the wakeup of a node that a waker has taken out.
func (n *Node) Await() {
	l := park.Forever()
	n.ParkAs(n.onThread, &l)
}

// canceled reports whether the context of n's owner is done.
func (n *Node) canceled() bool { return n.source != nil && n.source.Err() != nil }

// Unpark wakes n's owner, which may use n again at once.
func (n *Node) Unpark() {
	if n.under {
		n.under = false
		n.Ready()
		return
	}
	n.waiter.Unpark()
}

// A Spare caches one node, which is faster than the pool where the same few
// callers wait repeatedly. The zero value is empty.
type Spare struct{ node atomic.Pointer[Node] }

// New is the function New, but takes the spare node if there is one.
func (s *Spare) New(spin *park.Spinner, l *park.Limit) *Node {
	if s.node.Load() != nil {
		if n := s.node.Swap(nil); n != nil {
			n.Renew(spin, l)
			return n
		}
	}
	return New(spin, l)
}

// Free is n.Free, but keeps n if there is no spare node.
func (s *Spare) Free(n *Node) {
	if s.node.Load() != nil || !s.node.CompareAndSwap(nil, n) {
		n.Free()
	}
}
