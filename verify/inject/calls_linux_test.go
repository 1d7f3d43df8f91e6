//go:build amd64 || arm64

package inject_test

import (
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/inject"
)

// errnos are what each call fails with, unless it says otherwise. The refusals
// are last: some are remembered.
var errnos = []syscall.Errno{
	syscall.EINTR, syscall.EAGAIN, syscall.ENOMEM, syscall.EINVAL, syscall.EMFILE, syscall.EPERM, syscall.ENOSYS,
}

const (
	opMask     = 0x7f // of a futex's operation
	wait       = 0
	waitBitset = 9
	lockPI     = 6
	lockPI2    = 13
	unlockPI   = 7
)

func futex(ops ...uint64) func(args [6]uint64) bool {
	return func(args [6]uint64) bool { return slices.Contains(ops, args[1]&opMask) }
}

// withoutFutex are the calls but those of futexes. The handler of
// Thread.Interrupt lacks SA_RESTART, so a futex of the runtime that asks the
// parent would end with EINTR, which ends the process.
func withoutFutex() []inject.Call {
	return slices.DeleteFunc(slices.Clone(calls), func(c inject.Call) bool { return c.Number == unix.SYS_FUTEX })
}

// ownPrctl excludes what the runtime calls by the instruction of package
// syscall: it names its mappings.
func ownPrctl(args [6]uint64) bool { return args[0] != unix.PR_SET_VMA }

// calls are what the library calls, and the C library for it. A futex that a
// thread sleeps on may fail with what the kernel has for it; see docs/faults.md
// for those that are not here.
var calls = []inject.Call{
	{Name: "openat", Number: unix.SYS_OPENAT},
	{Name: "read", Number: unix.SYS_READ},
	{Name: "pread64", Number: unix.SYS_PREAD64},
	{Name: "write", Number: unix.SYS_WRITE},
	{Name: "getdents64", Number: unix.SYS_GETDENTS64},
	{Name: "readlinkat", Number: unix.SYS_READLINKAT},
	{Name: "fstat", Number: unix.SYS_FSTAT},
	{Name: "newfstatat", Number: unix.SYS_NEWFSTATAT},
	{Name: "fcntl", Number: unix.SYS_FCNTL},
	{Name: "memfd_create", Number: unix.SYS_MEMFD_CREATE},
	{Name: "fallocate", Number: unix.SYS_FALLOCATE},
	{Name: "ftruncate", Number: unix.SYS_FTRUNCATE},
	{Name: "unlinkat", Number: unix.SYS_UNLINKAT},
	{Name: "mmap", Number: unix.SYS_MMAP, Creates: true},
	{Name: "mprotect", Number: unix.SYS_MPROTECT, Creates: true},
	{Name: "clone", Number: unix.SYS_CLONE, Creates: true},
	{Name: "clone3", Number: unix.SYS_CLONE3, Creates: true},
	{Name: "sched_setaffinity", Number: unix.SYS_SCHED_SETAFFINITY},
	{Name: "sched_getaffinity", Number: unix.SYS_SCHED_GETAFFINITY},
	{Name: "sched_setscheduler", Number: unix.SYS_SCHED_SETSCHEDULER},
	{Name: "sched_getscheduler", Number: unix.SYS_SCHED_GETSCHEDULER},
	{Name: "sched_getparam", Number: unix.SYS_SCHED_GETPARAM},
	{Name: "sched_setattr", Number: unix.SYS_SCHED_SETATTR},
	{Name: "sched_getattr", Number: unix.SYS_SCHED_GETATTR},
	{Name: "sched_yield", Number: unix.SYS_SCHED_YIELD},
	{Name: "setpriority", Number: unix.SYS_SETPRIORITY},
	{Name: "prctl", Number: unix.SYS_PRCTL, Counts: ownPrctl},
	{Name: "prlimit64", Number: unix.SYS_PRLIMIT64},
	{Name: "sysinfo", Number: unix.SYS_SYSINFO},
	{Name: "capget", Number: unix.SYS_CAPGET},
	{Name: "tgkill", Number: unix.SYS_TGKILL},
	{Name: "rt_tgsigqueueinfo", Number: unix.SYS_RT_TGSIGQUEUEINFO},
	{Name: "rt_sigaction", Number: unix.SYS_RT_SIGACTION},
	{Name: "rt_sigprocmask", Number: unix.SYS_RT_SIGPROCMASK, Creates: true},
	{Name: "rt_sigpending", Number: unix.SYS_RT_SIGPENDING},
	{Name: "rt_sigtimedwait", Number: unix.SYS_RT_SIGTIMEDWAIT},
	{Name: "set_mempolicy", Number: unix.SYS_SET_MEMPOLICY},
	{Name: "get_mempolicy", Number: unix.SYS_GET_MEMPOLICY},
	{Name: "mlockall", Number: unix.SYS_MLOCKALL},
	{Name: "munlockall", Number: unix.SYS_MUNLOCKALL},
	{Name: "mincore", Number: unix.SYS_MINCORE},
	{Name: "clock_gettime", Number: unix.SYS_CLOCK_GETTIME},
	{Name: "futex wait", Number: unix.SYS_FUTEX, NotC: true, Counts: futex(wait)},
	{Name: "futex wait until", Number: unix.SYS_FUTEX, NotC: true, Counts: futex(waitBitset)},
	{Name: "futex lock PI", Number: unix.SYS_FUTEX, NotC: true, Counts: futex(lockPI)},
	{Name: "futex lock PI 2", Number: unix.SYS_FUTEX, NotC: true, Counts: futex(lockPI2)},
	{Name: "futex unlock PI", Number: unix.SYS_FUTEX, NotC: true, Counts: futex(unlockPI)},
}

// possible returns what the call with that name may fail with in a correct
// program: a futex with an error of the caller's panics, as documented.
func possible(name string) []syscall.Errno {
	switch name {
	case "read", "write":
		// With EAGAIN Go waits until the file is ready, which Linux never says
		// of a file that does not return it.
		return slices.DeleteFunc(slices.Clone(errnos), func(e syscall.Errno) bool { return e == syscall.EAGAIN })
	case "sched_yield", "clock_gettime": // nothing depends on which it is
		return []syscall.Errno{syscall.EPERM, syscall.ENOSYS}
	case "futex wait":
		return []syscall.Errno{syscall.EINTR, syscall.EAGAIN}
	case "futex wait until":
		return []syscall.Errno{syscall.EINTR, syscall.EAGAIN, syscall.EPERM, syscall.ENOSYS}
	case "futex lock PI":
		return []syscall.Errno{syscall.EINTR, syscall.EAGAIN, syscall.ENOMEM}
	case "futex lock PI 2":
		return []syscall.Errno{syscall.EINTR, syscall.EAGAIN, syscall.ENOMEM, syscall.ENOSYS}
	case "futex unlock PI":
		return nil
	}
	return errnos
}
