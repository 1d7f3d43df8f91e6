package osthread

import (
	"context"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"example.com/thread/internal/contention"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// Model: verify/semaphore.pml. How waiters go through the queue: retries.go.
//
// # State
//
//	word     permits | semQueued, or semBusy
//	queue    nil until the first waiter needs it
//
//	semQueued   There may be waiters: a Release checks the queue, a newcomer
//	            what is kept from it. Set and cleared by unlock.
//	semBusy     A thread holds the guard and has taken the permits out of the
//	            word. All others wait for the guard.
//
// While nobody waits Acquire and Release are one swap of the word. With waiters
// they still are, but for the following. lock takes the guard and the permits,
// so that nothing changes until unlock has put the permits back; all that a
// queue needs is done in between. unlock publishes, beside the word,
//
//	need   how many permits must be there for the next waiter to be served:
//	       what it wants, after what is promised to those that were woken
//	kept   how many permits newcomers must leave: those reserved for a WaitAll
//	       that was notified; all, if the semaphore is closed
//	due    when a Release that may pass checks all the same
//
// grant wakes the waiters at the head of the queue to retry, as many as there
// are permits for, and counts the permits that they will try to take as
// promised. Those that find too few go back to the front. A Release that leaves
// fewer permits than need passes: it leaves them to the waiters that were
// woken, to newcomers, or to a later Release.
//
// A woken waiter may not get a processor for long, and must not keep others
// asleep meanwhile: if the last wakeup is older than wakeupLate grant wakes the
// head as well, if there are enough permits for it alone, until maxWoken
// waiters are on their way. That may promise more permits than there are.
//
// When the head has waited for longer than starvationThreshold the semaphore is
// starving, and closed: newcomers take nothing, and grant hands out permits. A
// fair one is closed while there is a queue. A node of WaitAny cannot retry and
// is always handed its permits. WaitAll has to check its other objects, too:
// when it is next and there are enough permits for it, grant reserves them and
// notifies it. WaitAny and WaitAll hold the lock of all semaphores they check.
//
// # No lost wakeups
//
// Invariant: while the word is not busy there are fewer permits than need, or a
// Release is committed to calling grant.
//
//   - Only a Release adds permits to a word that is not busy. It reads semQueued
//     in the same step. If that is set it loads need afterwards.
//   - need changes while the word is busy. If it was lowered after the step of
//     the Release, the lock in between has taken the new permits, and the check
//     was made with them. Otherwise the Release loads the new value.
//   - Whatever may lower need or add permits under the lock calls grant, which
//     ends when there are fewer permits than the head needs: a waiter that
//     leaves, a retry that ends. A newcomer that enqueues has found too few
//     permits, or is not the head.
//   - semQueued is cleared only under the lock, and a newcomer checks the
//     permits under the lock before it enqueues.
//
// # Memory order
//
// All accesses are sequentially consistent. Permits are taken by a swap of a
// word that a Release has written, or out of one by lock; each of these reads
// what the last Release wrote. If grant takes them on a waiter's behalf, Unpark
// passes that on.
//
// A newcomer loads kept after the word and before its swap. If kept grew in
// between, the word was busy, and the swap fails unless the word is as before:
// then one newcomer takes permits as if it had come a little earlier. Nothing
// relies on kept: a WaitAll that finds too few waits again.

// A Semaphore counts permits. The zero value has none and no bound. It must not
// be copied after first use.
//
// A Semaphore allows barging: a caller that finds enough permits takes them
// ahead of sleeping waiters. A waiter that has waited for 1 ms is served next,
// even if a later one wants fewer, so no waiter starves. Any thread or
// goroutine may release what another has acquired.
//
// In the terms of the Go memory model, a Release synchronizes before the return
// of any Acquire that takes its permits.
type Semaphore struct {
	// Fair gives permits to waiters in the order in which they came, and lets
	// no caller barge. That costs a thread switch each time. It must not change
	// after first use.
	Fair bool

	_     noCopy
	short int64 // by how much it may hold less than math.MaxInt; 0: it has no bound
	word  atomic.Int64
	q     atomic.Pointer[semaphoreQueue] // nil until the first waiter needs it; not nil if the word is negative
}

// A semaphoreQueue is what only waiters need of a Semaphore. What is not atomic
// is under the guard.
type semaphoreQueue struct {
	wait.ObjectQueue
	fair     bool
	starving bool  // the head is, and there are too few permits for it
	permits  int64 // by lock, from the word
	reserved int64 // of them, for a WaitAll that was notified
	promised int64 // permits that waiters woken to retry will take
	woken    int   // those
	wokenAt  int64 // when the last of them was woken; on one processor, the first

	need, kept, due atomic.Int64
}

const (
	semQueued int64 = math.MinInt64
	semBusy   int64 = -1 // also MaxInt permits and semQueued, which may as well be left to the guard
	semAll    int64 = math.MaxInt64
)

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
	s := &Semaphore{}
	if bounded {
		s.short = int64(math.MaxInt - n)
	}
	s.word.Store(int64(n))
	return s
}

