//go:build linux && (386 || amd64 || arm || arm64 || riscv64)

// Package eintr installs the signal handler by which a thread is brought out of
// a system call: one that does nothing, and has no SA_RESTART, so that the call
// returns EINTR.
package eintr

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The handler is one instruction of assembly, and so serves builds without cgo
// as well. It is installed by the system call, since package os/signal has Go
// functions only, which run later on another thread.
//
// Everything but the handler and SA_RESTART is copied from the action that Go's
// runtime has for SIGSEGV: the restorer, without which the kernel of x86 cannot
// return from a handler; SA_ONSTACK, since a goroutine's stack may have no room
// for a handler; and a mask of all signals.

// Supported says that there is a handler for this processor.
const Supported = true

// handlerPC is the handler's address; see handler_64.s.
var handlerPC uintptr

// An action is the kernel's struct sigaction. What follows the first two words,
// a restorer and the mask, differs from processor to processor.
type action struct {
	handler uintptr
	flags   uintptr
	_       [6]uint64
}

// The handlers that are none (SIG_DFL, SIG_IGN), and the flags of sigaction(2).
const (
	noHandler = 1 // or less
	restart   = 0x10000000
	onStack   = 0x08000000
)

// Installed is called after the handler of sig has been installed, if it is not
// nil. It is for the C library, which has its own way to install handlers.
var Installed func(sig syscall.Signal)

// Install makes sure that the handler of sig is the one of this package. It
// replaces Go's, and none: os/signal.Ignore, without arguments, ignores all
// signals, and in a library Notify may install Go's anew. A handler of C code
// stays, and the error is syscall.EBUSY.
func Install(sig syscall.Signal) error {
	var now, first action
	if err := sigaction(sig, nil, &now); err != nil || now.handler == handlerPC {
		return err
	}
	if err := sigaction(syscall.SIGSEGV, nil, &first); err != nil {
		return err
	}
	if now.handler > noHandler && now.handler != first.handler || first.handler <= noHandler {
		return syscall.EBUSY
	}
	first.handler = handlerPC
	first.flags = first.flags&^restart | onStack
	if err := sigaction(sig, &first, nil); err != nil {
		return err
	}
	if Installed != nil {
		Installed(sig)
	}
	return nil
}

func sigaction(sig syscall.Signal, set, old *action) error {
	const sigsetBytes = 8
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)),
		uintptr(unsafe.Pointer(old)), sigsetBytes, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("rt_sigaction", errno)
	}
	return nil
}
