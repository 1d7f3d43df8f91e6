//go:build (!linux || portablefutex) && !plan9

package park

import "syscall"

// LockPI returns ENOSYS: priority inheritance is Linux's.
func LockPI(*uint32, int64, bool) syscall.Errno { return syscall.ENOSYS }

// TryLockPI returns ENOSYS.
func TryLockPI(*uint32, bool) syscall.Errno { return syscall.ENOSYS }

// UnlockPI returns ENOSYS.
func UnlockPI(*uint32, bool) syscall.Errno { return syscall.ENOSYS }
