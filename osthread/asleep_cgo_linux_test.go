//go:build cgo && !android

package osthread

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// awaitSwitchedOut waits until the kernel has the thread asleep, and not for a
// moment: it has counted no switch of it for some milliseconds. A thread that
// says that it waits, still with a share of the scheduler, takes that along.
func awaitSwitchedOut(tid int) {
	asleep := regexp.MustCompile(`\nState:\tS.*(?s:.*)\nvoluntary_ctxt_switches:\t(\d+)\n`)
	var seen string
	for same := 0; same < 10; {
		status, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", tid))
		testutil.Must(err)
		m := asleep.FindSubmatch(status)
		if m != nil && string(m[1]) == seen {
			same++
		} else if same = 0; m != nil {
			seen = string(m[1])
		}
		<-time.After(time.Millisecond)
	}
}

// A thread that C ends in its sleep waits for nothing, and neither does the
// next thread, which has its row.
func TestThreadWaitingOfAThreadEndedInItsSleepIsNothing(t *testing.T) {
	leak.InChild(t, func() {
		const sig = 50 // of real time; Go uses none of those
		assert.NoError(t, ctest.VanishOn(sig))
		var e Event
		th := start(t, func() error { e.Wait(); return nil })
		assert.Same(t, &e, awaitAsleep(th).Object)
		awaitSwitchedOut(th.NativeID())
		assert.NoError(t, unix.Tgkill(os.Getpid(), th.NativeID(), unix.Signal(sig)))
		assert.ErrorIs(t, th.Join(), ErrPthreadExit)
		_, asleep := th.Waiting()
		assert.False(t, asleep, "ended")
		assert.NotContains(t, th.String(), "waited")
		leave := make(chan struct{})
		next := start(t, func() error { <-leave; return nil })
		_, asleep = next.Waiting()
		assert.False(t, asleep, "the next")
		_, asleep = th.Waiting()
		assert.False(t, asleep, "still ended")
		close(leave)
		assert.NoError(t, next.Join())
		exitIfFailed(t)
	})
}
