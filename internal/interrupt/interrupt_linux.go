package interrupt

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// send refuses the signals that thread.Thread.Signal does: those of C libraries
// (32 to 34), whose handlers crash on one that is not theirs, and that of
// Thread.Interrupt (60).
func send(n syscall.Signal, thread int) error {
	if 32 <= n && n <= 34 || n == 60 {
		return syscall.EINVAL
	}
	return os.NewSyscallError("tgkill", unix.Tgkill(unix.Getpid(), thread, n))
}
