//go:build linux && !portablefutex && (386 || arm || mips || mipsle)

package futex

import (
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex_time64, of Linux 5.1, which counts seconds in 64 bits, and where that
// is missing the older futex with 32. Kernels can be built without the older
// call, so the newer one is tried first, even for wake, which takes no time.
//
// The kernel's version decides whether it is tried: on a kernel before 5.1 it
// is not, since Android 8 to 10 kills the process, and some others gave the
// number to a call of their own (Go's runtime/os_linux32.go). A filter may
// still refuse it on a later kernel.

// timespec32 is a deadline in the form of the older call.
type timespec32 struct{ sec, nsec int32 }

// time32 is 1 if there is no futex_time64, from the start or once the kernel
// has refused it and accepted the older call. It may be 0 too long, which costs
// refused calls, but is never 1 where the call exists. It is no atomic.Uint32,
// whose methods may check the stack's bounds, which RawWait must not.
var time32 uint32

func init() {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil && !hasTime64(unix.ByteSliceToString(u.Release[:])) {
		time32 = 1
	}
}

// hasTime64 reports whether a kernel of that release has futex_time64; true if
// that is unknown, since a refused call will show it.
func hasTime64(release string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return true
	}
	return major > 5 || major == 5 && minor >= 1
}

// clamp returns ts for the older call. early says that ts is past the last time
// that the older call can express, which is returned instead.
//
//go:nosplit
func clamp(ts *Timespec) (t timespec32, early bool) {
	if ts.sec > math.MaxInt32 {
		return timespec32{sec: math.MaxInt32}, true
	}
	return timespec32{sec: int32(ts.sec), nsec: int32(ts.nsec)}, false
}

// unclamp turns the timeout of a deadline that was clamped into a spurious
// wakeup.
//
//go:nosplit
func unclamp(errno syscall.Errno, early bool) syscall.Errno {
	if early && errno == syscall.ETIMEDOUT {
		return syscall.EINTR
	}
	return errno
}

// remember records that there is no futex_time64, unless the older call, made
// in its place, was refused with errno as well. Then a filter refuses the
// operation, and both calls may exist.
//
//go:nosplit
//go:norace
func remember(errno syscall.Errno) {
	if !refused(errno) {
		atomic.StoreUint32(&time32, 1)
	}
}

// wait is the system call with notice to the scheduler, which may hand off the
// P meanwhile. The directive moves the word to the heap and keeps it there, as
// for a function in assembly.
//
//go:uintptrescapes
func wait(w uintptr, old uint32, ts *Timespec, s Scope) syscall.Errno {
	op := waitOp(ts)
	scoped := op | uintptr(s)
	if atomic.LoadUint32(&time32) == 0 {
		_, _, errno := syscall.Syscall6(
			unix.SYS_FUTEX_TIME64,
			w,
			scoped,
			uintptr(old),
			uintptr(unsafe.Pointer(ts)),
			0,
			matchAny,
		)
		if !refused(errno) {
			return errno
		}
	}
	if ts == nil {
		_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, w, scoped, uintptr(old), 0, 0, matchAny)
		remember(errno)
		return fallBack(op, errno)
	}
	t, early := clamp(ts)
	_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, w, scoped, uintptr(old), uintptr(unsafe.Pointer(&t)), 0, matchAny)
	remember(errno)
	return fallBack(op, unclamp(errno, early))
}

// RawWait is [Wait] without notice to the scheduler, for a caller between
// runtime.entersyscallblock and runtime.exitsyscall, where the stack must not
// grow. Elsewhere it would block a stop of the world. ts is nil or a
// *[Timespec]. The caller keeps w alive, and off the stack. [RawResult] returns
// the meaning of the result.
//
//go:nosplit
//go:norace
func RawWait(w *uint32, old uint32, ts unsafe.Pointer, s Scope) syscall.Errno {
	addr := unsafe.Pointer(w)
	op := waitOp((*Timespec)(ts))
	scoped := op | uintptr(s)
	if atomic.LoadUint32(&time32) == 0 {
		_, _, errno := syscall.RawSyscall6(
			unix.SYS_FUTEX_TIME64,
			uintptr(addr),
			scoped,
			uintptr(old),
			uintptr(ts),
			0,
			matchAny,
		)
		if !refused(errno) {
			return errno
		}
	}
	if ts == nil {
		_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(addr), scoped, uintptr(old), 0, 0, matchAny)
		remember(errno)
		return fallBack(op, errno)
	}
	t, early := clamp((*Timespec)(ts))
	_, _, errno := syscall.RawSyscall6(
		unix.SYS_FUTEX,
		uintptr(addr),
		scoped,
		uintptr(old),
		uintptr(unsafe.Pointer(&t)),
		0,
		matchAny,
	)
	remember(errno)
	return fallBack(op, unclamp(errno, early))
}

// wake does not block, so it keeps its P.
func wake(w *uint32, n uintptr, s Scope) (woken uintptr, errno syscall.Errno) {
	op := wakeOp | uintptr(s)
	if atomic.LoadUint32(&time32) == 0 {
		woken, _, errno = syscall.RawSyscall6(unix.SYS_FUTEX_TIME64, uintptr(unsafe.Pointer(w)), op, n, 0, 0, 0)
		if !refused(errno) {
			return woken, errno
		}
	}
	woken, _, errno = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, n, 0, 0, 0)
	remember(errno)
	return woken, errno
}
