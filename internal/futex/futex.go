// Package futex lets threads sleep on a 32-bit word until another wakes them: the one thing that every lock asks of the system.
//
//   - [Wait] sleeps while the word holds a value. Comparing and falling asleep is one step in the eyes of [Wake]: a waker that
//     changes the word first and then calls Wake is seen by the comparison or finds the sleeper.
//   - Wait may return [Woken] for no reason: a signal, a wake-up that was meant for an earlier owner of the address. Look at the word
//     again.
//   - A sleeper that a Wake has counted reports Woken, whatever the clock says by then: so a wake-up and a time-out are never both
//     reported for one sleep, and a wake-up is never lost to a sleeper that was out of time.
//   - A deadline that has passed still compares the word once: [Changed] wins over [TimedOut].
//   - The word must not lie on a goroutine's stack, which moves, and must stay reachable while anyone sleeps. Wake may come after the
//     word's memory was given to somebody else; all that happens is a return for no reason.
//
// futex_linux.go and futex_windows.go ask the kernel, and share their words with C. futex_portable.go needs nothing but Go and serves all
// other systems, and, with the build tag portablefutex, the tests. Words are to be accessed by sync/atomic; Wait and Wake order nothing by
// themselves.
package futex

import (
	"math"
	"time"
)

// A Result is how a Wait ended.
type Result uint8

const (
	Woken    Result = iota // by Wake, or for no reason
	Changed                // at once: the word did not hold the value
	TimedOut               // the deadline has passed
)

// Never is the deadline that does not come.
const Never = math.MaxInt64

// After returns the deadline at d from now, in ns on the clock of Now; with d <= 0 one that has passed, and Never for a d
// that leads past the end of time.
func After(d time.Duration) int64 {
	now := Now()
	if d <= 0 {
		return now
	}
	if int64(d) > Never-now {
		return Never
	}
	return now + int64(d)
}
