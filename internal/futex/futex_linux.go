//go:build linux && !portablefutex

package futex

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex(2). FUTEX_WAIT_BITSET because it takes an absolute deadline: a sleep that a signal interrupts goes on with the right rest. Its clock is
// CLOCK_MONOTONIC, which does not jump.

// From linux/futex.h.
const (
	futexWake       = 1
	futexWaitBitset = 9
	futexPrivate    = 128
	matchAny        = 0xffffffff
)

// Now returns CLOCK_MONOTONIC in ns, which deadlines are read on. It is a system call here; Go's own reading through the vDSO has another
// zero.
func Now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(fmt.Errorf("futex: clock_gettime: %w", err)) // the clock is always there
	}
	return ts.Nano()
}

// Wait sleeps on w while it holds old, until a Wake or deadline. The calling thread's P goes to others when sysmon notices.
func Wait(w *uint32, old uint32, deadline int64) Result {
	var ts *Timespec
	if deadline != Never {
		t := MakeTimespec(deadline)
		ts = &t
	}
	_, _, errno := syscall.Syscall6(sysFutex, uintptr(unsafe.Pointer(w)), futexWaitBitset|futexPrivate, uintptr(old), uintptr(unsafe.Pointer(ts)), 0, matchAny)
	runtime.KeepAlive(ts)
	return RawResult(w, errno)
}

// RawWait is Wait without a word to the scheduler, for callers that tell it themselves. ts is nil or a *Timespec. It must not be called otherwise: the
// world cannot stop meanwhile.
//
//go:nosplit
//go:norace
func RawWait(w *uint32, old uint32, ts unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(sysFutex, uintptr(unsafe.Pointer(w)), futexWaitBitset|futexPrivate, uintptr(old), uintptr(ts), 0, matchAny)
	return errno
}

// RawResult tells what RawWait's errno means. It panics for one that only a bug in this library brings: EFAULT, EINVAL for an
// address that is not a multiple of 4.
func RawResult(w *uint32, errno syscall.Errno) Result {
	switch errno {
	case 0:
		return Woken
	case syscall.EINTR: // a signal; the caller looks again
		return Woken
	case syscall.EAGAIN:
		return Changed
	case syscall.ETIMEDOUT:
		return TimedOut
	}
	panic(fmt.Errorf("futex: wait on %p: %w", w, errno))
}

// Wake wakes up to n of those that sleep on w, those first who have slept longest among threads of one priority, and returns how many. It does not
// block, so it keeps its P. An address that is not there any more has no sleepers.
func Wake(w *uint32, n int) int {
	woken, _, errno := syscall.RawSyscall6(sysFutex, uintptr(unsafe.Pointer(w)), futexWake|futexPrivate, uintptr(n), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(woken)
}
