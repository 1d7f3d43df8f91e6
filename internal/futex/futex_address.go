//go:build (darwin && cgo && !portablefutex) || (linux && portablefutex)

package futex

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Sleeping on an address by calls of the kind that macOS has (futex_darwin.go).
// They are a table of functions, so that all but the calls themselves is tested
// on Linux as well, under portablefutex.
//
// The kernel compares the word and queues the sleeper under one lock, which the
// waking calls take after the waker's store: so the store is seen by the
// comparison, or the sleeper is in the queue. A word that differs looks like a
// wake-up, so the word is compared here first; that first look also makes an
// address without memory a fault of the caller's, as it is with any access, and
// an EFAULT of the call thus one that passes.

// addressCalls are the system's calls. Each returns an errno.
type addressCalls struct {
	// wait sleeps on w while it holds old: for at most that many ns, which are
	// more than 0, or without end for forever. 0 says that it was woken or that
	// the word differs. EINTR, EFAULT and ENOMEM say that it has not slept, or
	// not long enough, and may be called again.
	wait func(w *uint32, old uint32, ns int64) syscall.Errno
	// wakeAny wakes one sleeper, wakeAll all of them. ENOENT says that there
	// was none.
	wakeAny, wakeAll func(w *uint32) syscall.Errno
}

const (
	// forever is the time of a wait without end.
	forever = -1
	// longestWait is the most ns of one call, a day: far from where a
	// conversion to the kernel's ticks could overflow.
	longestWait = int64(24 * time.Hour)
	// severalMeansAll is more sleepers than a process has threads: whoever asks
	// to wake more means all.
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
		case syscall.ETIMEDOUT: // the loop asks the clock: it may have been a part of the time
		case syscall.EINTR: // a signal: a return for no reason
			return Woken
		case syscall.EFAULT, syscall.ENOMEM:
			runtime.Gosched() // the kernel lacks memory, for now
			return Woken
		default:
			panic(fmt.Errorf("futex: wait on %p: %w", w, errno)) // only a bug in this library brings it
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

// wake wakes up to n sleepers. It goes on until there is none left: of several
// wakers none may take a sleeper for its own that another has counted, and none
// needs to, since who wakes has changed the word before.
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

// retry calls f until it has looked for sleepers: a wake-up must not be lost
// because the kernel was out of memory. Any other error says that nobody can
// sleep there.
func (c *addressCalls) retry(f func(w *uint32) syscall.Errno, w *uint32) syscall.Errno {
	for {
		errno := f(w)
		if errno != syscall.EINTR && errno != syscall.ENOMEM {
			return errno
		}
		runtime.Gosched()
	}
}
