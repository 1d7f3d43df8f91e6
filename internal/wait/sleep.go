package wait

import (
	"example.com/thread/internal/park"
	"example.com/thread/internal/watch"
)

// HoldExit makes osthread.Shutdown wait for thread, an *osthread.Thread, until
// release is called, once, even if the thread has ended by then. Package
// osthread sets it.
var HoldExit func(thread any) (release func())

// Sleep parks the owner of n, which is in a queue and was made with l, and
// reports whether it was served; see [Node.Served].
func Sleep(n *Node, leave func(*Node) bool, l *park.Limit) bool {
	return n.Served(n.ParkAs(n.onThread, l), leave)
}

// UnlockAndSleep is Sleep for an owner that has put n into a queue and still
// holds its guard g.
func UnlockAndSleep(g *Guard, n *Node, leave func(*Node) bool, l *park.Limit) bool {
	g.Unlock()
	return Sleep(n, leave, l)
}

// CanParkUnder reports whether n's owner may sleep by ParkUnder: an ordinary
// goroutine that only a wakeup of n ends. In watch mode none may: its wait is
// recorded first, which is too long for a guard. Otherwise the owner calls
// UnlockAndSleep.
func (n *Node) CanParkUnder(l *park.Limit) bool {
	return park.CanParkUnder && !n.onThread && !watch.On && l.Never() && !park.InBubble()
}

// ParkUnder parks the owner of n, which is in the queue whose guard g it holds,
// until n is unparked, and unlocks g. A waker has served it then.
//
// It is called and inlined where the wait is: each frame between a switch of
// goroutines and the caller costs a return that the processor mispredicts.
func (n *Node) ParkUnder(g *Guard) {
	n.under = true
	n.Waiter.ParkUnder(&g.word)
}

// Served ends a wait after n's owner has parked, with the outcome o, and
// reports whether a waker has served it. leave takes n out of its queue and
// reports whether it was there: if it was not, a waker has taken it out, and
// that counts even after the limit has ended.
func (n *Node) Served(o park.Outcome, leave func(*Node) bool) bool {
	if o != park.Unparked {
		if leave(n) {
			return false
		}
		n.Await()
	}
	return n.Got != GotCanceled
}

// WakeAll wakes the owners of the chain that begins with first, and each has
// got the same.
func WakeAll(first *Node, got int) {
	for n := first; n != nil; {
		next := n.Next() // n is its owner's again after the Unpark
		n.Got = got
		n.Unpark()
		n = next
	}
}

// Wake wakes the owners of the chain that begins with first.
func Wake(first *Node) {
	for n := first; n != nil; {
		next := n.Next()
		n.Unpark()
		n = next
	}
}
