// Package futex lets threads sleep on a 32-bit word until another thread wakes
// them: the one primitive that every lock needs from the system.
//
//	waiter                                waker
//	for word.Load() == old {              word.Store(new)
//		futex.Wait(&word, old, deadline)      futex.Wake(&word, 1)
//	}
//
// What a caller may assume, on every system:
//
//   - Comparing and falling asleep is one step for [Wake]: if a waker changes
//     the word first and then calls Wake, either the comparison sees the change
//     or the Wake finds the sleeper. So no wakeup is lost.
//   - [Wait] may return [Woken] spuriously, because of a signal or a wakeup for
//     an earlier owner of the address. Check the word again.
//   - A sleeper that a Wake has counted returns Woken, even after its deadline.
//     So a wakeup is never both consumed and reported as a timeout.
//   - A deadline that has passed still compares the word once: [Changed] wins
//     over [TimedOut].
//   - TimedOut is never early: [Now] has reached the deadline.
//
// What a caller must ensure:
//
//   - The word is not on a goroutine's stack, which moves. The compiler puts a
//     variable whose address goes to Wait on the heap.
//   - The word stays reachable, or mapped, while a thread sleeps on it. A Wake
//     may come later: it uses the address alone, and if the memory has another
//     owner by then, sleepers there see a spurious wakeup.
//   - All access to the word is by sync/atomic. Wait and Wake order nothing by
//     themselves: the store before Wake and the load after Wait are the pair
//     that does, and that the race detector sees.
//
// futex_linux.go, futex_windows.go and, on macOS 14.4 or later with cgo,
// futex_darwin.go ask the kernel, and share their words with C.
// futex_portable.go needs nothing but Go and serves all other systems, and with
// the build tag portablefutex those three as well.
package futex

import (
	"math"
	"time"
)

// A Result is how a Wait ended.
type Result uint8

const (
	Woken    Result = iota // by Wake, or spuriously: check the word again
	Changed                // at once: the word did not hold the value
	TimedOut               // the deadline has passed
)

// Never is the deadline that never passes.
const Never = math.MaxInt64

// After returns the deadline d from now, in ns on the clock of [Now]: for d <=
// 0 one that has passed, and Never if the sum overflows.
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
