package osthread

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func signalMain(n syscall.Signal) error {
	return os.NewSyscallError("tgkill", unix.Tgkill(unix.Getpid(), mainThread.native, n))
}
