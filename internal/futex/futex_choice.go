//go:build portablefutex || !(linux || windows)

package futex

import "time"

// Where no kernel futex is available at compile time there are two
// implementations, and a process uses only one of them: the system's
// wait-on-address calls, which a per-system file assigns to system at
// initialization (futex_darwin.go), or else the queues of futex_portable.go.

// system holds the system's calls, nil if it has none. It does not change after
// the package is initialized.
var system interface {
	sleep(w *uint32, old uint32, deadline int64) Result
	wake(w *uint32, n int)
}

var start = time.Now()

// Now returns the monotonic time in ns since the start of the process, the
// clock of all deadlines. It is Go's own clock, as for the timers that end
// waits in the scheduler. On macOS it is mach_absolute_time, as for the
// system's timed waits: it stops while the machine sleeps.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a [Wake] or deadline. If the
// system has wait-on-address calls, Wait blocks the calling thread; sysmon
// retakes the thread's P for other goroutines after 20 us to 10 ms; Wait panics
// if the system refuses the call. Otherwise Wait blocks the thread only if the
// goroutine is locked to it.
func Wait(w *uint32, old uint32, deadline int64) Result {
	if system != nil {
		return system.sleep(w, old, deadline)
	}
	return sleepInQueue(w, old, deadline)
}

// Wake wakes up to n waiters of w in FIFO order, all of them if n is
// math.MaxInt32, and returns how many it woke. With n <= 0 it does nothing. If
// the system has wait-on-address calls, Wake returns 0, as they do not report a
// count, and the order is up to the system.
func Wake(w *uint32, n int) int {
	if system != nil {
		system.wake(w, n)
		return 0
	}
	return wakeInQueue(w, n)
}
