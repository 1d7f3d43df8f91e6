package osthread

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/semaphore.pml. How waiters go through the queue: retries.go.
// Everything happens under the queue's guard.
//
// grant wakes the waiters at the head of the queue to retry, as many as there
// are permits for, and counts the permits that they will try to take. Those
// that find too few go back to the front.
//
// When the head has waited for longer than starvationThreshold the semaphore is
// starving: newcomers take nothing, and grant hands out permits. A node of
// WaitAny cannot retry and is always handed its permits. WaitAll has to check
// its other objects, too: when it is next and there are enough permits for it,
// grant reserves them and notifies it.
//
// Invariant: whenever the guard is released there are too few permits for the
// head, after those that retries will take. Every change of either calls grant.

// A Semaphore counts permits. The zero value has none and no bound. It must not
// be copied after first use.
//
// A Semaphore allows barging: a caller that finds enough permits takes them
// ahead of sleeping waiters. A waiter that has waited for 1 ms is served next,
// as with [Lock], even if a later one wants fewer, so no waiter starves. Any
// thread or goroutine may release what another has acquired.
//
// In the terms of the Go memory model, a Release synchronizes before the return
// of any Acquire that takes its permits.
type Semaphore struct {
	// Fair gives permits to waiters in the order in which they came, and lets
	// no caller barge. That costs a thread switch each time. It must not change
	// after first use.
	Fair bool

	bounded  bool
	max      int
	permits  atomic.Int64 // written under the guard
	reserved int64        // of them, for a WaitAll that was notified; under the guard
	retries  retries      // permits that waiters woken to retry will take
	starving atomic.Bool  // the head is, and there are too few permits for it; written under the guard
	q        wait.ObjectQueue
	_        noCopy
}

// NewSemaphore returns a semaphore with n permits. It panics with an error that
// is [ErrCount] if n < 0.
func NewSemaphore(n int) *Semaphore { return newSemaphore("NewSemaphore", n, false) }

// NewBoundedSemaphore returns a semaphore with n permits, which is also the
// most it may ever hold. It panics with an error that is [ErrCount] if n < 0.
func NewBoundedSemaphore(n int) *Semaphore { return newSemaphore("NewBoundedSemaphore", n, true) }

func newSemaphore(op string, n int, bounded bool) *Semaphore {
	if n < 0 {
		panic(misuse(op, ErrCount))
	}
	s := &Semaphore{bounded: bounded, max: n}
	s.permits.Store(int64(n))
	return s
}

// Acquire takes n permits, all at once, sleeping until there are as many. It
// panics with an error that is [ErrCount], as do its variants when they try, if
// n < 1. If a bounded semaphore can never hold as many Acquire panics with an
// error that is ErrCount, too; the others fail as if there were too few, and
// keep no other caller out.
func (s *Semaphore) Acquire(n int) { s.acquire("Acquire", n, park.Forever()) }

// TryAcquire is AcquireTimeout(n, 0).
func (s *Semaphore) TryAcquire(n int) bool { return s.acquire("TryAcquire", n, park.For(0)) }

// AcquireTimeout is Acquire for at most d and reports whether it took the
// permits.
func (s *Semaphore) AcquireTimeout(n int, d time.Duration) bool {
	return s.acquire("AcquireTimeout", n, park.For(d))
}

// AcquireContext is Acquire until ctx is done; it then returns ctx's cause and
// has taken nothing.
func (s *Semaphore) AcquireContext(ctx context.Context, n int) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !s.acquire("AcquireContext", n, l) {
		return l.Err(nil)
	}
	return nil
}

func (s *Semaphore) acquire(op string, n int, l park.Limit) bool {
	never := s.bounded && n > s.max
	switch {
	case n < 1 || never && l.Never():
		panic(misuse("Semaphore."+op, ErrCount))
	case never:
		w := park.Waiter{Bubble: true}
		w.Park(l)
		return false
	default:
		return acquire(s, uint64(n), &l)
	}
}

// Release gives n permits back. It panics with an error that is [ErrCount] if n
// < 1, and that is [ErrOverflow] if a bounded semaphore would hold more than it
// may, or any more than an int can count; the permits are then unchanged.
func (s *Semaphore) Release(n int) {
	if n < 1 {
		panic(misuse("Semaphore.Release", ErrCount))
	}
	most := int64(math.MaxInt)
	if s.bounded {
		most = int64(s.max)
	}
	s.q.Lock()
	if int64(n) > most-s.permits.Load() {
		s.q.Unlock()
		panic(misuse("Semaphore.Release", ErrOverflow))
	}
	s.permits.Add(int64(n))
	overdue := s.retries.out > 0 && !s.retries.pass() && s.retries.overdue()
	s.unlockAndWake()
	if overdue {
		stepAside()
	}
}

