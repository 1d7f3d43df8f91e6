//go:build linux && !portablefutex && (portablepark || race)

package park

import (
	"syscall"
	"unsafe"

	"example.com/thread/internal/futex"
)

// LockPI is futex.LockPI. The calling goroutine must be locked to its thread.
func LockPI(w *uint32, deadline int64, shared bool) syscall.Errno {
	leak(unsafe.Pointer(w))
	return futex.LockPI(w, deadline, futex.ScopeOf(shared))
}

// TryLockPI is futex.TryLockPI.
func TryLockPI(w *uint32, shared bool) syscall.Errno {
	return futex.TryLockPI(w, futex.ScopeOf(shared))
}

// UnlockPI is futex.UnlockPI.
func UnlockPI(w *uint32, shared bool) syscall.Errno { return futex.UnlockPI(w, futex.ScopeOf(shared)) }
