//go:build cgo && !android

package osthread

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
)

// A thread that C ends by the system call leaves its M and goroutine behind, so
// the tests run in children.

// startVanishing starts a thread that C ends by the system call once vanish is
// called. Nothing of the thread's runs then.
func startVanishing(t *testing.T) (th *Thread, vanish func()) {
	var exit Event
	th = start(t, func() error {
		exit.Wait()
		_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
		return nil
	})
	return th, exit.Set
}

func TestShutdownDoesNotWaitForAThreadEndedByASystemCall(t *testing.T) {
	leak.InChild(t, func() {
		th, vanish := startVanishing(t)
		vanish()
		left, err := Shutdown(context.Background())
		assert.Empty(t, left)
		assert.NoError(t, err)
		assert.False(t, th.Alive())
		exitIfFailed(t)
	})
}

func TestThreadJoinDropsAThreadEndedByASystemCall(t *testing.T) {
	leak.InChild(t, func() {
		before := NumThread()
		th, vanish := startVanishing(t)
		vanish()
		assert.ErrorIs(t, th.Join(), ErrPthreadExit)
		assert.ErrorIs(t, th.Join(), ErrPthreadExit)
		assert.False(t, th.Alive())
		assert.Equal(t, before, NumThread())
		exitIfFailed(t)
	})
}

// A thread that C ends gives its place in its Group to the next, and is the
// Group's error.
func TestGroupWithAThreadEndedByC(t *testing.T) {
	for name, exit := range map[string]func(){
		"pthread_exit": ctest.PthreadExit,
		"system call":  func() { _, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			leak.InChild(t, func() {
				g := newGroup(t, GroupOptions{Limit: 1})
				goes(t, g, func(context.Context) error { exit(); return nil })
				_, err := g.Go(untilDone) // waits for the place
				assert.ErrorIs(t, err, ErrPthreadExit)
				assert.ErrorIs(t, g.Wait(), ErrPthreadExit)
				assert.Zero(t, g.taken)
				exitIfFailed(t)
			})
		})
	}
}
