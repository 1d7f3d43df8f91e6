package osthread

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
)

func TestMainThreadIsTheProcesssFirst(t *testing.T) {
	assert.Equal(t, os.Getpid(), Main().NativeID())
}

func TestInterruptMain(t *testing.T) {
	leak.InChild(t, func() {
		assert.ErrorIs(t, InterruptMain(syscall.Signal(0)), syscall.EINVAL)
		assert.ErrorIs(t, InterruptMain(syscall.Signal(65)), syscall.EINVAL)
		for _, reserved := range []syscall.Signal{32, 33, 34, 60} { // their handlers crash on one from elsewhere
			assert.ErrorIs(t, InterruptMain(reserved), syscall.EINVAL)
		}
		got := make(chan os.Signal, 1)
		signal.Notify(got, os.Interrupt)
		assert.NoError(t, InterruptMain(os.Interrupt))
		assert.Equal(t, os.Interrupt, <-got)
		signal.Ignore(syscall.SIGUSR1)
		assert.NoError(t, InterruptMain(syscall.SIGUSR1))
		exitIfFailed(t)
	})
}
