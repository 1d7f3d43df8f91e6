// Package futex lets threads sleep on a 32-bit word until another wakes them:
// the one thing that every lock asks of the system.
//
//	waiter                                waker
//	for word.Load() == old {              word.Store(new)
//		futex.Wait(&word, old, deadline)      futex.Wake(&word, 1)
//	}
//
// What a caller may assume, on every system:
//
//   - Comparing and falling asleep is one step in the eyes of [Wake]: of a
//     waker that changes the word first and then calls Wake, either the change
//     is seen by the comparison, or the Wake finds the sleeper. This is why no
//     wake-up is lost.
//   - [Wait] may return [Woken] for no reason: a signal, a wake-up that was
//     meant for an earlier owner of the address. Look at the word again.
//   - A sleeper that a Wake has counted reports Woken, whatever the clock says
//     by then. So a wake-up is never both used up and reported as a time-out.
//   - A deadline that has passed still compares the word once: [Changed] wins
//     over [TimedOut].
//   - TimedOut is never early: [Now] has reached the deadline.
//
// What a caller must see to:
//
//   - The word does not lie on a goroutine's stack, which moves. A variable
//     whose address goes to Wait is put on the heap by that.
//   - The word stays reachable, or mapped, while anyone sleeps on it. A Wake
//     may come later than that: it takes the address alone, and if the memory
//     has another owner by then, that one's sleepers see a return for no
//     reason.
//   - All access to the word is by sync/atomic. Wait and Wake order nothing by
//     themselves: the store before Wake and the load after Wait are the pair
//     that does, and the pair that the race detector sees.
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
	Woken    Result = iota // by Wake, or for no reason: look at the word again
	Changed                // at once: the word did not hold the value
	TimedOut               // the deadline has passed
)

// Never is the deadline that does not come.
const Never = math.MaxInt64

// After returns the deadline at d from now, in ns on the clock of [Now]: for d
// <= 0 one that has passed, and Never for a d that leads past the end of time.
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
