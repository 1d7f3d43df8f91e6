//go:build linux && !portablepark && !portablefutex && !race

package park

import (
	"syscall"
	"unsafe"

	"example.com/thread/internal/futex"
)

// LockPI is futex.RawLockPI until deadline, with the thread's P handed off to
// other goroutines. The calling goroutine must be locked to its thread.
func LockPI(w *uint32, deadline int64, shared bool) syscall.Errno {
	leak(unsafe.Pointer(w))
	s := futex.ScopeOf(shared)
	if deadline == futex.Never {
		return blockPI(w, nil, s)
	}
	ts := futex.MakeTimespecPI(deadline)
	return blockPI(w, unsafe.Pointer(&ts), s)
}

// blockPI is as block.
//
//go:nosplit
//go:norace
func blockPI(w *uint32, ts unsafe.Pointer, s futex.Scope) syscall.Errno {
	entersyscallblock()
	errno := futex.RawLockPI(w, ts, s)
	exitsyscall()
	return errno
}

// TryLockPI is futex.TryLockPI.
func TryLockPI(w *uint32, shared bool) syscall.Errno {
	return futex.TryLockPI(w, futex.ScopeOf(shared))
}

// UnlockPI is futex.UnlockPI.
func UnlockPI(w *uint32, shared bool) syscall.Errno { return futex.UnlockPI(w, futex.ScopeOf(shared)) }
