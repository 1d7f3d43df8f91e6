//go:build windows && !portablefutex

package futex

import (
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// WaitOnAddress, of Windows 8: the same contract, returns for no reason included. Go's import libraries do not know the DLL, so it is looked up at
// run time.

var (
	synch               = windows.NewLazySystemDLL("api-ms-win-core-synch-l1-2-0.dll")
	waitOnAddress       = synch.NewProc("WaitOnAddress")
	wakeByAddressSingle = synch.NewProc("WakeByAddressSingle")
	wakeByAddressAll    = synch.NewProc("WakeByAddressAll")
)

// start is the zero of the clock. Go's monotonic time reads the interrupt time, which does not jump.
var start = time.Now()

// Now returns a monotonic time in ns, which deadlines are read on.
func Now() int64 { return int64(time.Since(start)) }

// longest is the most milliseconds of one call; one more bit would come near INFINITE. Longer sleeps end early, for no
// reason.
const longest = 1<<31 - 1

// Wait sleeps on w while it holds old, until a Wake or deadline.
func Wait(w *uint32, old uint32, deadline int64) Result {
	ms := uint32(windows.INFINITE)
	if deadline != Never {
		// Rounded up: a sleep that ends before its deadline would be a busy loop.
		left := max(deadline-Now(), 0)
		ms = uint32(min((left+int64(time.Millisecond)-1)/int64(time.Millisecond), longest))
	}
	ok, _, err := waitOnAddress.Call(uintptr(unsafe.Pointer(w)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old), uintptr(ms))
	runtime.KeepAlive(w)
	switch {
	case ok != 0:
		return Woken // also when the word had changed: Windows does not tell
	case errors.Is(err, windows.ERROR_TIMEOUT):
		if deadline != Never && Now() >= deadline {
			return TimedOut
		}
		return Woken
	}
	panic(fmt.Errorf("futex: WaitOnAddress(%p): %w", w, err))
}

// Wake wakes one of those that sleep on w, or with an n above 1 all of them: Windows has nothing between. It returns 0, as
// Windows does not count.
func Wake(w *uint32, n int) int {
	switch {
	case n <= 0:
	case n == 1:
		_, _, _ = wakeByAddressSingle.Call(uintptr(unsafe.Pointer(w))) // has no result
	default:
		_, _, _ = wakeByAddressAll.Call(uintptr(unsafe.Pointer(w))) // has no result
	}
	return 0
}
