//go:build linux && !portablefutex

package futex

import (
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex(2). The kernel compares the word and queues the waiter under the lock
// of the word's hash bucket, and FUTEX_WAKE takes that lock after the waker's
// store: either the comparison sees the store, or the waiter is in the queue.
// The waker removes the waiter from the queue, and the result of the wait
// depends on that removal, not on the clock.
//
// FUTEX_WAIT_BITSET takes an absolute deadline, so a wait that a signal
// interrupts can be resumed and still ends at the original deadline. Its clock
// is CLOCK_MONOTONIC, which does not jump.
//
// A seccomp(2) filter may allow only FUTEX_WAIT, which Go's runtime uses, and
// refuse FUTEX_WAIT_BITSET or clock_gettime. Then this package uses FUTEX_WAIT
// too, with the time left until the deadline. Without any futex Go itself does
// not run.
//
// futex_linux_64.go and futex_linux_32.go contain what depends on the size of a
// machine word: the type Timespec and the calls themselves, as wait, RawWait
// and wake.

// From linux/futex.h.
const (
	futexWait       = 0
	futexWake       = 1
	futexWaitBitset = 9
	futexPrivate    = 128
	matchAny        = 0xffffffff

	waitUntil = futexWaitBitset | futexPrivate
	waitFor   = futexWait | futexPrivate
	wakeOp    = futexWake | futexPrivate
)

var (
	start  = time.Now()
	offset = measureOffset()
)

// relative is 1 once the kernel has refused waitUntil or its clock. It is not
// an atomic.Uint32, because the methods of that type may check the stack bound,
// which RawWait must not.
var relative uint32

// refused reports whether errno means that the call is not available. Seccomp
// filters older than the call return EPERM for it; no futex call used here
// returns EPERM otherwise.
//
//go:nosplit
func refused(errno syscall.Errno) bool { return errno == syscall.ENOSYS || errno == syscall.EPERM }

// waitOp returns the operation that ts is for, or if ts is nil the one that the
// kernel supports.
//
//go:nosplit
//go:norace
func waitOp(ts *Timespec) uintptr {
	if ts != nil {
		return ts.op
	}
	if atomic.LoadUint32(&relative) != 0 {
		return waitFor
	}
	return waitUntil
}

// fallBack turns a refusal of waitUntil into a spurious wakeup: the next wait
// does not use waitUntil.
//
//go:nosplit
//go:norace
func fallBack(op uintptr, errno syscall.Errno) syscall.Errno {
	if op != waitUntil || !refused(errno) {
		return errno
	}
	atomic.StoreUint32(&relative, 1)
	return syscall.EINTR
}

// measureOffset returns CLOCK_MONOTONIC at start, or slightly more: the error
// is the time between the two readings, minimized over several attempts. If a
// filter refuses the reading, the clock starts at zero.
func measureOffset() int64 {
	least := int64(math.MaxInt64)
	for range 10 {
		since := int64(time.Since(start))
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			relative = 1
			return 0
		}
		least = min(least, ts.Nano()-since)
	}
	return least
}

// Now returns CLOCK_MONOTONIC in ns, or the same clock with another zero where
// reading it is refused. It is the clock of all deadlines. Go's own monotonic
// time is that clock with another zero, and Go reads it through the vDSO in a
// tenth of the time of the system call. Now may be ahead of the kernel's
// reading, by less than 1 us, but is never behind it: a deadline that has
// passed for the kernel has also passed by Now.
func Now() int64 { return offset + int64(time.Since(start)) }

// MakeTimespec returns deadline in the kernel's form. The kernel refuses times
// before 0, so these become 0, which has passed as well.
func MakeTimespec(deadline int64) Timespec {
	op := waitOp(nil)
	if op == waitFor && deadline > 0 {
		deadline -= Now() // which is at least 0
	}
	deadline = max(deadline, 0)
	return Timespec{sec: deadline / 1e9, nsec: deadline % 1e9, op: op}
}

// Wait sleeps on w while it holds old, until a [Wake] or deadline. It blocks
// the calling thread; sysmon retakes the thread's P for other goroutines after
// 20 us to 10 ms. It panics as [RawResult] does if w is not a valid futex
// address.
func Wait(w *uint32, old uint32, deadline int64) Result {
	if deadline == Never {
		return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, nil))
	}
	ts := MakeTimespec(deadline)
	return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, &ts))
}

// RawResult returns the Result for an errno of [RawWait]. It panics with an
// error that names the address and wraps errno if only a bug in this library
// can cause errno (EFAULT for an unmapped address, EINVAL for an address that
// is not a multiple of 4), or if the kernel refuses every way to wait (ENOSYS,
// EPERM).
func RawResult(w *uint32, errno syscall.Errno) Result {
	switch errno {
	case 0:
		return Woken
	case syscall.EINTR: // a signal: a spurious wakeup
		return Woken
	case syscall.EAGAIN:
		return Changed
	case syscall.ETIMEDOUT:
		return TimedOut
	}
	panic(fmt.Errorf("futex: wait on %p: %w", w, errno))
}

// Wake wakes up to n waiters of w, all of them if n is math.MaxInt32, and
// returns how many it woke. Threads of equal priority wake in FIFO order. With
// n <= 0 it does nothing. An address that is no longer mapped has no waiters.
// Wake panics with an error that wraps ENOSYS or EPERM if the kernel refuses
// the call, because a waiter would then sleep forever.
func Wake(w *uint32, n int) int {
	if n <= 0 {
		return 0 // the kernel treats n <= 0 as 1
	}
	woken, errno := wake(w, uintptr(min(n, math.MaxInt32)))
	if refused(errno) {
		panic(fmt.Errorf("futex: wake on %p: %w", w, errno))
	}
	if errno != 0 {
		return 0
	}
	return int(woken)
}
