//go:build linux && (portablepark || portablefutex || race)

package park

import "syscall"

// Syscall6 makes a system call that may block. The thread's P goes to other
// goroutines when sysmon notices, after 20 us to 10 ms. Of an argument
// uintptr(unsafe.Pointer(p)), what p points to is kept alive, and off the
// stack.
//
//go:uintptrescapes
func Syscall6(call, a1, a2, a3, a4, a5, a6 uintptr) (r uintptr, errno syscall.Errno) {
	r, _, errno = syscall.Syscall6(call, a1, a2, a3, a4, a5, a6)
	return r, errno
}
