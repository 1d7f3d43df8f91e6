//go:build (darwin && cgo && !portablefutex) || (linux && portablefutex)

package futex

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Wait and Wake over system calls like those of macOS (futex_darwin.go). The
// calls are a table of functions, so that everything but the calls themselves
// is also tested on Linux, under portablefutex.
//
// The kernel compares the word and queues the waiter under one lock, which the
// waking calls take after the waker's store: either the comparison sees the
// store, or the waiter is in the queue. The kernel reports a changed word as a
// wakeup, so sleep compares the word first. That load also faults on an
// unmapped address, as any access does, so an EFAULT from the call is
// transient.

// addressCalls are the system's calls. Each returns an errno.
type addressCalls struct {
	// wait sleeps on w while it holds old, for at most ns > 0 nanoseconds, or
	// without limit if ns is forever. It returns 0 if it was woken or if the
	// word differs. After EINTR, EFAULT and ENOMEM, when it has not slept or
	// not long enough, it may be called again.
	wait func(w *uint32, old uint32, ns int64) syscall.Errno
	// wakeAny wakes one waiter, wakeAll wakes all. They return ENOENT if there
	// is none.
	wakeAny, wakeAll func(w *uint32) syscall.Errno
}

const (
	// forever is the ns of a wait without a timeout.
	forever = -1
	// longestWait is the maximum ns of one call, a day: far below the values at
	// which a conversion to the kernel's ticks could overflow.
	longestWait = int64(24 * time.Hour)
	// severalMeansAll exceeds the number of threads of any process: a Wake of
	// more than that wakes all.
	severalMeansAll = 1 << 16
)

func (c *addressCalls) sleep(w *uint32, old uint32, deadline int64) Result {
	for {
		if atomic.LoadUint32(w) != old {
			return Changed
		}
		ns := timeLeft(deadline)
		if ns == 0 {
			return TimedOut
		}
		switch errno := c.wait(w, old, ns); errno {
		case 0:
			return Woken
		case syscall.ETIMEDOUT: // the loop checks the clock: one call may cover only part of the time
		case syscall.EINTR: // a signal: a spurious wakeup
			return Woken
		case syscall.EFAULT, syscall.ENOMEM:
			runtime.Gosched() // the kernel is temporarily out of memory
			return Woken
		default:
			panic(fmt.Errorf("futex: wait on %p: %w", w, errno)) // only a bug in this library causes it
		}
	}
}

// timeLeft returns the ns for one call of wait, 0 if deadline has passed.
func timeLeft(deadline int64) int64 {
	if deadline == Never {
		return forever
	}
	return min(max(max(deadline, 0)-Now(), 0), longestWait)
}

// wake wakes up to n waiters and stops early only if there are none left. A
// waiter that another waker has already counted does not count here, nor does
// it have to: each waker has changed the word beforehand.
func (c *addressCalls) wake(w *uint32, n int) {
	if n > severalMeansAll {
		c.retry(c.wakeAll, w)
		return
	}
	for range n {
		if c.retry(c.wakeAny, w) != 0 {
			return
		}
	}
}

// retry calls f until it has searched for waiters: a wakeup must not be lost
// because the kernel was out of memory. Any other error means that no thread
// can be waiting on w.
func (c *addressCalls) retry(f func(w *uint32) syscall.Errno, w *uint32) syscall.Errno {
	for {
		errno := f(w)
		if errno != syscall.EINTR && errno != syscall.ENOMEM {
			return errno
		}
		runtime.Gosched()
	}
}
