// Linux ends a child with its parent: prctl(2), PR_SET_PDEATHSIG.

package foreign

import "syscall"

// cAbsent says why the program in C cannot be here; "" if it can.
const cAbsent = ""

// attributes of a program's process. The signal comes when the thread that
// started it ends, so that the caller stays on that thread.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
