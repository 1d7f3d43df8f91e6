//go:build linux && !portablefutex && (386 || arm || mips || mipsle)

package futex

import "golang.org/x/sys/unix"

// sysFutex is the call with 64-bit time, of Linux 5.1. Go's own least kernel (3.2, from Go 1.24) is older: there a 32-bit program gets
// ENOSYS, and RawResult says so.
const sysFutex = unix.SYS_FUTEX_TIME64

// A Timespec is a deadline as the kernel takes it.
type Timespec struct{ sec, nsec int64 }

// MakeTimespec returns deadline for the kernel, which refuses times before 0.
func MakeTimespec(deadline int64) Timespec {
	deadline = max(deadline, 0)
	return Timespec{deadline / 1e9, deadline % 1e9}
}
