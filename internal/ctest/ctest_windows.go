//go:build !cgo

// Package ctest holds the C side of tests: without cgo that is what Windows
// itself does, which makes threads and calls back without a C compiler.
package ctest

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32     = windows.NewLazySystemDLL("kernel32.dll")
	createThread = kernel32.NewProc("CreateThread")
	exitThread   = kernel32.NewProc("ExitThread")
	executeOnce  = kernel32.NewProc("InitOnceExecuteOnce")
	tlsAlloc     = kernel32.NewProc("TlsAlloc")
	flsAlloc     = kernel32.NewProc("FlsAlloc")
)

var (
	call  atomic.Pointer[func(n int)]
	alien = syscall.NewCallback(func(n uintptr) uintptr { (*call.Load())(int(n)); return 0 })
	once  = syscall.NewCallback(func(_, _, _ uintptr) uintptr { (*call.Load())(0); return 1 })
)

// Aliens runs f on n threads that Windows makes, at once, each with its number,
// and waits for them. One call at a time.
func Aliens(n int, f func(n int)) error {
	spare()
	call.Store(&f)
	var made []windows.Handle
	var failed error
	for i := range n {
		const stack, isReservation = 256 << 10, 0x00010000
		h, _, err := createThread.Call(0, stack, alien, uintptr(i), isReservation, 0)
		if h == 0 {
			failed = err
			break
		}
		made = append(made, windows.Handle(h))
	}
	for _, h := range made {
		_, _ = windows.WaitForSingleObject(h, windows.INFINITE) // it fails for no handle of ours, nor does the next
		_ = windows.CloseHandle(h)
	}
	return failed
}

// Back calls f by way of C.
func Back(f func(n int)) {
	call.Store(&f)
	var state uintptr
	_, _, _ = executeOnce.Call(uintptr(unsafe.Pointer(&state)), once, 0, 0) // f's
}

// PthreadExit ends the calling thread by ExitThread.
func PthreadExit() { _, _, _ = exitThread.Call(0) }

// UseKeys makes up to n indexes of TLS and FLS, and returns how many there were
// left.
func UseKeys(n int) int {
	const none = 0xffffffff
	for i := range n {
		if index, _, _ := tlsAlloc.Call(); index != none {
			continue
		}
		if index, _, _ := flsAlloc.Call(0); index == none {
			return i
		}
	}
	return n
}
