package thread

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/lockdown"
)

// The end of its context is a signal that the thread gets. Without one the wait
// would never end.
func TestSigwaitContextReturnsTheRefusalOfTheSignalThatEndsIt(t *testing.T) {
	if err := lockdown.Available(); err != nil {
		t.Skip(err)
	}
	if !osSignals {
		t.Skip("no signals of threads")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends so: the filter goes with the thread
		_, err := Attach()
		if !assert.NoError(t, err) {
			return
		}
		defer func() { assert.NoError(t, Detach()) }()
		_, err = SetSignalMask(BlockSignals, Signals(syscall.SIGUSR1))
		assert.NoError(t, err)
		if !assert.NoError(t, lockdown.Thread(syscall.EPERM, lockdown.Call{Number: unix.SYS_TGKILL})) {
			return
		}
		_, err = SigwaitContext(ctx, Signals(syscall.SIGUSR1))
		assert.True(t, errors.Is(err, syscall.EPERM), err)
	}()
	<-done
	cancel()
}
