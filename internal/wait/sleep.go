package wait

import (
	"context"
	"sync/atomic"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
)

// What package osthread has to tell its trace and profile functions. Hooked counts those that are set, so that one load tells the usual case.
var (
	Hooked   atomic.Int32
	Blocked  func(obj any) (resume func()) // the caller is about to sleep on obj, and calls resume when it goes on
	Released func(obj any)                 // the caller has let somebody go who waited for obj
)

// Sleep waits, with n in a queue, until somebody takes n out and wakes its owner, and reports true; or until deadline or ctx, which may be nil, ends
// it, and reports false. leave takes n out of the queue and reports whether it stood there: if it did not, somebody has given n's owner
// something, and that counts, whatever the clock says. obj is what trace functions are told.
func Sleep(n *Node, leave func(*Node) bool, deadline int64, ctx context.Context, obj any) bool {
	if Hooked.Load() != 0 {
		defer Blocked(obj)()
	}
	if n.Park(deadline, ctx) != park.Unparked {
		if leave(n) {
			return false
		}
		n.Await()
	}
	return true
}

// WakeAll wakes the owners of first and those behind it, which are in no queue, and all get the same.
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

// Over reports whether a wait with this deadline and context, which may be nil, is not to sleep any more.
func Over(deadline int64, ctx context.Context) bool {
	return ctx != nil && ctx.Err() != nil || deadline != futex.Never && deadline <= futex.Now()
}
