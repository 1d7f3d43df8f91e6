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
// store: so the comparison sees the store, or the sleeper is in the queue. The
// waker takes the sleeper out of the queue, and the result of the wait depends
// on that, not on the clock.
//
// FUTEX_WAIT_BITSET is used because its deadline is absolute: a wait that is
// interrupted by a signal can be resumed and still ends at the original
// deadline. Its clock is CLOCK_MONOTONIC, which does not jump.
//
// A filter (seccomp(2)) may allow only FUTEX_WAIT, which Go's runtime uses, and
// refuse FUTEX_WAIT_BITSET or reading the clock. Then FUTEX_WAIT is used here,
// too, with the time left until the deadline. Without any futex Go does not
// run.
//
// The calls themselves, wait, RawWait and wake, are in futex_linux_64.go and
// futex_linux_32.go.

// From linux/futex.h.
const (
	futexWait       = 0
	futexWake       = 1
	futexWaitBitset = 9
	futexPrivate    = 128
	matchAny        = 0xffffffff

	waitUntil = futexWaitBitset
	waitFor   = futexWait
	wakeOp    = futexWake
)

// A Scope is whose threads may sleep on a word: those of this process, or of
// all that have mapped it. A sleeper and its waker must use the same.
type Scope uintptr

const (
	Private Scope = futexPrivate
	Shared  Scope = 0
)

// CanShare reports whether [WaitShared] and [WakeShared] work.
func CanShare() bool { return true }

// A Timespec is a deadline in the kernel's form, of 64 bits, for the operation
// op.
type Timespec struct {
	sec, nsec int64
	op        uintptr
}

var (
	start  = time.Now()
	offset = measureOffset()
)

// relative is 1 once the kernel has refused waitUntil, or reading its clock. It
// is no atomic.Uint32, whose methods may check the stack's bounds, which
// RawWait must not.
var relative uint32

// refused reports whether errno says that there is no such call. Seccomp
// filters older than the call return EPERM; no futex call here returns that by
// itself.
//
//go:nosplit
func refused(errno syscall.Errno) bool { return errno == syscall.ENOSYS || errno == syscall.EPERM }

// waitOp returns the operation that takes ts; if ts is nil, the one that the
// kernel accepts.
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

// fallBack turns the refusal of waitUntil into a spurious wakeup: the next wait
// will not use it.
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

// measureOffset returns CLOCK_MONOTONIC at start, plus the time between two
// readings, the shortest of several. If a filter refuses the reading the clock
// begins at start.
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

// Now returns CLOCK_MONOTONIC in ns, the clock of deadlines; where that is
// refused, the same clock from another zero. Go's monotonic time is that clock
// from another zero as well, and Go reads it through the vDSO in a tenth of the
// time of the system call. Now may be ahead of the kernel's reading, by less
// than a us, but is never behind it: a deadline that has passed for the kernel
// has passed for Now.
func Now() int64 { return offset + int64(time.Since(start)) }

// MakeTimespec returns deadline in the kernel's form. The kernel refuses times
// before 0, so those become 0, which has passed, too.
func MakeTimespec(deadline int64) Timespec {
	op := waitOp(nil)
	if op == waitFor && deadline > 0 {
		deadline -= Now() // which is at least 0
	}
	deadline = max(deadline, 0)
	return Timespec{sec: deadline / 1e9, nsec: deadline % 1e9, op: op}
}

// Wait sleeps on w while it holds old, until a [Wake] or deadline. It blocks
// the calling thread; sysmon hands the thread's P off after 20 us to 10 ms. It
// panics if w cannot be a futex, as [RawResult] does.
func Wait(w *uint32, old uint32, deadline int64) Result {
	return waitIn(Private, w, old, deadline)
}

// WaitShared is Wait for a word in memory that several processes have mapped.
func WaitShared(w *uint32, old uint32, deadline int64) Result {
	return waitIn(Shared, w, old, deadline)
}

func waitIn(s Scope, w *uint32, old uint32, deadline int64) Result {
	if deadline == Never {
		return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, nil, s))
	}
	ts := MakeTimespec(deadline)
	return RawResult(w, wait(uintptr(unsafe.Pointer(w)), old, &ts, s))
}

// RawResult returns the meaning of an errno of [RawWait]. It panics with an
// error that names the address and wraps errno if only a bug in this library
// can cause it: EFAULT for an address without memory, EINVAL for one that is
// not a multiple of 4. It also panics for ENOSYS and EPERM, if the kernel
// refuses every way to wait.
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

// Wake wakes up to n threads that sleep on w, math.MaxInt32 for all, and
// returns how many. Threads of one priority are woken in FIFO order. With n <=
// 0 it does nothing. An address without memory has no sleepers. It panics with
// an error that wraps ENOSYS or EPERM if the kernel refuses the call: otherwise
// a sleeper would sleep on unnoticed.
func Wake(w *uint32, n int) int { return wakeIn(Private, w, n) }

// WakeShared is Wake for the sleepers of [WaitShared] in all processes.
func WakeShared(w *uint32, n int) int { return wakeIn(Shared, w, n) }

func wakeIn(s Scope, w *uint32, n int) int {
	if n <= 0 {
		return 0 // the kernel takes 0 and less for 1
	}
	woken, errno := wake(w, uintptr(min(n, math.MaxInt32)), s)
	if refused(errno) {
		panic(fmt.Errorf("futex: wake on %p: %w", w, errno))
	}
	if errno != 0 {
		return 0
	}
	return int(woken)
}
