//go:build !plan9

package thread

import (
	"os"
	"syscall"
)

// signalNumber returns the system's number of s, 0 if it has none.
func signalNumber(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}
