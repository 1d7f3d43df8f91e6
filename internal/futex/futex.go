// Package futex lets threads wait on a 32-bit word until another thread wakes
// them, the one primitive that every lock needs from the system.
//
//	waiter                                waker
//	for word.Load() == old {              word.Store(new)
//		futex.Wait(&word, old, deadline)      futex.Wake(&word, 1)
//	}
//
// Guarantees, on every system:
//
//   - Comparing the word and going to sleep are atomic with respect to [Wake]:
//     if a waker changes the word and then calls Wake, either the comparison
//     sees the change or Wake finds the waiter. So no wakeup is lost.
//   - [Wait] may return [Woken] spuriously, because of a signal or of a wakeup
//     meant for an earlier user of the address. The caller must check the word
//     again.
//   - A waiter that a Wake has counted returns Woken, even if its deadline has
//     passed by then. So no wakeup is both consumed and reported as a timeout.
//   - Wait compares the word once even if the deadline has already passed:
//     [Changed] takes precedence over [TimedOut].
//   - TimedOut is never early: [Now] has reached the deadline.
//
// Obligations of the caller:
//
//   - The word must not be on a goroutine's stack, which moves. A variable
//     whose address is passed to Wait escapes to the heap.
//   - The word must stay reachable, or mapped, while a thread waits on it. A
//     Wake may come later: it uses only the address, and if the memory has been
//     reused by then, its new waiters see a spurious wakeup.
//   - All accesses to the word must use sync/atomic. Wait and Wake do not order
//     memory themselves: the store before Wake and the load after Wait do, and
//     the race detector sees that pair.
//
// futex_linux.go, futex_windows.go and, on macOS 14.4 or later with cgo,
// futex_darwin.go use the kernel, and C code can wait on the same words.
// futex_portable.go is plain Go and serves all other systems; with the build
// tag portablefutex it also serves those three.
package futex

import (
	"math"
	"time"
)

// A Result is how a Wait ended.
type Result uint8

const (
	Woken    Result = iota // by Wake, or spuriously: check the word again
	Changed                // returned at once: the word did not hold the value
	TimedOut               // the deadline has passed
)

// Never is the deadline of a wait without a timeout.
const Never = math.MaxInt64

// After returns the deadline d from now, in ns on the clock of [Now]. If d <= 0
// the deadline has already passed. If the sum overflows, After returns Never.
func After(d time.Duration) int64 {
	now := Now()
	if d <= 0 {
		return now
	}
	if now > 0 && int64(d) > Never-now {
		return Never
	}
	return now + int64(d)
}