// Acquire takes n permits, all at once, sleeping until there are as many. It
// panics with an error that is [ErrCount], as do its variants when they try, if
// n < 1. If a bounded semaphore can never hold as many Acquire panics with an
// error that is ErrCount, too; the others fail as if there were too few, and
// keep no other caller out.
func (s *Semaphore) Acquire(n int) {
	if w := s.word.Load(); watch.On || n < 1 || w < int64(n) || !s.word.CompareAndSwap(w, w-int64(n)) {
		s.acquire("Acquire", n, &unlimited)
	}
}

// TryAcquire is AcquireTimeout(n, 0).
func (s *Semaphore) TryAcquire(n int) bool { return s.AcquireTimeout(n, 0) }

// AcquireTimeout is Acquire for at most d and reports whether it took the
// permits.
func (s *Semaphore) AcquireTimeout(n int, d time.Duration) bool {
	l := park.For(d).Unwinding()
	return s.acquire("AcquireTimeout", n, &l)
}

// AcquireContext is Acquire until ctx is done; it then returns ctx's cause and
// has taken nothing.
func (s *Semaphore) AcquireContext(ctx context.Context, n int) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !s.acquire("AcquireContext", n, &l) {
		return l.Err(nil)
	}
	return nil
}

func (s *Semaphore) acquire(op string, n int, l *park.Limit) bool {
	never := int64(n) > s.most()
	switch {
	case n < 1 || never && l.Never():
		panic(misuse("Semaphore."+op, ErrCount))
	case never:
		w := park.Waiter{Bubble: true, For: s}
		w.Park(*l)
		l.Unwind()
		return false
	case l.Never() && s.try(uint64(n)) || acquire(s, uint64(n), l):
		s.acquired(n)
		return true
	default:
		return false
	}
}

// acquired notes in watch mode that the caller has taken n permits.
func (s *Semaphore) acquired(n int) {
	if watch.On {
		watch.Acquired(s, watch.Permits, n)
	}
}

// most returns how many permits s may hold.
func (s *Semaphore) most() int64 { return math.MaxInt - s.short }

// Release gives n permits back. It panics with an error that is [ErrCount] if n
// < 1, and that is [ErrOverflow] if a bounded semaphore would hold more than it
// may, or any more than an int can count; the permits are then unchanged.
func (s *Semaphore) Release(n int) {
	if w := s.word.Load(); watch.On || n < 1 || w < 0 || int64(n) > math.MaxInt-s.short-w ||
		!s.word.CompareAndSwap(w, w+int64(n)) {
		s.releaseSlow(n)
	}
}

func (s *Semaphore) releaseSlow(n int) {
	s.release(int64(n))
	if watch.On {
		watch.Released(s, watch.Permits, n)
	}
}

func (s *Semaphore) release(n int64) {
	if n < 1 {
		panic(misuse("Semaphore.Release", ErrCount))
	}
	for {
		w := s.word.Load()
		if w == semBusy || w+n == semBusy {
			s.releaseLocked(n)
			return
		}
		p := w &^ semQueued
		s.mustFit(n, p)
		if s.word.CompareAndSwap(w, w+n) {
			if w < 0 {
				s.wakeNext(p + n)
			}
			return
		}
	}
}

func (s *Semaphore) releaseLocked(n int64) {
	contention.Report(s.addLocked(n), releaseFrames)
}

func (s *Semaphore) addLocked(n int64) (waited int64) {
	q := s.lock()
	defer func() { waited = s.unlockAndWake(q) }()
	s.mustFit(n, q.permits)
	q.permits += n
	return 0 // set above
}

// releaseFrames is the functions between Release, with which stacks in the
// mutex profile begin, and the caller of Report: releaseSlow, release, and
// releaseLocked or wakeNext.
const releaseFrames = 3

// mustFit panics if there are p permits and s may not hold n more.
func (s *Semaphore) mustFit(n, p int64) {
	if n > s.most()-p {
		panic(misuse("Semaphore.Release", ErrOverflow))
	}
}

