//go:build unix

package leak

import (
	"os"
	"syscall"
)

// quit ends a child that hangs, which shows its stacks.
func quit(p *os.Process) error { return p.Signal(syscall.SIGQUIT) }
