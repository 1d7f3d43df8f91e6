//go:build cgo && !android && !portablefutex

package threadtest

import (
	"syscall"
	"time"
	"unsafe"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

func init() {
	aliens = ctest.Aliens
	underC = func(l *thread.Lock, counter *int64, threads, times int) {
		ctest.AddUnder(unsafe.Pointer(l), counter, threads, times)
	}
	timedLock = func(l *thread.Lock, d time.Duration) bool {
		return ctest.LockFor(unsafe.Pointer(l), d) == syscall.ETIMEDOUT
	}
}
