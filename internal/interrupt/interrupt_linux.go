package interrupt

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func send(n syscall.Signal, thread int) error {
	return os.NewSyscallError("tgkill", unix.Tgkill(unix.Getpid(), thread, n))
}
