//go:build linux && !portablefutex

package futex

import (
	"math"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Futexes with priority inheritance: the word is the owner's thread id, which
// the kernel knows and lends the priority of those that sleep on the word
// (futex(2), FUTEX_LOCK_PI). A word that is not locked, 0, is locked without a
// call, by a compare-and-swap to the thread id.
//
// FUTEX_LOCK_PI2 has the clock of [Now]. Before Linux 5.14 there is only
// FUTEX_LOCK_PI, whose deadlines are of CLOCK_REALTIME: a wait that the clock's
// owner sets back lasts longer then.

const (
	futexLockPI    = 6
	futexUnlockPI  = 7
	futexTryLockPI = 8
	futexLockPI2   = 13
)

// noLockPI2 is 1 once the kernel has refused FUTEX_LOCK_PI2.
var noLockPI2 uint32

// MakeTimespecPI returns deadline in the form for [RawLockPI].
func MakeTimespecPI(deadline int64) Timespec {
	op := uintptr(futexLockPI2)
	if atomic.LoadUint32(&noLockPI2) != 0 {
		op = futexLockPI
		deadline = time.Now().UnixNano() + min(deadline-Now(), math.MaxInt64/4)
	}
	deadline = max(deadline, 0)
	return Timespec{sec: deadline / 1e9, nsec: deadline % 1e9, op: op}
}

// RawLockPI locks w for the calling thread, sleeping until it is free or the
// deadline ts, for a caller as that of [RawWait]. ts is nil or a *[Timespec] of
// [MakeTimespecPI]. It returns 0 if w is locked; ETIMEDOUT; EINTR to try again;
// ESRCH if the owner in w is no thread; EDEADLK if the caller owns w, or waits
// for itself over others; or another error for a word that makes no sense.
//
//go:nosplit
//go:norace
func RawLockPI(w *uint32, ts unsafe.Pointer, s Scope) syscall.Errno {
	op := uintptr(futexLockPI)
	if ts != nil {
		op = (*Timespec)(ts).op
	}
	errno := rawPI(w, op|uintptr(s), ts)
	if op == futexLockPI2 && errno == syscall.ENOSYS {
		atomic.StoreUint32(&noLockPI2, 1)
		return syscall.EINTR
	}
	return errno
}

// LockPI is RawLockPI until deadline, with notice to the scheduler, as [Wait]
// has it.
func LockPI(w *uint32, deadline int64, s Scope) syscall.Errno {
	if deadline == Never {
		return callPI(w, futexLockPI|uintptr(s), nil)
	}
	ts := MakeTimespecPI(deadline)
	errno := callPI(w, ts.op|uintptr(s), unsafe.Pointer(&ts))
	if ts.op == futexLockPI2 && errno == syscall.ENOSYS {
		atomic.StoreUint32(&noLockPI2, 1)
		return syscall.EINTR
	}
	return errno
}

// TryLockPI locks w if no thread has it; also one that the caller cannot lock
// itself, because the kernel has marked it.
func TryLockPI(w *uint32, s Scope) syscall.Errno {
	return rawPI(w, futexTryLockPI|uintptr(s), nil)
}

// UnlockPI unlocks w, which the calling thread owns, and wakes the first of
// those that sleep.
func UnlockPI(w *uint32, s Scope) syscall.Errno {
	return rawPI(w, futexUnlockPI|uintptr(s), nil)
}

// ScopeOf returns Shared for a word that several processes have mapped.
func ScopeOf(shared bool) Scope {
	if shared {
		return Shared
	}
	return Private
}
