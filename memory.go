package thread

// LockMemory keeps the memory of the process, also what it maps later, from
// being paged out (POSIX: mlockall), so that no thread waits for a disk because
// of it; see "Real time". A page is locked once it has been touched: what Go
// and the C library have only reserved, such as the stacks of threads, takes no
// memory. The first touch of a page still enters the kernel, so touch in
// advance what a real-time thread uses. Executables and mapped files count as
// well.
//
// It is refused with syscall.EPERM if the process has neither the capability
// CAP_IPC_LOCK nor an unlimited RLIMIT_MEMLOCK: with a limit a later mmap would
// fail, which ends a Go process. So do not give up the capability, or lower the
// limit, while memory is locked. A child does not inherit the lock.
//
// LockMemory also returns the system's error; errors.ErrUnsupported on systems
// other than Linux, and syscall.EINVAL before Linux 4.4.
func LockMemory() error {
	if !osLocksMemory {
		return unsupported("locked memory")
	}
	return osLockMemory()
}

// UnlockMemory undoes all calls of LockMemory (POSIX: munlockall). It returns
// errors.ErrUnsupported on systems other than Linux.
func UnlockMemory() error {
	if !osLocksMemory {
		return unsupported("locked memory")
	}
	return osUnlockMemory()
}