// wakeNext ends a Release that has left p permits and has found semQueued. It
// checks by chance what is due, in place of a count, which all releasers would
// write.
func (s *Semaphore) wakeNext(p int64) {
	q := s.q.Load()
	if p < q.need.Load() && (rand.Uint32()%lateInterval != 0 || futex.Now() < q.due.Load()) {
		return
	}
	s.lock()
	overdue := q.woken > 0 && futex.Now()-q.wokenAt > starvationThreshold
	contention.Report(s.unlockAndWake(q), releaseFrames)
	if overdue {
		stepAside()
	}
}

// Value returns the number of available permits. The result may be stale by the
// time it is used.
func (s *Semaphore) Value() int {
	w := s.word.Load()
	if w == semBusy {
		q := s.lock()
		defer s.unlock(q)
		w = q.permits
	}
	return int(w &^ semQueued)
}

func (s *Semaphore) queue() *semaphoreQueue {
	if q := s.q.Load(); q != nil {
		return q
	}
	s.q.CompareAndSwap(nil, &semaphoreQueue{fair: s.Fair})
	return s.q.Load()
}

// lock locks the guard and takes the permits out of the word.
func (s *Semaphore) lock() *semaphoreQueue {
	q := s.queue()
	q.Lock()
	q.permits = s.word.Swap(semBusy) &^ semQueued
	return q
}

// unlock undoes lock.
func (s *Semaphore) unlock(q *semaphoreQueue) {
	w := q.publish()
	s.word.Store(w)
	q.Unlock()
}

// unlockAndWake calls grant and unlock, and wakes the waiters. It returns what
// a Release charges the mutex profile with.
func (s *Semaphore) unlockAndWake(q *semaphoreQueue) (waited int64) {
	first := q.grant()
	waited = q.Charge(first)
	s.unlock(q)
	if first != nil {
		wait.Wake(first)
		trace.Released(s)
	}
	return waited
}

// take takes n permits for a newcomer, without the guard, if they are there.
// sure says that they were not, rather than that s was busy.
func (s *Semaphore) take(n int64) (ok, sure bool) {
	for {
		w := s.word.Load()
		free := w
		if w == semBusy {
			return false, false
		} else if w < 0 {
			free = w&^semQueued - s.q.Load().kept.Load()
		}
		switch {
		case free >= n && s.word.CompareAndSwap(w, w-n):
			return true, true
		case free < n && s.word.Load() == w:
			return false, true
		}
	}
}

func (s *Semaphore) isFair() bool    { return s.Fair }
func (s *Semaphore) endHandoff()     {}
func (s *Semaphore) undo(key uint64) { s.release(int64(key)) }

func (s *Semaphore) try(key uint64) bool {
	ok, sure := s.take(int64(key))
	if !sure {
		q := s.lock()
		ok = q.take(int64(key))
		s.unlock(q)
	}
	return ok
}

func (s *Semaphore) spin(key uint64) bool {
	return poll(func() (ok, closed bool) {
		ok, _ = s.take(int64(key))
		q := s.q.Load()
		return ok, q != nil && q.kept.Load() == semAll
	})
}

// retry does not spin: grant has counted the permits.
func (s *Semaphore) retry(n *wait.Node) bool {
	q := s.lock()
	if q.available() < int64(n.Key) {
		s.unlock(q)
		return false
	}
	q.permits -= int64(n.Key)
	s.endRetry(q, n)
	return true
}

func (s *Semaphore) giveUp(n *wait.Node) { s.endRetry(s.lock(), n) }

// endRetry unlocks s.
func (s *Semaphore) endRetry(q *semaphoreQueue, n *wait.Node) {
	q.promised -= int64(n.Key)
	q.woken--
	s.unlockAndWake(q)
}

func (s *Semaphore) enqueue(n *wait.Node, again bool) bool {
	q := s.lock()
	if again {
		q.Restore(n)
		s.endRetry(q, n) // may take n out again
		return false
	}
	took := q.take(int64(n.Key))
	if !took {
		q.PushBack(n)
	}
	s.unlock(q)
	return took
}

func (s *Semaphore) leave(n *wait.Node) bool {
	q := s.lock()
	defer s.unlockAndWake(q)
	return q.Remove(n)
}

// available returns how many permits are not reserved.
func (q *semaphoreQueue) available() int64 { return q.permits - q.reserved }

// closed reports whether newcomers take nothing.
func (q *semaphoreQueue) closed() bool { return q.starving || q.fair && q.Head() != nil }

