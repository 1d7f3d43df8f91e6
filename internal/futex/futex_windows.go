//go:build windows && !portablefutex

package futex

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// WaitOnAddress, new in Windows 8. It queues the waiter for WakeByAddress
// before it compares the word: either the comparison sees a waker's store, or
// the wakeup finds the waiter. Its contract also allows spurious wakeups. Go's
// import libraries do not include its DLL, so it is looked up at run time.
//
// Its timeouts are relative and in ms, so one call may cover only part of a
// wait: the loop in Wait checks the clock. A waker that comes between two calls
// has already changed the word, and the loop compares it again.

var (
	synch               = windows.NewLazySystemDLL("api-ms-win-core-synch-l1-2-0.dll")
	waitOnAddress       = synch.NewProc("WaitOnAddress")
	wakeByAddressSingle = synch.NewProc("WakeByAddressSingle")
	wakeByAddressAll    = synch.NewProc("WakeByAddressAll")
)

// longest is the maximum ms of one call, 24 days. INFINITE, which must not
// result by accident, is twice that.
const longest = math.MaxInt32

var start = time.Now()

// Now returns the monotonic time in ns since the start of the process, the
// clock of all deadlines. Go reads it from the interrupt time, in a few ns. It
// advances by the same ticks that end the system's timed waits, so a finer
// clock would gain nothing for deadlines; the performance counter costs more
// and may drift from the ticks.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a [Wake] or deadline. It blocks
// the calling thread; sysmon retakes the thread's P for other goroutines after
// 20 us to 10 ms. It panics if the system refuses the call.
func Wait(w *uint32, old uint32, deadline int64) Result {
	for {
		if atomic.LoadUint32(w) != old {
			return Changed // the system does not distinguish it from Woken
		}
		ok, _, err := waitOnAddress.Call(
			uintptr(unsafe.Pointer(w)),
			uintptr(unsafe.Pointer(&old)),
			unsafe.Sizeof(old),
			timeout(deadline),
		)
		switch {
		case ok != 0:
			return Woken
		case !errors.Is(err, windows.ERROR_TIMEOUT):
			panic(fmt.Errorf("futex: WaitOnAddress(%p): %w", w, err))
		case deadline != Never && deadline <= Now():
			return TimedOut
		}
	}
}

// timeout returns the ms until deadline for WaitOnAddress, rounded up: a wait
// that ends before its deadline would turn the loop into a busy loop.
func timeout(deadline int64) uintptr {
	if deadline == Never {
		return windows.INFINITE
	}
	left := max(max(deadline, 0)-Now(), 0)
	ms := left / int64(time.Millisecond)
	if left%int64(time.Millisecond) != 0 {
		ms++
	}
	return uintptr(min(ms, longest))
}

// many exceeds the number of threads of any process: a Wake of more than that
// wakes all.
const many = 1 << 16

// Wake wakes up to n waiters of w, all of them if n is math.MaxInt32. With n <=
// 0 it does nothing. It returns 0, as the system does not report a count.
func Wake(w *uint32, n int) int {
	if n > many {
		_, _, _ = wakeByAddressAll.Call(uintptr(unsafe.Pointer(w))) // has no result
		return 0
	}
	for range n {
		_, _, _ = wakeByAddressSingle.Call(uintptr(unsafe.Pointer(w))) // has no result
	}
	return 0
}
