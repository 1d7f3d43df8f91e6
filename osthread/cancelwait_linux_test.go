package osthread

import (
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// A signal is taken by the Sigwait that is canceled or still pending.
func TestCancelEndsSigwait(t *testing.T) {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		t.Skip("no signals to threads")
	}
	sig := syscall.SIGUSR2
	set := thread.Signals(sig)
	for round := range cancels() {
		asked := make(chan struct{})
		th := start(t, func() error {
			_, err := thread.SetSignalMask(thread.BlockSignals, set)
			assert.NoError(t, err)
			_, err = thread.Sigwait(set)
			<-asked
			if err == nil {
				assert.Equal(t, errCause, Canceled())
				return nil
			}
			info, late := thread.TrySigwait(set)
			assert.NoError(t, late, "the signal is pending")
			assert.Equal(t, sig, info.Signal)
			return err
		})
		await(func() bool { return waitsFor(th, "signal") })
		os, err := th.OSThread()
		require.NoError(t, err)
		var g sync.WaitGroup
		g.Go(func() {
			for range round % 5 {
				runtime.Gosched()
			}
			assert.NoError(t, os.Signal(sig))
		})
		g.Go(func() { th.Cancel(errCause) })
		g.Wait()
		close(asked)
		if err := th.Join(); err != nil {
			assert.Equal(t, errCause, err)
		}
	}
}
