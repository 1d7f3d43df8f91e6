package wait

import (
	"cmp"
	"slices"
	"unsafe"
)

// A Source is the part of an object that WaitAny and WaitAll use. The guard of
// its queue is held during all calls but that of Queue.
type Source interface {
	Queue() *ObjectQueue
	// Ready reports whether there is something to take for a newcomer, after
	// what Take has set aside.
	Ready() bool
	// Take takes one thing, or sets it aside; Untake undoes that.
	Take()
	Untake()
}

// A Receiver is a Source whose waiter receives a value.
type Receiver interface {
	Source
	// Prepare is called before n goes into the queue.
	Prepare(n *Node)
	// Received ends a wait. It takes what was set aside or, if n is not nil,
	// what the waker has given with it; then the guard is not held.
	Received(n *Node)
}

// Sort sorts sources by the address of their queues, the order in which the
// guards are locked, and keeps one source of each queue.
func Sort(sources []Source) []Source {
	address := func(s Source) uintptr { return uintptr(unsafe.Pointer(s.Queue())) }
	slices.SortFunc(sources, func(a, b Source) int { return cmp.Compare(address(a), address(b)) })
	return slices.CompactFunc(sources, func(a, b Source) bool { return a.Queue() == b.Queue() })
}
