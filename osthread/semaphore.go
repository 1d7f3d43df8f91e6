package osthread

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Model: verify/semaphore.pml. Everything happens under the queue's guard. One
// who waits is
//
//	a newcomer, who looks for a while --> in the queue --+--> with its turn, looking --> in the queue, in front, ...
//	                                                     \--> served (handed)
//
// Who comes takes what is there, also before those in the queue, who would have
// to wake up first: permits that are given to sleepers lie idle while they
// wake, meanwhile all others join the queue, and from then on each permit costs
// a wake-up. So grant gives turns to those at the head for whom there is
// enough, and keeps count of what it has promised in this way, but not the
// permits. Those who look once more and find too few go back to the front.
//
// When the head has waited for longer than patience the semaphore is starving:
// newcomers take nothing, and grant hands out permits. In a fair semaphore
// nodes are as old as can be. A node of WaitAny cannot look for itself and is
// always handed its permits. WaitAll has to look at its other objects, too:
// when it is next and there is enough for it, that is reserved for its look.
//
// Whenever the guard is given back there is too little, after what is promised,
// for the head: whatever adds to the one or takes from the other calls grant.

// A Semaphore counts permits. The zero value has none and no bound. It must not
// be copied after first use.
//
// Who comes while there are enough permits takes them before those who sleep.
// But one who has waited for a millisecond is served next, as with Lock, also
// if a later one wants fewer, so nobody starves. Any thread or goroutine may
// release what another has acquired.
//
// In the terms of the Go memory model, a Release synchronizes before the return
// of any Acquire that takes its permits.
type Semaphore struct {
	// Fair gives permits to those who wait in the order in which they came, and
	// to nobody before them. It costs a switch of threads each time, and must
	// not change after first use.
	Fair bool

	bounded  bool
	most     int
	permits  atomic.Int64 // written under the guard
	promised int64        // permits that those with a turn will look for; under the guard
	reserved int64        // permits that are nobody's but the WaitAll's that is about to look; under the guard
	starving atomic.Bool  // the head is old, and there is too little for it; likewise, but for looks of those who wait
	q        wait.ObjectQueue

	passed    uint  // times that Release met a promise; under the guard
	turnSince int64 // since when something is promised; likewise
	_         noCopy
}

// NewSemaphore returns a semaphore with n permits. It panics with an error that
// is ErrCount if n < 0.
func NewSemaphore(n int) *Semaphore {
	if n < 0 {
		panic(misuse("NewSemaphore", ErrCount))
	}
	s := new(Semaphore)
	s.permits.Store(int64(n))
	return s
}

// NewBoundedSemaphore returns a semaphore with n permits, which is also the
// most it may ever hold. It panics with an error that is ErrCount if n < 0.
func NewBoundedSemaphore(n int) *Semaphore {
	if n < 0 {
		panic(misuse("NewBoundedSemaphore", ErrCount))
	}
	s := NewSemaphore(n)
	s.bounded, s.most = true, n
	return s
}

// Acquire takes n permits, all at once, sleeping until there are as many. It
// panics with an error that is ErrCount, as do its kin when they try, if n < 1.
// If a bounded semaphore can never hold as many Acquire panics with an error
// that is ErrCount, too; the others fail as if there were too few, and keep
// nobody out.
func (s *Semaphore) Acquire(n int) { s.acquire("Acquire", n, park.Forever()) }

// TryAcquire is AcquireTimeout(n, 0).
func (s *Semaphore) TryAcquire(n int) bool { return s.acquire("TryAcquire", n, park.For(0)) }

// AcquireTimeout is Acquire for at most d and reports whether it took the
// permits. d <= 0 never sleeps.
func (s *Semaphore) AcquireTimeout(n int, d time.Duration) bool {
	return s.acquire("AcquireTimeout", n, park.For(d))
}

// AcquireContext is Acquire until ctx is done; it then returns ctx's cause and
// has taken nothing. If ctx is done already it does not try.
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

// Release gives n permits back. It panics with an error that is ErrCount if n <
// 1, and that is ErrOverflow if a bounded semaphore would hold more than it
// may, or any more than an int can count; the permits are then as they were.
func (s *Semaphore) Release(n int) {
	if n < 1 {
		panic(misuse("Semaphore.Release", ErrCount))
	}
	s.q.Lock()
	most := int64(math.MaxInt)
	if s.bounded {
		most = int64(s.most)
	}
	if int64(n) > most-s.permits.Load() {
		s.q.Unlock()
		panic(misuse("Semaphore.Release", ErrOverflow))
	}
	s.permits.Add(int64(n))
	late := false
	if s.promised > 0 {
		s.passed++
		late = s.passed%ageLooks == 0 && futex.Now()-s.turnSince > patience
	}
	s.letGo()
	if late {
		stepAside()
	}
}

// Value returns the number of permits that are there. By the time the caller
// looks at the result it may be otherwise.
func (s *Semaphore) Value() int {
	s.q.Lock() // or it may be what WaitAll takes for a moment
	defer s.q.Unlock()
	return int(s.permits.Load())
}

func (s *Semaphore) acquire(what string, want int, l park.Limit) bool {
	never := s.bounded && want > s.most
	if want < 1 || never && l.Never() {
		panic(misuse("Semaphore."+what, ErrCount))
	}
	if never {
		n := park.Waiter{Bubble: true}
		n.Park(l)
		return false
	}
	if !s.tryAcquire(int64(want)) && (l.Expired() || !s.acquireSlow(int64(want), &l)) {
		return false
	}
	if l.Canceled() { // before the permits were there, it may be
		s.Release(want)
		return false
	}
	return true
}

