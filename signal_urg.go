//go:build !plan9 && !windows

package thread

import "syscall"

// The runtime's own signals, which Windows has no names for.
const (
	sigURG  = syscall.SIGURG
	sigPROF = syscall.SIGPROF
)
