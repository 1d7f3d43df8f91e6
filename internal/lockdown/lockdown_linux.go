// Package lockdown has the kernel refuse system calls, as the filters of
// containers do, and kernels that are older than a call. For tests.
package lockdown

import (
	"encoding/binary"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Call is a system call, or where there are Args those that have them all.
type Call struct {
	Number uintptr
	Args   []Arg
}

// An Arg is what the low 32 bits of a call's argument are, as far as Mask goes.
type Arg struct {
	Index       int
	Mask, Value uint32
}

// Available returns why there can be no filter, or nil. An emulator has none.
func Available() error {
	const getActionAvail = 2 // SECCOMP_GET_ACTION_AVAIL
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, getActionAvail, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	return nil
}

// Process has all threads of the process, and those to come, get errno for
// calls. It cannot be undone. It needs no rights, since it gives up those that
// a program run by exec would get.
func Process(errno syscall.Errno, calls ...Call) error {
	const tsync = 1 // SECCOMP_FILTER_FLAG_TSYNC
	return install(tsync, errno, calls)
}

// Thread has the calling thread get errno for calls. The goroutine must be
// locked to it, and end so.
func Thread(errno syscall.Errno, calls ...Call) error { return install(0, errno, calls) }

func install(flags uintptr, errno syscall.Errno, calls []Call) error {
	runtime.LockOSThread() // both calls are about the calling thread
	defer runtime.UnlockOSThread()
	filter := program(errno, calls)
	p := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	const setModeFilter = 1 // SECCOMP_SET_MODE_FILTER
	// A thread that cannot be brought along is the result.
	if tid, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, flags, uintptr(unsafe.Pointer(&p))); errno != 0 ||
		tid != 0 {
		return os.NewSyscallError("seccomp", max(errno, syscall.EAGAIN))
	}
	return nil
}

// program is a filter that allows all but calls.
func program(errno syscall.Errno, calls []Call) (all []unix.SockFilter) {
	for _, c := range calls {
		all = append(all, match(c, unix.SECCOMP_RET_ERRNO|uint32(errno))...)
	}
	return append(all, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
}

// match is the part of a filter that returns result for c, and else goes on
// behind it.
func match(c Call, result uint32) []unix.SockFilter {
	const number, args = 0, 16 // in struct seccomp_data
	part := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(c.Number)},
	}
	for _, a := range c.Args {
		part = append(part,
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: uint32(args + 8*a.Index + lowHalf)},
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: a.Mask},
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: a.Value & a.Mask},
		)
	}
	part = append(part, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: result})
	for i := range part {
		if part[i].Code == unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K {
			part[i].Jf = uint8(len(part) - 1 - i)
		}
	}
	return part
}

// lowHalf is where the low half of a 64-bit word is.
var lowHalf = func() int {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return 0
	}
	return 4
}()
