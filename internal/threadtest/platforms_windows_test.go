package threadtest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/windows"

	"example.com/thread"
)

// What C does here are calls of DLLs, which take no C.

// useStack checks the bounds of the stack, which the system reports, instead of
// using it.
func useStack(n int) error {
	var low, high uintptr
	// has no result
	_, _, _ = kernel32.NewProc("GetCurrentThreadStackLimits").
		Call(uintptr(unsafe.Pointer(&low)), uintptr(unsafe.Pointer(&high)))
	if high-low < uintptr(n) {
		return fmt.Errorf("a stack of %d bytes", high-low)
	}
	return nil
}

// Go's runtime would end the process at one byte more.
func TestStartWithTheLargestStack(t *testing.T) {
	const largest = 64 << 20
	run(t, &thread.Attr{StackSize: largest}, func() { assert.NoError(t, useStack(largest)) })
	assert.ErrorIs(t, (&thread.Attr{StackSize: largest + 1}).Check(), thread.ErrStackSize)
	_, err := thread.SetStackSize(largest + 1)
	assert.ErrorIs(t, err, thread.ErrStackSize)
}

func meetsGuard(*testing.T, *thread.Attr) bool { return false }

var alienBody func()

var alienEntry = syscall.NewCallback(func(uintptr) uintptr {
	alienBody()
	return 0
})

func alienCall(f func()) error {
	alienBody = f
	h, _, err := kernel32.NewProc("CreateThread").Call(0, 0, alienEntry, 0, 0, 0)
	if h == 0 {
		return err
	}
	defer windows.CloseHandle(windows.Handle(h))
	event, err := windows.WaitForSingleObject(windows.Handle(h), uint32(testTimeout.Milliseconds()))
	if err == nil && event != windows.WAIT_OBJECT_0 {
		err = errors.New("the thread has not ended")
	}
	return err
}

func cMemory(t *testing.T) (*uint32, error) {
	page, err := windows.VirtualAlloc(
		0,
		unsafe.Sizeof(uint32(0)),
		windows.MEM_COMMIT|windows.MEM_RESERVE,
		windows.PAGE_READWRITE,
	)
	return *(**uint32)(unsafe.Pointer(&page)), err // vet takes a plain conversion for a mistake
}

func inSTA() bool {
	kind, err := apartmentType()
	return err == nil && isSTA(kind)
}

// unlockAsC is ost_mutex_unlock of a lock that is waited for.
func unlockAsC(word *uint32) error {
	if atomic.SwapUint32(word, free) == free {
		return syscall.EPERM
	}
	wake := windows.NewLazySystemDLL("api-ms-win-core-synch-l1-2-0.dll").NewProc("WakeByAddressSingle")
	_, _, _ = wake.Call(uintptr(unsafe.Pointer(word))) // has no result
	return nil
}
