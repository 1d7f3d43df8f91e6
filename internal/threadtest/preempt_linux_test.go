package threadtest

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread"
)

// The runtime has to stop a loop that calls nothing. By itself Go's cannot if
// the last thread on the same M left a preemption signal untaken
// (osMakePreemptible).
func TestThreadIsPreemptedInALoopWithoutCalls(t *testing.T) {
	run := func(f func()) *thread.Thread {
		th, err := thread.Start(f, nil)
		require.NoError(t, err)
		return th
	}
	var untaken bool
	require.NoError(t, run(func() {
		set := unix.Sigset_t{}
		set.Val[0] = 1 << (unix.SIGURG - 1)
		_ = unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil)
		for n := 0; n < 1_000_000_000 && !untaken; n++ { // at most some 100 s
			pending := unix.Sigset_t{}
			syscall.RawSyscall(unix.SYS_RT_SIGPENDING, uintptr(unsafe.Pointer(&pending)), 8, 0)
			untaken = pending.Val[0]&set.Val[0] != 0
		}
	}).Join())
	require.True(t, untaken)

	var quit atomic.Bool
	const tooLong = 200_000_000_000 // about 100 s
	var n int64
	loop := run(func() {
		for n = 0; n < tooLong && !quit.Load(); n++ {
		}
	})
	runtime.ReadMemStats(new(runtime.MemStats)) // stops the world, and yields to nobody
	quit.Store(true)
	require.NoError(t, loop.Join())
	require.Less(t, n, int64(tooLong))
}
