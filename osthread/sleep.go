package osthread

import (
	"context"

	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// sleep waits, with n in a queue, until somebody takes n out and wakes its owner, and reports true; or until deadline or ctx, which may be nil, ends
// it, and reports false. leave takes n out of the queue and reports whether it stood there: if it did not, somebody has given n's owner
// something, and that counts, whatever the clock says. obj is what trace functions are told.
func sleep(n *wait.Node, leave func(*wait.Node) bool, deadline int64, ctx context.Context, obj any) bool {
	if hooked.Load() != 0 {
		defer blocked(obj)()
	}
	if n.Park(deadline, ctx) != park.Unparked {
		if leave(n) {
			return false
		}
		n.Await()
	}
	return true
}

// wakeAll wakes the owners of first and those behind it, which are in no queue.
func wakeAll(first *wait.Node, got int) {
	for n := first; n != nil; {
		next := n.Next()
		n.Got = got
		n.Unpark()
		n = next
	}
}
