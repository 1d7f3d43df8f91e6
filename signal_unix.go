//go:build unix

package thread

import "syscall"

// neverBlocked holds the signals that no mask blocks, bit n-1 for signal n:
// those of faults, which with the signal blocked would end the process instead
// of becoming a panic; SIGURG and SIGPROF, by which Go's runtime preempts and
// samples; and 32 to 34, which the C libraries and, without cgo, Go itself send
// to every thread and wait for. pthread_sigmask leaves the C library's out,
// too.
const neverBlocked = 1<<(syscall.SIGILL-1) | 1<<(syscall.SIGTRAP-1) | 1<<(syscall.SIGBUS-1) | 1<<(syscall.SIGFPE-1) |
	1<<(syscall.SIGSEGV-1) | 1<<(syscall.SIGSYS-1) | 1<<(syscall.SIGURG-1) | 1<<(syscall.SIGPROF-1) | 7<<(32-1)
