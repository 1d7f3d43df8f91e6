package park

import (
	"os"
	"strings"

	"example.com/thread/internal/futex"
)

// A bubble of testing/synctest has a clock of its own, which advances when all
// its goroutines are durably blocked. Deadlines in a bubble are read on that
// clock, by futex.Now, and a goroutine that sleeps reports to the runtime that
// it is durably blocked (slot.sleep).
//
// The runtime does not export whether a goroutine is in a bubble. But a
// bubble's clock begins with the year 2000, before the start of the process.

// MayBeInBubble reports whether there can be bubbles: in a test binary, known
// by its name or flags. Other programs do not pay for reading the clock.
var MayBeInBubble = isTest(os.Args)

func isTest(args []string) bool {
	if len(args) == 0 {
		return false
	}
	if name := strings.TrimSuffix(args[0], ".exe"); strings.HasSuffix(name, ".test") {
		return true
	}
	for _, a := range args[1:] {
		if strings.HasPrefix(strings.TrimLeft(a, "-"), "test.") {
			return true
		}
	}
	return false
}

// inBubble reports whether the calling goroutine is in a bubble.
func inBubble() bool { return MayBeInBubble && futex.Now() < 0 }
