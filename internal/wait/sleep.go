package wait

import (
	"sync/atomic"

	"example.com/thread/internal/park"
)

// What package osthread has to tell its trace and profile functions. Hooked
// counts those that are set, so that one load tells the usual case.
var (
	Hooked   atomic.Int32
	Blocked  func(obj any) (resume func()) // the caller is about to sleep on obj, and calls resume when it goes on
	Released func(obj any)                 // the caller has let somebody go who waited for obj
)

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

// Traced calls f, which waits for obj, between the events that tell trace
// functions so, and returns what it returned. Neither event finds the caller in
// a queue. A trace function may end the goroutine, although it must not: if it
// does after f has returned true, undo, if not nil, gives back what f has got.
func Traced(obj any, f func() bool, undo func()) (got bool) {
	resume := Blocked(obj)
	returned := false
	defer func() {
		if got && !returned && undo != nil {
			undo()
		}
	}()
	got = f()
	resume()
	returned = true
	return got
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
