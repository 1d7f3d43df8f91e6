//go:build unix && !linux

package interrupt

import (
	"os"
	"syscall"
)

// send sends to the process. Go's handler passes the signal on from whichever
// thread takes it.
func send(n syscall.Signal, _ int) error {
	return os.NewSyscallError("kill", syscall.Kill(syscall.Getpid(), n))
}
