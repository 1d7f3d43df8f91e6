package park

import (
	"os"
	"strings"

	"example.com/thread/internal/futex"
)

// A bubble of testing/synctest has a clock of its own, which goes on when all
// its goroutines are durably blocked. Deadlines are of that clock in there, as
// futex.Now reads it; and a goroutine that sleeps tells the runtime that it is
// durably blocked (seat.sleep).
//
// The runtime does not tell others who is in a bubble. But its clock begins
// with the year 2000, which is before the start of the process.

// maybeInBubble reports whether there can be bubbles: in a test's program, by
// its name or its flags. Others do not pay for the look at the clock.
var maybeInBubble = isTest(os.Args)

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
func inBubble() bool { return maybeInBubble && futex.Now() < 0 }
