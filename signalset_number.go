//go:build !plan9

package thread

import (
	"os"
	"syscall"
)

// signalNumber returns the number of s, -1 if s is not a signal of package
// syscall, and whether signals have numbers here.
func signalNumber(s os.Signal) (n int, numbered bool) {
	if sig, ok := s.(syscall.Signal); ok {
		return int(sig), true
	}
	return -1, true
}

func signalOf(n int) os.Signal { return syscall.Signal(n) }
