// Package leak fails a test binary that leaves threads, goroutines or, on
// Linux, descriptors behind.
package leak

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"

	"example.com/thread/internal/stranded"
)

// timeout bounds the wait for goroutines and threads that are about to end, and
// for a child. It is far above what a loaded machine needs.
const timeout = 3 * time.Minute

// ChildEnv names the test that a child runs.
const ChildEnv = "OSTHREAD_TEST_CHILD"

// ExecEnv holds the command that children are run by, as the flag -exec of go
// test; for an emulator.
const ExecEnv = "OSTHREAD_TEST_EXEC"

// Main runs the tests of m, then waits until count reports nothing left, and
// exits the process, with all stacks on standard error if something is left.
func Main(m *testing.M, count func() string) {
	// The first Notify starts a goroutine that stays. It may hold the first
	// thread, which a child can want.
	if os.Getenv(ChildEnv) == "" {
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		signal.Stop(c)
	}
	before, open := goroutines(), descriptors()
	code := m.Run()
	if code == 0 {
		if left := await(time.Now().Add(timeout), before, open, count); left != "" {
			stacks := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "left behind: %s\n%s\n", left, stacks[:runtime.Stack(stacks, true)])
			code = 1
		}
	}
	os.Exit(code)
}

// await polls, as the end of a goroutine cannot be waited for.
func await(end time.Time, before, open int, count func() string) (left string) {
	for ; ; runtime.Gosched() {
		left = count()
		if n := goroutines(); n > before {
			left += fmt.Sprintf(" %d goroutines, %d at the start", n, before)
		}
		if left == "" {
			// The end of a goroutine may close one.
			if n := descriptors(); n > open {
				left = fmt.Sprintf(" %d descriptors, %d at the start", n, open)
			}
		}
		if left == "" || time.Now().After(end) {
			return left
		}
	}
}

// goroutines returns how many there are without the stranded ones.
func goroutines() int { return runtime.NumGoroutine() - int(stranded.Threads.Load()) }
