//go:build unix && !linux

package osthread

import (
	"os"
	"syscall"
)

// signalMain sends to the process: Go's handler passes the signal on from
// whichever thread takes it.
func signalMain(n syscall.Signal) error {
	return os.NewSyscallError("kill", syscall.Kill(syscall.Getpid(), n))
}
