//go:build linux && !portablefutex && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package futex

import "golang.org/x/sys/unix"

const sysFutex = unix.SYS_FUTEX

// A Timespec is a deadline as the kernel takes it.
type Timespec struct{ sec, nsec int64 }

// MakeTimespec returns deadline for the kernel, which refuses times before 0.
func MakeTimespec(deadline int64) Timespec {
	deadline = max(deadline, 0)
	return Timespec{deadline / 1e9, deadline % 1e9}
}
