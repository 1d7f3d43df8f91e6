package shared

import (
	"math/bits"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/lockdown"
)

// A segment whose seals cannot be read is not one that lacks them.
func TestAttachSegmentReturnsWhyItCannotReadTheSeals(t *testing.T) {
	if err := lockdown.Available(); err != nil {
		t.Skip(err)
	}
	s, err := CreateSegment(1<<12, 1)
	if err != nil {
		t.Skip(err)
	}
	defer func() { assert.NoError(t, s.Detach()) }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends so: the filter goes with the thread
		seals := lockdown.Arg{Index: 1, Mask: 0xffffffff, Value: unix.F_GET_SEALS}
		call := lockdown.Call{Number: unix.SYS_FCNTL, Args: []lockdown.Arg{seals}}
		if bits.UintSize == 32 {
			call.Number = 221 // fcntl64, on 386 and arm, which package unix calls there
		}
		if !assert.NoError(t, lockdown.Thread(syscall.ENOMEM, call)) {
			return
		}
		assert.ErrorIs(t, checkSealed(s.File()), syscall.ENOMEM)
	}()
	<-done
}
