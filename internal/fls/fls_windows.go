// Package fls has Go called when a thread ends, by the callback of an index of
// fiber-local storage (FLS), on the thread itself.
//
// Windows calls it at the end of a thread under a lock of the index alone; a
// TLS callback, or DllMain, would be called under the loader's lock, which
// threads that begin wait for, Go's own among them. But it calls it also at the
// end of the process, on the thread that ends that, when all others are gone:
// whatever locks and Ps those had would be waited for for ever, and Go's
// runtime, which does not expect a call from its exit, throws. So a few lines
// of assembly ask first whether the process ends.
//
// FLS belongs to fibers. A thread that made itself one has the values of the
// fiber that runs, and DeleteFiber calls back for the fiber that it deletes, on
// the thread that deletes it, which goes on unless the fiber is its own.
package fls

import (
	"syscall"

	"golang.org/x/sys/windows"
)

var (
	kernel32    = windows.NewLazySystemDLL("kernel32.dll")
	flsAlloc    = kernel32.NewProc("FlsAlloc")
	flsSetValue = kernel32.NewProc("FlsSetValue")

	dllShutdownInProgress = windows.NewLazySystemDLL("ntdll.dll").NewProc("RtlDllShutdownInProgress")
)

// Addresses, for atEnd.
//
//lint:ignore U1000 assembly reads them
var inShutdown, callback uintptr

// atEndAddress returns the address of atEnd, which calls callback unless
// inShutdown says that the process ends.
func atEndAddress() uintptr

// resumeAddress returns the address of resume, which returns from a call of
// atEnd.
func resumeAddress() uintptr

// An Index is a word of each thread.
type Index uintptr

// Alloc returns an index whose value, where it is not 0, ended gets at the end
// of its thread, with what Leave takes. It is called once. Without an index
// left Set fails.
func Alloc(ended func(value, back uintptr)) Index {
	inShutdown = dllShutdownInProgress.Addr()
	callback = syscall.NewCallback(func(value, back uintptr) uintptr { ended(value, back); return 0 })
	i, _, _ := flsAlloc.Call(atEndAddress()) // FLS_OUT_OF_INDEXES is no index, as Set finds
	return Index(i)
}

// Set sets the calling thread's value.
func (i Index) Set(value uintptr) error {
	if ok, _, err := flsSetValue.Call(uintptr(i), value); ok == 0 {
		return err
	}
	return nil
}

// Leave ends the call of ended that got back, whatever functions of it stand on
// the calling thread's stack, and does not return.
func Leave(back uintptr) { _, _, _ = syscall.SyscallN(resumeAddress(), back) }