// mayTake reports whether a newcomer may take n permits.
func (q *semaphoreQueue) mayTake(n int64) bool { return q.available() >= n && !q.closed() }

// take takes n permits for a newcomer, if it may.
func (q *semaphoreQueue) take(n int64) bool {
	may := q.mayTake(n)
	if may {
		q.permits -= n
	}
	return may
}

// publish sets need, kept and due, and returns the word.
func (q *semaphoreQueue) publish() (word int64) {
	need, kept, due := semAll, q.reserved, semAll
	h, all := q.Head(), q.NotifyHead()
	if h != nil {
		need = q.needs(h, q.closed() || h.OfSet())
		if !q.closed() {
			due = h.Since + starvationThreshold
		}
	}
	if q.isNext(all, h) {
		need = min(need, q.needs(all, true))
	}
	switch {
	case q.woken > 0 && park.OnOneP():
		due = min(due, q.wokenAt+starvationThreshold)
	case q.woken > 0 && q.woken < maxWoken && h != nil:
		due = min(due, q.wokenAt+wakeupLate)
	}
	if q.closed() {
		kept = semAll
	}
	set(&q.need, need)
	set(&q.kept, kept)
	set(&q.due, due)
	if h != nil || all != nil || q.reserved > 0 || q.woken > 0 && park.OnOneP() { // see stepAside
		return q.permits | semQueued
	}
	return q.permits
}

// set is a Store that costs little if nothing changes.
func set(p *atomic.Int64, v int64) {
	if p.Load() != v {
		p.Store(v)
	}
}

// isNext reports whether the WaitAll all, if any, has waited for longer than h,
// the head of the queue, if any.
func (q *semaphoreQueue) isNext(all, h *wait.Node) bool {
	return all != nil && (h == nil || all.Before(h))
}

// needs returns how many permits there must be for n to be handed what it
// wants, or to be woken to retry after those that were woken before.
func (q *semaphoreQueue) needs(n *wait.Node, handOff bool) int64 {
	sum := addUpTo(int64(n.Key), q.reserved)
	if handOff {
		return sum
	}
	return addUpTo(sum, q.promised)
}

// addUpTo returns the sum of a and b, at most math.MaxInt64.
func addUpTo(a, b int64) int64 { return int64(min(uint64(a)+uint64(b), math.MaxInt64)) }

// grant takes out the waiters at the head of the queue for which there are
// enough permits, and returns their chain.
func (q *semaphoreQueue) grant() *wait.Node {
	var granted wait.Chain
	q.starving = false
	for {
		h, all := q.Head(), q.NotifyHead()
		if q.isNext(all, h) && q.permits >= q.needs(all, starves(all)) {
			q.reserved += int64(all.Key)
			all.Got = gotRetry
			q.Notify()
			continue
		}
		if h == nil {
			break
		}
		old := starves(h)
		handOff := old || h.OfSet()
		if q.permits < q.needs(h, handOff) && !q.late(h) {
			q.starving = old
			break
		}
		q.Unlink(h)
		switch {
		case !h.Win():
			continue
		case handOff:
			q.permits -= int64(h.Key)
			h.Got = gotLock
		default:
			q.promise(int64(h.Key))
			h.Got = gotRetry
		}
		granted.PushBack(h)
	}
	return granted.Head()
}

func (q *semaphoreQueue) promise(n int64) {
	if q.woken == 0 || !park.OnOneP() {
		q.wokenAt = futex.Now()
	}
	q.promised += n
	q.woken++
}

// late reports whether h may be woken to retry because the last waiter that was
// woken has had wakeupLate to run.
func (q *semaphoreQueue) late(h *wait.Node) bool {
	n := int64(h.Key)
	return q.woken > 0 && q.woken < maxWoken && n <= q.available() && n <= math.MaxInt64-q.promised &&
		!park.OnOneP() && futex.Now()-q.wokenAt > wakeupLate
}

// WaitSource makes s a [Waitable].
func (s *Semaphore) WaitSource() wait.Source { return (*semaphoreSource)(s) }

type semaphoreSource Semaphore

func (s *semaphoreSource) queue() *semaphoreQueue   { return (*Semaphore)(s).queue() }
func (s *semaphoreSource) Queue() *wait.ObjectQueue { return &s.queue().ObjectQueue }
func (s *semaphoreSource) Ready() bool              { return s.queue().mayTake(1) }
func (s *semaphoreSource) Take()                    { s.queue().permits-- }
func (s *semaphoreSource) Untake()                  { s.queue().permits++ }
