//go:build cgo && !android

package osthread

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
)

// A thread that C ends in its sleep waits for nothing, and neither does the
// next thread, which has its row.
func TestThreadWaitingOfAThreadEndedInItsSleepIsNothing(t *testing.T) {
	leak.InChild(t, func() {
		const sig = 50 // of real time; Go uses none of those
		assert.NoError(t, ctest.VanishOn(sig))
		var e Event
		th := start(t, func() error { e.Wait(); return nil })
		assert.Same(t, &e, awaitAsleep(th).Object)
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
