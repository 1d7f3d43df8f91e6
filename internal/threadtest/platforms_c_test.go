//go:build cgo && ((linux && !android) || darwin)

package threadtest

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
)

func useStack(n int) error {
	ctest.Recurse(n)
	return nil
}

func meetsGuard(t *testing.T, a *thread.Attr) bool {
	out, err := leak.Child(t, func() {
		th, err := thread.Start(func() { ctest.Recurse(1 << 30) }, a)
		if err == nil {
			err = th.Join()
		}
		if err != nil {
			panic(err)
		}
	})
	return endedBySegv(out, err) || buildinfo.Sanitized && strings.Contains(out, "stack-overflow")
}

// endedBySegv reports whether a child ended by SIGSEGV: at once, or by Go's
// runtime, which names it.
func endedBySegv(out string, err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status := exit.Sys().(syscall.WaitStatus)
	return status.Signaled() && status.Signal() == syscall.SIGSEGV ||
		status.ExitStatus() == 2 && strings.Contains(out, "SIGSEGV")
}

func alienCall(f func()) error { return ctest.Aliens(1, func(int) { f() }) }

func cMemory(t *testing.T) (*uint32, error) {
	word := ctest.Malloc(4)
	t.Cleanup(func() { ctest.Free(word) })
	return (*uint32)(word), nil
}

func unlockAsC(word *uint32) error {
	if errno := ctest.Unlock(unsafe.Pointer(word)); errno != 0 {
		return errno // ENOTSUP is errors.ErrUnsupported
	}
	return nil
}

func inSTA() bool { return false }