func (s *Semaphore) acquireSlow(want int64, l *park.Limit) bool {
	if !s.Fair && s.spin(want) {
		return true
	}
	if trace.Enabled() {
		acquire := func() bool { return s.acquireQueued(want, l) }
		return trace.Around(s, acquire, func() { s.Release(int(want)) })
	}
	return s.acquireQueued(want, l)
}

func (s *Semaphore) acquireQueued(want int64, l *park.Limit) bool {
	n := wait.New(nil, l)
	n.Key, n.Since = uint64(want), since(s.Fair)
	got := s.await(n, l)
	n.Free()
	return got
}

// mayTake reports whether a newcomer may take. The caller has the guard.
func (s *Semaphore) mayTake(want int64) bool {
	return s.free() >= want && !s.starving.Load() && !(s.Fair && s.q.Head() != nil)
}

// free returns how many permits are not reserved. The caller has the guard.
func (s *Semaphore) free() int64 { return s.permits.Load() - s.reserved }

func (s *Semaphore) tryAcquire(want int64) bool {
	s.q.Lock()
	defer s.q.Unlock()
	if !s.mayTake(want) {
		return false
	}
	s.permits.Add(-want)
	return true
}

// spin is tryAcquire that looks for as long as a spinner of a Lock does,
// without the guard as long as there is too little.
func (s *Semaphore) spin(want int64) bool {
	for look := range spinnerLooks() {
		if s.permits.Load() >= want && s.tryAcquire(want) {
			return true
		}
		if s.starving.Load() {
			return false
		}
		backOff(look)
	}
	return false
}

// await waits for permits with the node n, which is in no queue.
func (s *Semaphore) await(n *wait.Node, l *park.Limit) bool {
	if s.enqueue(n) {
		return true
	}
	for wait.Sleep(n, s.leave, l) {
		if n.Got == gotLock {
			return true
		}
		// Also if its time is over: whoever gave the turn relies on the look.
		if got, over := s.takeTurn(n, l); got || over {
			return got
		}
	}
	return false
}

// enqueue puts n into the queue and reports false, or takes its permits and
// reports true.
func (s *Semaphore) enqueue(n *wait.Node) bool {
	s.q.Lock()
	defer s.q.Unlock()
	if want := int64(n.Key); s.mayTake(want) {
		s.permits.Add(-want)
		return true
	}
	s.q.PushBack(n)
	return false
}

// takeTurn ends n's turn, with its permits, or with n in front of the queue
// again, or, if its time is over, with neither.
func (s *Semaphore) takeTurn(n *wait.Node, l *park.Limit) (got, over bool) {
	want := int64(n.Key)
	over = l.Expired()
	s.q.Lock()
	s.promised -= want
	if got = s.free() >= want; got {
		s.permits.Add(-want)
	} else if !over {
		s.q.Restore(n)
	}
	s.letGo()
	return got, over
}

// letGo wakes whoever grant takes out, after it has given the guard back.
func (s *Semaphore) letGo() {
	first := s.grant()
	s.q.Unlock()
	if first != nil {
		wait.Wake(first)
		trace.Released(s)
	}
}

// grant takes out those at the head of the queue for whom there is enough, and
// returns the first; Next leads to the others. The caller has the guard.
func (s *Semaphore) grant() (first *wait.Node) {
	last, starving := &first, false
	for {
		h := s.q.Head()
		if s.tell(h) {
			continue
		}
		if h == nil {
			break
		}
		want, isOld := int64(h.Key), old(h)
		handed := isOld || h.OfSet()
		if s.there(handed) < want {
			starving = isOld
			break
		}
		s.q.Remove(h)
		if !h.Win() {
			continue
		}
		if handed {
			s.permits.Add(-want)
			h.Got = gotLock
		} else {
			if s.promised == 0 {
				s.turnSince = futex.Now()
			}
			s.promised += want
			h.Got = gotTurn
		}
		*last = h
		last = h.NextLink()
	}
	if starving != s.starving.Load() {
		s.starving.Store(starving)
	}
	return first
}

// there returns how many permits there are for one that is handed its permits,
// or looks for them.
func (s *Semaphore) there(handed bool) int64 {
	if handed {
		return s.free()
	}
	return s.free() - s.promised
}

// tell wakes the first WaitAll, and reserves the permits that it wants, if
// there are as many and it waits for longer than h, the head of the queue, if
// any.
func (s *Semaphore) tell(h *wait.Node) bool {
	t := s.q.NotifyHead()
	if t == nil || h != nil && h.Before(t) || s.there(old(t)) < int64(t.Key) {
		return false
	}
	s.reserved += int64(t.Key)
	t.Got = gotTurn
	s.q.Notify()
	return true
}

func (s *Semaphore) leave(n *wait.Node) bool {
	s.q.Lock()
	left := s.q.Remove(n)
	if left {
		s.letGo()
	} else {
		s.q.Unlock()
	}
	return left
}

func (s *Semaphore) queue() *wait.ObjectQueue { return &s.q }
func (s *Semaphore) ready() bool              { return s.mayTake(1) }

// readyInTurn is ready for the longest waiter.
func (s *Semaphore) readyInTurn() bool    { return s.free() >= 1 }
func (s *Semaphore) take()                { s.permits.Add(-1) }
func (s *Semaphore) untake()              { s.permits.Add(1) }
func (s *Semaphore) foreign() wait.Source { return nil }
