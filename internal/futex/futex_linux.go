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

// futex(2). The kernel compares the word and queues the sleeper under the lock
// of the word's hash bucket, and FUTEX_WAKE takes that lock after the waker's
// store: so the store is seen by the comparison, or the sleeper is in the
// queue. Who is woken is taken out of the queue by the waker, and the result
// says whether that was so, not what the clock says.
//
// FUTEX_WAIT_BITSET because its deadline is absolute: a sleep that a signal
// cuts short is gone on with, and ends when it was to. Its clock is
// CLOCK_MONOTONIC, which does not jump.
//
// A filter (seccomp(2)) may know FUTEX_WAIT alone, which Go's runtime sleeps
// by, and refuse FUTEX_WAIT_BITSET or a look at the clock. Then it is
// FUTEX_WAIT here too, for the time that is left to the deadline. Where no
// futex is to be had Go does not run.
//
// What differs with the size of a machine word is in futex_linux_64.go and
// futex_linux_32.go: the type Timespec, and the calls themselves as wait,
// RawWait and wake.

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

// relative is 1 once the kernel has refused waitUntil, or the clock that it
// goes by. Not an atomic.Uint32, whose methods may look at the stack's bounds,
// which RawWait must not.
var relative uint32

// refused reports whether errno says that there is no such call. EPERM is how
// filters for seccomp say it that are older than the call; no futex call here
// returns it on its own.
//
//go:nosplit
func refused(errno syscall.Errno) bool { return errno == syscall.ENOSYS || errno == syscall.EPERM }

// waitOp returns the operation that takes ts, or without one that which the
// kernel takes.
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

// fallBack makes the refusal of waitUntil a return for no reason: the next wait
// will not ask for it.
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

// measureOffset returns CLOCK_MONOTONIC at start, or a little more: by what
// passes between the two readings, of which the quickest of some counts. If a
// filter refuses the reading the clock begins at start.
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

// Now returns CLOCK_MONOTONIC in ns, or where that is refused the same clock
// from another zero; deadlines are read on it. Go's own monotonic time is that
// clock from another zero, and Go reads it through the vDSO in a tenth of the
// time that the system call takes. It may be ahead of the kernel's reading, by
// less than a us, but is never behind it: a deadline that the kernel says has
// passed has passed by Now.
func Now() int64 { return offset + int64(time.Since(start)) }

// MakeTimespec returns deadline as the kernel takes it. The kernel refuses
// times before 0, which have passed as 0 has.
func MakeTimespec(deadline int64) Timespec {
	op := waitOp(nil)
	if op == waitFor && deadline > 0 {
		deadline -= Now() // which is at least 0
	}
	deadline = max(deadline, 0)
	return Timespec{sec: deadline / 1e9, nsec: deadline % 1e9, op: op}
}

// Wait sleeps on w while it holds old, until a [Wake] or deadline. It holds the
// calling thread; the thread's P goes to other goroutines when sysmon notices,
// after 20 us to 10 ms. It panics if w cannot be a futex, as [RawResult] does.
func Wait(w *uint32, old uint32, deadline int64) Result {
	if deadline == Never {
		return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, nil))
	}
	ts := MakeTimespec(deadline)
	return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, &ts))
}

// RawResult tells what an errno of [RawWait] means. It panics with an error
// that names the address and wraps errno for one that only a bug in this
// library brings, EFAULT where there is no memory, EINVAL for an address that
// is not a multiple of 4; and for ENOSYS and EPERM, if the kernel refuses every
// way to wait.
func RawResult(w *uint32, errno syscall.Errno) Result {
	switch errno {
	case 0:
		return Woken
	case syscall.EINTR: // a signal: a return for no reason
		return Woken
	case syscall.EAGAIN:
		return Changed
	case syscall.ETIMEDOUT:
		return TimedOut
	}
	panic(fmt.Errorf("futex: wait on %p: %w", w, errno))
}

// Wake wakes up to n of those that sleep on w, math.MaxInt32 for all, and
// returns how many: among threads of one priority those first who have slept
// longest. With n <= 0 it does nothing. An address where there is no memory any
// more has no sleepers. It panics with an error that wraps ENOSYS or EPERM if
// the kernel refuses the call: a sleeper would sleep on unseen.
func Wake(w *uint32, n int) int {
	if n <= 0 {
		return 0 // the kernel takes 0 and less for 1
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
