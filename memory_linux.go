package thread

import (
	"fmt"
	"math/bits"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	osLocksMemory  = true
	osMemoryPolicy = true
)

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

// memoryModes are the kernel's numbers (linux/mempolicy.h), without its flags.
var memoryModes = [...]uintptr{
	MemoryDefault: 0, MemoryPreferred: 1, MemoryBind: 2, MemoryInterleave: 3, MemoryLocal: 4, MemoryPreferredMany: 5,
}

// A nodeSet is the kernel's nodemask_t.
type nodeSet [mostNodes / bits.UintSize]uint

// nodeBits is the number of bits that the calls get: the kernel takes one
// less.
const nodeBits = mostNodes + 1

func osSetMemoryPolicy(p MemoryPolicy) error {
	var set nodeSet
	for _, n := range p.Nodes {
		set[n/bits.UintSize] |= 1 << (n % bits.UintSize)
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_SET_MEMPOLICY, memoryModes[p.Mode],
		uintptr(unsafe.Pointer(&set)), nodeBits)
	if errno != 0 {
		return withValue(os.NewSyscallError("set_mempolicy", errno), "memory policy %v, nodes %v", p.Mode, p.Nodes)
	}
	return nil
}

func osMemoryPolicyOf() (p MemoryPolicy, err error) {
	var mode int32
	var set nodeSet
	_, _, errno := syscall.RawSyscall6(unix.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&mode)),
		uintptr(unsafe.Pointer(&set)), nodeBits, 0, 0, 0)
	if errno != 0 {
		return p, os.NewSyscallError("get_mempolicy", errno)
	}
	for m, n := range memoryModes {
		if n == uintptr(mode) {
			return MemoryPolicy{MemoryMode(m), set.numbers()}, nil
		}
	}
	return p, unsupported(fmt.Sprintf("memory policy %d", mode))
}

func (s *nodeSet) numbers() (nodes []int) {
	for n := range mostNodes {
		if s[n/bits.UintSize]>>(n%bits.UintSize)&1 == 1 {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
