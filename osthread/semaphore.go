package osthread

import (
	"context"
	"math"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// Model: verify/semaphore.pml. Everything happens under the queue's guard. Permits are given to waiters, not left lying for them: Release
// takes the head out for as long as there is enough for it, and so does a waiter that leaves, since the one behind it may want less. Whoever is
// in the queue therefore wants more than there is, or stands behind one that does. A woken waiter has its permits; nobody can come before it.

// A Semaphore counts permits. The zero value has none and no bound. It must not be copied after first use.
//
// Permits go to those who wait in the order in which they came, also when a later one wants fewer. Any thread or goroutine may release
// what another has acquired.
//
// In the terms of the Go memory model, a Release synchronizes before the return of any Acquire that takes its permits.
type Semaphore struct {
	bounded bool
	most    int
	permits int
	spin    park.Spinner
	q       wait.Queue
	_       noCopy
}

// NewSemaphore returns a semaphore with n permits. It panics with an error that is ErrCount if n < 0.
func NewSemaphore(n int) *Semaphore {
	if n < 0 {
		panic(misuse("NewSemaphore", ErrCount))
	}
	return &Semaphore{permits: n}
}

// NewBoundedSemaphore returns a semaphore with n permits, which is also the most it may ever hold. It panics with an error that is ErrCount if n < 0.
func NewBoundedSemaphore(n int) *Semaphore {
	if n < 0 {
		panic(misuse("NewBoundedSemaphore", ErrCount))
	}
	return &Semaphore{permits: n, bounded: true, most: n}
}

// Acquire takes n permits, all at once, sleeping until there are as many and nobody who came before waits. It panics with an error that is
// ErrCount, as do its kin, if n < 1, or if the semaphore is bounded and can never hold as many.
func (s *Semaphore) Acquire(n int) { s.acquire("Acquire", n, futex.Never, nil) }

// TryAcquire is AcquireTimeout(n, 0).
func (s *Semaphore) TryAcquire(n int) bool { return s.acquire("TryAcquire", n, futex.After(0), nil) }

// AcquireTimeout is Acquire for at most d and reports whether it took the permits. d <= 0 never sleeps.
func (s *Semaphore) AcquireTimeout(n int, d time.Duration) bool {
	return s.acquire("AcquireTimeout", n, futex.After(d), nil)
}

// AcquireContext is Acquire until ctx is done; it then returns ctx's cause and has taken nothing. If ctx is done already it does not try.
func (s *Semaphore) AcquireContext(ctx context.Context, n int) error {
	if ctx.Err() != nil || !s.acquire("AcquireContext", n, futex.Never, ctx) {
		return context.Cause(ctx)
	}
	return nil
}

// Release gives n permits back. It panics with an error that is ErrCount if n < 1, and that is ErrOverflow if a bounded semaphore would hold
// more than it may, or any more than an int can count; the permits are then as they were.
func (s *Semaphore) Release(n int) {
	if n < 1 {
		panic(misuse("Semaphore.Release", ErrCount))
	}
	s.q.Lock()
	most := math.MaxInt
	if s.bounded {
		most = s.most
	}
	if n > most-s.permits {
		s.q.Unlock()
		panic(misuse("Semaphore.Release", ErrOverflow))
	}
	s.permits += n
	first := s.grant()
	s.q.Unlock()
	if first != nil {
		wait.WakeAll(first, gotNotice)
		released(s)
	}
}

// Value returns the number of permits that are there. By the time the caller looks at the result it may be otherwise.
func (s *Semaphore) Value() int {
	s.q.Lock()
	defer s.q.Unlock()
	return s.permits
}

func (s *Semaphore) acquire(what string, want int, deadline int64, ctx context.Context) bool {
	if want < 1 || s.bounded && want > s.most {
		panic(misuse("Semaphore."+what, ErrCount))
	}
	s.q.Lock()
	if s.q.Head() == nil && s.permits >= want {
		s.permits -= want
		s.q.Unlock()
		return true
	}
	s.q.Unlock()
	if wait.Over(deadline, ctx) {
		return false
	}
	return s.acquireSlow(want, deadline, ctx)
}

func (s *Semaphore) acquireSlow(want int, deadline int64, ctx context.Context) bool {
	n := wait.New(&s.spin)
	defer n.Free()
	n.Key = uint64(want)
	s.q.Lock()
	if s.q.Head() == nil && s.permits >= want {
		s.permits -= want
		s.q.Unlock()
		return true
	}
	s.q.PushBack(n)
	s.q.Unlock()
	return wait.Sleep(n, s.leave, deadline, ctx, s)
}

// grant takes out those at the head of the queue for whom there is enough, and returns the first; Next leads to the others. The caller has the
// guard.
func (s *Semaphore) grant() (first *wait.Node) {
	last := &first
	for h := s.q.Head(); h != nil && uint64(s.permits) >= h.Key; h = s.q.Head() {
		s.q.Remove(h)
		if !h.Win() {
			continue
		}
		s.permits -= int(h.Key)
		*last = h
		last = h.NextLink()
	}
	return first
}

func (s *Semaphore) leave(n *wait.Node) bool {
	s.q.Lock()
	left := s.q.Remove(n)
	var first *wait.Node
	if left {
		first = s.grant()
	}
	s.q.Unlock()
	wait.WakeAll(first, gotNotice)
	return left
}

func (s *Semaphore) queue() *wait.Queue   { return &s.q }
func (s *Semaphore) ready() bool          { return s.q.Head() == nil && s.permits >= 1 }
func (s *Semaphore) take()                { s.permits-- }
func (s *Semaphore) untake()              { s.permits++ }
func (s *Semaphore) foreign() wait.Source { return nil }
