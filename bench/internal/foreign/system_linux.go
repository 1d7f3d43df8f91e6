// On Linux a child is killed when its parent ends: prctl(2), PR_SET_PDEATHSIG.

package foreign

import "syscall"

// cAbsent is the reason why the program in C is absent, "" if it is not.
const cAbsent = ""

// attributes returns the attributes of a program's process. The signal is sent
// when the thread that started it ends, so the caller must stay on that thread.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
