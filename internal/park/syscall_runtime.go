//go:build linux && !portablepark && !portablefutex && !race

package park

import "syscall"

// Syscall6 makes a system call that may block, with the thread's P handed off
// to other goroutines before. Of an argument uintptr(unsafe.Pointer(p)), what p
// points to is kept alive, and off the stack.
//
// As for block, the stack must not grow between the two calls, and both must be
// made from one frame.
//
//go:uintptrescapes
//go:nosplit
//go:norace
func Syscall6(call, a1, a2, a3, a4, a5, a6 uintptr) (r uintptr, errno syscall.Errno) {
	entersyscallblock()
	r, _, errno = syscall.RawSyscall6(call, a1, a2, a3, a4, a5, a6)
	exitsyscall()
	return r, errno
}
