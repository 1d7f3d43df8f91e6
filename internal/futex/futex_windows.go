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

// WaitOnAddress, of Windows 8. It compares the word after it has queued the
// sleeper for WakeByAddress, so the comparison sees a waker's store, or the
// wakeup finds the sleeper. Spurious wakeups are part of its contract, too.
// Go's import libraries do not know its DLL, so it is looked up at run time.
//
// Its timeouts are relative and in ms, so one call may be shorter than the
// wait: the loop in Wait checks the clock. Before a wakeup between two calls
// the waker has changed the word, which the loop compares again.

var (
	synch               = windows.NewLazySystemDLL("api-ms-win-core-synch-l1-2-0.dll")
	waitOnAddress       = synch.NewProc("WaitOnAddress")
	wakeByAddressSingle = synch.NewProc("WakeByAddressSingle")
	wakeByAddressAll    = synch.NewProc("WakeByAddressAll")
)

// longest is the ms limit of one call, 24 days. INFINITE, which must not be
// reached by accident, is twice as much.
const longest = math.MaxInt32

var start = time.Now()

// Now returns a monotonic time in ns since the start of the process, the clock
// of deadlines. Go reads it from the interrupt time, in a few ns. It advances
// by the ticks that end the system's timed sleeps, so a finer clock would gain
// nothing for deadlines, and the performance counter costs more and may drift
// from the ticks.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a [Wake] or deadline. It blocks
// the calling thread; sysmon hands the thread's P off after 20 us to 10 ms. It
// panics if the system refuses the call.
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

// timeout returns the ms until deadline for WaitOnAddress, rounded up: a sleep
// that ended before its deadline would make the loop spin.
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

// many is more sleepers than a process has threads: a request for more means
// all.
const many = 1 << 16

// Wake wakes up to n threads that sleep on w, math.MaxInt32 for all. With n <=
// 0 it does nothing. It returns 0, as the system does not count.
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

// CanShare reports whether [WaitShared] and [WakeShared] work. The system's
// calls know only their own process.
func CanShare() bool { return false }

// WaitShared panics; see [CanShare].
func WaitShared(*uint32, uint32, int64) Result { panic("futex: no sleep on shared memory") }

// WakeShared panics; see [CanShare].
func WakeShared(*uint32, int) int { panic("futex: no sleep on shared memory") }
