//go:build linux && !portablefutex && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package futex

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex(2), which always had a 64-bit time on these machines.

// wait is the system call with notice to the scheduler, which may hand off the
// P meanwhile. The directive moves the word to the heap and keeps it there, as
// for a function in assembly.
//
//go:uintptrescapes
func wait(w uintptr, old uint32, ts *Timespec, s Scope) syscall.Errno {
	op := waitOp(ts)
	_, _, errno := syscall.Syscall6(
		unix.SYS_FUTEX,
		w,
		op|uintptr(s),
		uintptr(old),
		uintptr(unsafe.Pointer(ts)),
		0,
		matchAny,
	)
	return fallBack(op, errno)
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
	op := waitOp((*Timespec)(ts))
	_, _, errno := syscall.RawSyscall6(
		unix.SYS_FUTEX,
		uintptr(unsafe.Pointer(w)),
		op|uintptr(s),
		uintptr(old),
		uintptr(ts),
		0,
		matchAny,
	)
	return fallBack(op, errno)
}

// wake does not block, so it keeps its P.
func wake(w *uint32, n uintptr, s Scope) (woken uintptr, errno syscall.Errno) {
	woken, _, errno = syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), wakeOp|uintptr(s), n, 0, 0, 0)
	return woken, errno
}