// Value returns the number of available permits. The result may be stale by the
// time it is used.
func (s *Semaphore) Value() int {
	s.q.Lock() // WaitAll takes permits for a moment
	defer s.q.Unlock()
	return int(s.permits.Load())
}

// available returns how many permits are not reserved. The caller holds the
// guard.
func (s *Semaphore) available() int64 { return s.permits.Load() - s.reserved }

// mayTake reports whether a newcomer may take n permits. The caller holds the
// guard.
func (s *Semaphore) mayTake(n int64) bool {
	return s.available() >= n && !s.starving.Load() && !(s.Fair && s.q.Head() != nil)
}

// WaitSource makes s a [Waitable].
func (s *Semaphore) WaitSource() wait.Source { return (*semaphoreSource)(s) }

type semaphoreSource Semaphore

func (s *semaphoreSource) Queue() *wait.ObjectQueue { return &s.q }
func (s *semaphoreSource) Ready() bool              { return (*Semaphore)(s).mayTake(1) }
func (s *semaphoreSource) Take()                    { s.permits.Add(-1) }
func (s *semaphoreSource) Untake()                  { s.permits.Add(1) }

func (s *Semaphore) isFair() bool    { return s.Fair }
func (s *Semaphore) undo(key uint64) { s.Release(int(key)) }

func (s *Semaphore) try(key uint64) bool {
	s.q.Lock()
	defer s.q.Unlock()
	may := s.mayTake(int64(key))
	if may {
		s.permits.Add(-int64(key))
	}
	return may
}

// spin does not take the guard while there are too few permits.
func (s *Semaphore) spin(key uint64) bool {
	return poll(func() (ok, closed bool) {
		return s.permits.Load() >= int64(key) && s.try(key), s.starving.Load()
	})
}

// retry does not spin: grant has counted the permits.
func (s *Semaphore) retry(n *wait.Node) bool {
	s.q.Lock()
	if s.available() < int64(n.Key) {
		s.q.Unlock()
		return false
	}
	s.permits.Add(-int64(n.Key))
	s.endRetry(n)
	return true
}

func (s *Semaphore) giveUp(n *wait.Node) {
	s.q.Lock()
	s.endRetry(n)
}

// endRetry releases the guard, which the caller holds.
func (s *Semaphore) endRetry(n *wait.Node) {
	s.retries.out -= int64(n.Key)
	s.unlockAndWake()
}

func (s *Semaphore) enqueue(n *wait.Node, again bool) bool {
	s.q.Lock()
	if again {
		s.q.Restore(n)
		s.endRetry(n) // may take n out again
		return false
	}
	may := s.mayTake(int64(n.Key))
	if may {
		s.permits.Add(-int64(n.Key))
	} else {
		s.q.PushBack(n)
	}
	s.q.Unlock()
	return may
}

func (s *Semaphore) leave(n *wait.Node) bool {
	s.q.Lock()
	defer s.unlockAndWake()
	return s.q.Remove(n)
}

// unlockAndWake calls grant, releases the guard, and wakes the waiters.
func (s *Semaphore) unlockAndWake() {
	first := s.grant()
	s.q.Unlock()
	if first != nil {
		wait.Wake(first)
		trace.Released(s)
	}
}

// grant takes out the waiters at the head of the queue for which there are
// enough permits, and returns their chain. The caller holds the guard.
func (s *Semaphore) grant() *wait.Node {
	var granted wait.Chain
	starving := false
	for {
		h := s.q.Head()
		if s.notify(h) {
			continue
		}
		if h == nil {
			break
		}
		old := starves(h)
		handOff := old || h.OfSet()
		if s.left(handOff) < int64(h.Key) {
			starving = old
			break
		}
		s.q.Unlink(h)
		switch {
		case !h.Win():
			continue
		case handOff:
			s.permits.Add(-int64(h.Key))
			h.Got = gotLock
		default:
			s.retries.give(int64(h.Key))
			h.Got = gotRetry
		}
		granted.PushBack(h)
	}
	if starving != s.starving.Load() {
		s.starving.Store(starving)
	}
	return granted.Head()
}

// left returns how many permits there are for a waiter that is handed them, or
// for one that is woken to retry after those that were woken before.
func (s *Semaphore) left(handOff bool) int64 {
	if handOff {
		return s.available()
	}
	return s.available() - s.retries.out
}

// notify wakes the first WaitAll, and reserves the permits that it wants, if
// there are as many and it has waited for longer than h, the head of the queue,
// if any.
func (s *Semaphore) notify(h *wait.Node) bool {
	n := s.q.NotifyHead()
	if n == nil || h != nil && h.Before(n) || s.left(starves(n)) < int64(n.Key) {
		return false
	}
	s.reserved += int64(n.Key)
	n.Got = gotRetry
	s.q.Notify()
	return true
}
