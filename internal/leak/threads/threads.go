// Package threads counts what tests of the packages above package thread must
// not leave. It is not part of package leak, which the tests below use, too.
package threads

import (
	"fmt"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/leak"
)

// Main is leak.Main for tests that use threads.
func Main(m *testing.M) { leak.Main(m, Left) }

// Left says which threads of Start live, "" if none does.
func Left() string {
	if n := thread.NumThread(); n != 0 {
		return fmt.Sprintf(" %d threads: %v", n, thread.Threads())
	}
	return ""
}
