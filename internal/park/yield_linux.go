package park

import "syscall"

// yield keeps the P: the call returns after the time slices of those it lets
// run at the latest.
func yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
