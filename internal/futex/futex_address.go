//go:build (darwin && cgo && !portablefutex) || (linux && portablefutex)

package futex

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Sleeping on an address by calls as macOS has them (futex_darwin.go). They are
// a table of functions, so that all but the calls themselves is tested on Linux
// as well, under portablefutex.
//
// The kernel compares the word and queues the sleeper under one lock, which the
// waking calls take after the waker's store: so the comparison sees the store,
// or the sleeper is in the queue. The calls report a word that differs as a
// wakeup, so the word is compared here first. That access also faults on an
// address without memory, so an EFAULT of the call itself is transient.

// addressCalls are the system's calls. Each returns an errno.
type addressCalls struct {
	// wait sleeps on w while it holds old, for at most ns > 0, or without a
	// limit for forever. 0 says that it was woken or that the word differs.
	// EINTR, EFAULT and ENOMEM say that it has not slept, or not long enough,
	// and may be called again.
	wait func(w *uint32, old uint32, ns int64) syscall.Errno
	// wakeAny wakes one sleeper, wakeAll all of them. ENOENT says that there
	// was none.
	wakeAny, wakeAll func(w *uint32) syscall.Errno
}

const (
	// forever is the time of a wait without a limit.
	forever = -1
	// longestWait is the ns limit of one call, a day: the conversion to the
	// kernel's ticks cannot overflow.
	longestWait = int64(24 * time.Hour)
	// severalMeansAll is more sleepers than a process has threads: a request to
	// wake more means all.
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
		case syscall.ETIMEDOUT: // the loop checks the clock: this may have been a part of the wait
		case syscall.EINTR: // a signal: a spurious wakeup
			return Woken
		case syscall.EFAULT, syscall.ENOMEM:
			runtime.Gosched() // the kernel lacks memory, for now
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

// wake wakes up to n sleepers, until there is none left. Concurrent wakers may
// share a sleeper; that is no lost wakeup, since each has changed the word
// before.
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

// retry calls f until it has searched for sleepers: a wakeup must not be lost
// because the kernel was out of memory. Any other error says that no thread can
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
