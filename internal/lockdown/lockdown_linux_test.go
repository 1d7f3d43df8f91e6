package lockdown

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"
)

// getpriority(2) for it does nothing, and nobody else needs it here.
func TestThreadRefusesOnlyTheMatchingCall(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends so: the filter goes with the thread
		if !assert.NoError(
			t,
			Thread(syscall.EXDEV, Call{unix.SYS_GETPRIORITY, []Arg{{0, 0xff, unix.PRIO_USER}, {1, 1, 1}}}),
		) {
			return
		}
		for _, c := range []struct {
			which, who int
			want       error
		}{
			{unix.PRIO_PROCESS, 0, nil},
			{unix.PRIO_USER, 0, nil},
			{unix.PRIO_USER, 1, syscall.EXDEV},
			{unix.PRIO_USER, 3, syscall.EXDEV},
		} {
			_, err := unix.Getpriority(c.which, c.who)
			if c.want == nil {
				assert.NotErrorIs(t, err, syscall.EXDEV, c)
			} else {
				assert.ErrorIs(t, err, c.want, c)
			}
		}
	}()
	<-done
}
