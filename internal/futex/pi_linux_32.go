//go:build linux && !portablefutex && (386 || arm || mips || mipsle)

package futex

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:nosplit
//go:norace
func rawPI(w *uint32, op uintptr, ts unsafe.Pointer) syscall.Errno {
	addr := unsafe.Pointer(w)
	if atomic.LoadUint32(&time32) == 0 {
		_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX_TIME64, uintptr(addr), op, 0, uintptr(ts), 0, 0)
		if !refused(errno) {
			return errno
		}
	}
	if ts == nil {
		_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(addr), op, 0, 0, 0, 0)
		return errno
	}
	t, early := clamp((*Timespec)(ts))
	_, _, errno := syscall.RawSyscall6(
		unix.SYS_FUTEX,
		uintptr(addr),
		op,
		0,
		uintptr(unsafe.Pointer(&t)),
		0,
		0,
	)
	return unclamp(errno, early)
}

// callPI is rawPI with notice to the scheduler.
func callPI(w *uint32, op uintptr, ts unsafe.Pointer) syscall.Errno {
	addr := unsafe.Pointer(w)
	if atomic.LoadUint32(&time32) == 0 {
		_, _, errno := syscall.Syscall6(unix.SYS_FUTEX_TIME64, uintptr(addr), op, 0, uintptr(ts), 0, 0)
		if !refused(errno) {
			return errno
		}
	}
	if ts == nil {
		_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, uintptr(addr), op, 0, 0, 0, 0)
		return errno
	}
	t, early := clamp((*Timespec)(ts))
	_, _, errno := syscall.Syscall6(
		unix.SYS_FUTEX,
		uintptr(addr),
		op,
		0,
		uintptr(unsafe.Pointer(&t)),
		0,
		0,
	)
	return unclamp(errno, early)
}
