package thread

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const osLocksMemory = true

func osLockMemory() error {
	if !mayLockAll() {
		return withValue(syscall.EPERM, "memory lock: RLIMIT_MEMLOCK is not unlimited")
	}
	return os.NewSyscallError("mlockall", unix.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT))
}

func osUnlockMemory() error { return os.NewSyscallError("munlockall", unix.Munlockall()) }

// mayLockAll reports whether no limit can make a later mmap fail.
func mayLockAll() bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}
