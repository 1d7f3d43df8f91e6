//go:build portablefutex || !(linux || windows)

package futex

import "time"

// Where the kernel's futex is not to be had at compile time there are two ways
// to sleep, and a process uses one of them alone: the system's calls of
// address, which a file for the system puts into system at its start
// (futex_darwin.go), or without them the queues of futex_portable.go.

// system is the system's calls, nil if it has none. It does not change once the
// package is initialized.
var system interface {
	sleep(w *uint32, old uint32, deadline int64) Result
	wake(w *uint32, n int)
}

var start = time.Now()

// Now returns a monotonic time in ns since the start of the process, which
// deadlines are read on. It is Go's own clock, as the timers are that end the
// sleeps in the scheduler. On macOS it is mach_absolute_time, as that of the
// system's sleeps is: it stands still while the machine sleeps.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a [Wake] or deadline. Where the
// system has calls for it, it holds the calling thread, and the thread's P goes
// to other goroutines when sysmon notices, after 20 us to 10 ms; it panics if
// the system refuses the call. Elsewhere it holds the thread only if the
// goroutine is locked to it.
func Wait(w *uint32, old uint32, deadline int64) Result {
	if system != nil {
		return system.sleep(w, old, deadline)
	}
	return sleepInQueue(w, old, deadline)
}

// Wake wakes up to n of those that sleep on w, math.MaxInt32 for all, and
// returns how many: those first who have slept longest. With n <= 0 it does
// nothing. Where the system has calls for it, it returns 0, as the system does
// not count, and the order is the system's.
func Wake(w *uint32, n int) int {
	if system != nil {
		system.wake(w, n)
		return 0
	}
	return wakeInQueue(w, n)
}
