//go:build !plan9 && !windows

package thread

import "syscall"

// Signals that Windows has no names for.
const (
	sigSYS  = syscall.SIGSYS
	sigURG  = syscall.SIGURG
	sigPROF = syscall.SIGPROF
)
