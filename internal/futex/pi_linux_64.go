//go:build linux && !portablefutex && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package futex

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:nosplit
//go:norace
func rawPI(w *uint32, op uintptr, ts unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, 0, uintptr(ts), 0, 0)
	return errno
}

// callPI is rawPI with notice to the scheduler.
func callPI(w *uint32, op uintptr, ts unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, 0, uintptr(ts), 0, 0)
	return errno
}
