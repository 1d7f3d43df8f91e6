package wait

import "example.com/thread/internal/park"

// HoldExit makes osthread.Shutdown wait for thread, an *osthread.Thread, until
// release is called, once, even if thread is gone by then. Package osthread
// sets it.
var HoldExit func(thread any) (release func())

// Sleep waits, with n in a queue, until somebody takes n out and wakes its
// owner, and reports true; or until l, which n was made with, ends the wait,
// and reports false. leave takes n out of the queue and reports whether it
// stood there: if it did not, somebody has given n's owner something, and that
// counts, whatever the clock says.
func Sleep(n *Node, leave func(*Node) bool, l *park.Limit) bool {
	if n.Park(l) != park.Unparked {
		if leave(n) {
			return false
		}
		n.Await()
	}
	return n.Got != GotCanceled
}

// WakeAll wakes the owners of first and those behind it, which are in no queue,
// and all get the same.
func WakeAll(first *Node, got int) {
	for n := first; n != nil; n = n.Next() {
		n.Got = got
	}
	Wake(first)
}

// Wake wakes them, each with what its node says that it has got.
func Wake(first *Node) {
	for n := first; n != nil; {
		next := n.Next() // n is its owner's again after the Unpark
		n.Unpark()
		n = next
	}
}
