//go:build portablefutex || !(linux || windows)

package futex

import "time"

// Where the kernel's futex is not available at compile time there are two ways
// to sleep, and a process uses one of them: the system's calls to sleep on an
// address, which a file for the system stores in system when the process starts
// (futex_darwin.go), or otherwise the queues of futex_portable.go.

// system is the system's calls, nil if it has none. It does not change once the
// package is initialized.
var system interface {
	sleep(w *uint32, old uint32, deadline int64) Result
	wake(w *uint32, n int)
}

// sharedSystem is system for words in memory that several processes have
// mapped, nil if it has no such calls.
var sharedSystem interface {
	sleep(w *uint32, old uint32, deadline int64) Result
	wake(w *uint32, n int)
}

var start = time.Now()

// Now returns a monotonic time in ns since the start of the process, the clock
// of deadlines. It is Go's own clock, as is that of the timers that end sleeps
// in the scheduler. On macOS it is mach_absolute_time, as is that of the
// system's sleeps: it stands still while the machine sleeps.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a [Wake] or deadline. Where the
// system has calls for it, it blocks the calling thread; sysmon hands the
// thread's P off after 20 us to 10 ms. It panics if the system refuses the
// call. Elsewhere it blocks the thread only if the goroutine is locked to it.
func Wait(w *uint32, old uint32, deadline int64) Result {
	if system != nil {
		return system.sleep(w, old, deadline)
	}
	return sleepInQueue(w, old, deadline)
}

// CanShare reports whether [WaitShared] and [WakeShared] work.
func CanShare() bool { return sharedSystem != nil }

// WaitShared is Wait for a word in memory that several processes have mapped.
func WaitShared(w *uint32, old uint32, deadline int64) Result {
	return sharedSystem.sleep(w, old, deadline)
}

// WakeShared is Wake for the sleepers of [WaitShared] in all processes.
func WakeShared(w *uint32, n int) int {
	sharedSystem.wake(w, n)
	return 0
}

// Wake wakes up to n threads that sleep on w, math.MaxInt32 for all, in FIFO
// order, and returns how many. With n <= 0 it does nothing. Where the system
// has calls for it, it returns 0, as the system does not count, and the order
// is the system's.
func Wake(w *uint32, n int) int {
	if system != nil {
		system.wake(w, n)
		return 0
	}
	return wakeInQueue(w, n)
}
