package osthread

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"

	"example.com/thread/internal/contention"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// mutex is the lock algorithm of Lock and RLock. Model: verify/lock.pml.
//
// # State
//
//	word  stamp | owner key (0: free) | watched | woken | claimed | starving | queued
//	link  index of the queue (0: none) | spins
//
//	queued    There may be waiters in the queue. May be set too long, never
//	          cleared too early.
//	starving  The next Unlock hands the lock off to the head of the queue. Set
//	          only while the lock is held or already starving, so every Unlock
//	          sees it. Cleared under the guard.
//	claimed   The spinner acquires the lock next. Set by the spinner while the
//	          lock is held, cleared by it alone.
//	woken     How many waiters were woken to retry and have not run yet.
//	          Incremented under the guard, decremented by each as it runs. May
//	          be too small, never too large: it is 0 while the queue is empty,
//	          except on one processor, so that a free lock has no flags.
//	stamp     When the last of those was woken. 0 if there are none.
//	watched   The lock has been acquired in watch mode (internal/watch). Never
//	          cleared, so that every Unlock goes its slow path, which notes it.
//	index     Of the queue, while it has waiters: see lockQueue. The queue's
//	          flags are set after the index, and cleared before it.
//	spins     A waiter spins, or one is about to.
//
// A newcomer may barge: it takes a lock that is open, which is free and neither
// starving nor claimed, ahead of the queue. A waiter goes through
//
//	newcomer --> spinner --> in the queue --+--> woken --+--> spinner --> in the queue, in front, ...
//	       \----------------^               |            \--> in the queue, in front, if another one spins
//	                                        \--> owner (handoff)
//
// At most one waiter spins. It polls rarely, so that the cache line stays with
// the owner; reacquiring is often cheaper for the owner than handing off. A
// spinner that has not found the lock open for a while claims it. From then on
// the lock alternates between two running threads, without a system call.
//
// A woken waiter may not get a processor for long: the kernel often queues it
// behind the thread that has woken it. If no other were woken meanwhile, other
// processors could be idle for as long. So an Unlock that finds that the last
// wakeup is older than wakeupLate wakes the next waiter as well, until maxWoken
// are on their way.
//
// # No lost wakeups
//
// Invariant: while the lock is free and the queue is not empty, the spinner, a
// woken waiter, or the last Unlock is committed to checking the queue.
//
//   - Unlock frees the word and reads the flags in one step. If the queue is
//     not empty it leaves that to the spinner or to the woken waiters, if there
//     are any, and otherwise calls release.
//   - A spinner that gives up clears its claim and spins first and calls
//     release afterwards, so an Unlock that relied on it came before that.
//   - A woken waiter stops being one in a step in which it acquires the lock or
//     does not find it open. Then the Unlock of the owner comes after that
//     step, and does not rely on it.
//   - release wakes the head or hands it the lock. If another thread holds the
//     lock it does neither: that thread's Unlock calls release.
//   - enqueue sets queued in the step that finds the lock held, so the owner's
//     Unlock sees it. The lock has a queue by then, and keeps it while that has
//     waiters: a release that finds none has nobody to wake.
//
// The spinner clears spins before it acquires the lock. Afterwards would be too
// late: another thread may unlock at once, mistake the new owner for a spinner,
// and wake nobody.
//
// # Fairness
//
// The spinner and release check how long the head has waited. Once that exceeds
// starvationThreshold they set starving, and the next Unlock hands off; so does
// a later one, if the next head has waited as long. In a fair mutex every
// waiter counts as starving, so every Unlock hands off, in FIFO order.
//
// A handoff leaves the lock idle until its receiver runs: for microseconds if a
// processor is idle, for many milliseconds on a busy machine. Nearly all of
// many waiters have waited for too long. If each Unlock handed off, the lock
// would be a convoy until its queue is empty. So the receiver measures that
// time, and for handoffRatio times as long, and for handoffPause, there is no
// other handoff. Among n waiters each acquires the lock within n times as long.
//
// The spinner may have lost its processor. On one processor Unlock checks,
// now and then, when the last waiter was woken and how long the head has
// waited, and yields to the waiter that was woken. On several processors it
// takes a spinner that lets the head wait for spinnerLost to be preempted, and
// calls release in its place.
//
// # Memory order
//
// All accesses are sequentially consistent. The word is freed only by the
// owner's subtraction, and every acquisition is a swap that read a free word:
// an Unlock synchronizes before the return of the next lock call. On a handoff
// release acquires on the waiter's behalf, and Unpark passes that on.
//
// Its fields are those of a Lock, whose address converts to that of its mutex.
type mutex Lock

// spins is the flag of link, below the index of the queue.
const spins uint32 = 1

const (
	queued   uint64 = 1 << iota
	starving        // and queued
	claimed
	oneWoken
	_
	_
	_
	watched

	keyShift = iota // a key is a multiple of 1 << keyShift
)

const (
	maxWoken   = 15
	woken      = maxWoken * oneWoken
	stampShift = 50
	stamp      = 1<<64 - 1<<stampShift
	owner      = 1<<stampShift - 1<<keyShift
)

// anonymous is the key of an owner that need not be known. Unlock subtracts it.
// From a free word that leaves one that is held, by a key that no thread has,
// and adding it back undoes that: an Unlock too many changes nothing.
const (
	anonymous      uint64 = 1 << keyShift
	minusAnonymous        = ^anonymous + 1
)

func free(s uint64) bool { return s&owner == 0 }
func open(s uint64) bool { return s&(owner|starving|claimed) == 0 }

const (
	// claimAfter is in polls, 11 us. Claiming sooner slows short critical
	// sections down by handoffs.
	claimAfter = 25
	// spinnerLost is a time slice of Go's scheduler. A spinner that runs ends
	// after some 20 us.
	spinnerLost = 10 * starvationThreshold

	stampUnit = 10 // 1024 ns; stamps repeat after 17 ms
)

// try locks m if it is open.
func (m *mutex) try(key uint64) bool {
	for {
		s := m.word.Load()
		if !open(s) {
			return false
		}
		if m.word.CompareAndSwap(s, s|key) {
			return true
		}
	}
}

// spin locks m as a newcomer, as the spinner if there is none.
func (m *mutex) spin(key uint64) bool {
	return park.CanSpin() && m.becomeSpinner() && m.poll(key)
}

func (m *mutex) becomeSpinner() bool {
	for {
		l := m.link.Load()
		if l&spins != 0 {
			return false
		}
		if m.link.CompareAndSwap(l, l|spins) {
			return true
		}
	}
}

func (m *mutex) hasSpinner() bool { return m.link.Load()&spins != 0 }
func (m *mutex) endSpinning()     { m.link.And(^spins) }

// retry locks m for the owner of n, which was woken, and runs. It becomes the
// spinner, if there is none, before it ends to be a woken waiter.
func (m *mutex) retry(n *wait.Node) bool {
	polls := false
	for {
		s := m.word.Load()
		locks := open(s)
		if !locks && !polls {
			polls = m.becomeSpinner()
		}
		next := oneRuns(s)
		if locks && polls {
			m.endSpinning()
			polls = false
		}
		if locks {
			next |= n.Key
		}
		if m.word.CompareAndSwap(s, next) {
			return locks || polls && m.poll(n.Key)
		}
	}
}

// oneRuns returns s with one woken waiter less.
func oneRuns(s uint64) uint64 {
	switch s & woken {
	case 0: // not counted any more
		return s
	case oneWoken:
		return s &^ (woken | stamp)
	default:
		return s - oneWoken
	}
}

// giveUp has nothing to do: a retry that fails has left the queue to the owner
// or called release.
func (m *mutex) giveUp(*wait.Node) {}

// poll is what the spinner, the caller, does. It acquires the lock and returns
// true, or returns false. Afterwards the caller is not the spinner.
func (m *mutex) poll(key uint64) bool {
	limit := spinLimit()
	claim := false
	began := contention.Now()
	for poll := 0; ; poll++ {
		s := m.word.Load()
		switch {
		case claim && free(s):
			m.endSpinning()
			m.takeClaimed(key)
			return true
		case open(s):
			m.endSpinning()
			if m.try(key) {
				return true
			}
			if !m.becomeSpinner() {
				return false // there is another, and the lock was taken
			}
		case poll >= limit || s&starving != 0 || m.headStarves():
			m.stopSpinning(claim)
			return false
		case poll == claimAfter && s&claimed == 0:
			claim = m.word.CompareAndSwap(s, s|claimed)
			noteClaim(began)
		default:
			park.Pause(spinnerPause)
		}
	}
}

// claimWait is for how long the last spinner that claimed a lock had spun, in
// ticks of the mutex profile. All spin for about as long until then.
var claimWait atomic.Int64

// noteClaim sets claimWait for a spinner that began then; 0 if there was no
// profile.
func noteClaim(began int64) {
	if began != 0 {
		claimWait.Store(contention.Now() - began)
	}
}

// takeClaimed acquires the lock, free and claimed by the caller. An Unlock too
// many makes it look held until that is undone.
func (m *mutex) takeClaimed(key uint64) {
	for {
		s := m.word.Load()
		if free(s) && m.word.CompareAndSwap(s, s&^claimed|key) {
			return
		}
	}
}

func (m *mutex) stopSpinning(claim bool) {
	if claim {
		m.word.And(^claimed)
	}
	m.endSpinning()
	m.release()
}

// stampNow returns the stamp of the current time.
func stampNow() uint64 { return uint64(futex.Now()>>stampUnit) << stampShift }

// late reports whether the last waiter that was woken, according to s, has had
// d to run.
func late(s uint64, d int64) bool {
	return (stampNow()-s&stamp)>>stampShift > uint64(d>>stampUnit)
}

// headStarves reports whether the lock is to be handed off to the head of the
// queue.
func (m *mutex) headStarves() bool {
	q := m.peekQueue()
	return q != nil && q.headWaits(starvationThreshold) && q.mayHandOff()
}

// headWaits reports whether the head of the queue has waited for longer than d.
func (m *mutex) headWaits(d int64) bool {
	q := m.peekQueue()
	return q != nil && q.headWaits(d)
}

// enqueue puts n into the queue, in front if it was the spinner, and returns
// false; or acquires the lock for it and returns true.
func (m *mutex) enqueue(n *wait.Node, front bool) (locked bool) {
	q := m.lockQueue()
	defer m.unlockQueue(q)
	if n.Since == 0 { // requeued
		n.Since = futex.Now()
	}
	set := queued
	if (front || n.Since == sinceFair) && q.starves(n) {
		set |= starving
	}
	for !m.mark(set) {
		if m.try(n.Key) {
			return true
		}
	}
	if front {
		q.PushFront(n)
	} else {
		q.PushBack(n)
	}
	q.ageHead()
	return false
}

// requeue puts n, whose owner sleeps, into the queue. It returns false if the
// lock is open.
func (m *mutex) requeue(n *wait.Node, fair bool) bool {
	set := queued
	n.Since = 0 // until n is the head
	n.Contend()
	if fair {
		set, n.Since = queued|starving, sinceFair
	}
	q := m.lockQueue()
	defer m.unlockQueue(q)
	if !m.mark(set) {
		return false
	}
	q.Requeue(n)
	q.ageHead()
	return true
}

// mark sets flags in a step that does not find the lock open. It returns false
// if the lock is open.
func (m *mutex) mark(flags uint64) bool {
	for {
		s := m.word.Load()
		if open(s) {
			return false
		}
		set := flags
		if free(s) {
			// A thread is about to take it (claimed) or to hand it off
			// (starving), and will see the queue itself.
			set &^= starving
		}
		if s&set == set || m.word.CompareAndSwap(s, s|set) {
			return true
		}
	}
}

// leave takes n out of the queue and reports whether it was there.
func (m *mutex) leave(n *wait.Node) bool {
	q := m.findQueue()
	if q == nil {
		return false
	}
	defer m.unlockQueue(q)
	if !q.Remove(n) {
		return false
	}
	m.tidy(q)
	return true
}

// tidy makes the flags true after a node was taken out. The caller holds the
// guard.
func (m *mutex) tidy(q *lockQueue) {
	h := q.Head()
	switch {
	case h != nil:
		q.ageHead()
		if m.word.Load()&starving != 0 && !q.starves(h) {
			m.word.And(^starving)
		}
	case park.OnOneP(): // woken stays, see stepAside
		m.word.And(^(queued | starving))
		q.oldest.Store(0)
	default:
		m.word.And(^(queued | starving | woken | stamp))
		q.oldest.Store(0)
	}
}

// watch sets watched, in watch mode, before the caller waits for m, which is
// obj, or after it has locked it.
func (m *mutex) watch(obj any) {
	if m.word.Load()&watched == 0 && m.word.Or(watched)&watched == 0 {
		watch.First(obj)
	}
}

// acquired notes in watch mode that the caller has locked m, which is obj.
func (m *mutex) acquired(obj any) {
	if watch.On {
		m.watch(obj)
		watch.Acquired(obj, watch.Exclusive, 1)
	}
}

// unlock unlocks m, which is held with key. obj is for trace functions.
func (m *mutex) unlock(key uint64, obj any) {
	if s := m.word.Add(-key); s != 0 {
		m.unlockSlow(s, obj)
	}
}

// unlockSlow ends an Unlock that has left the word as s, free and with flags.
func (m *mutex) unlockSlow(s uint64, obj any) {
	if m.mayPass(s) {
		if s&claimed != 0 && contention.On() {
			contention.Report(claimWait.Load(), unlockFrames)
		}
		return
	}
	got, waited := m.release()
	if got != gotNotice {
		trace.Released(obj)
		contention.Report(waited, unlockFrames)
	}
	// A caller that shares its processor yields to the waiter that has starved.
	// On a thread of its own that would cost it two thread switches.
	if got == gotLock && (!park.CanSpin() || !park.OnThread()) {
		runtime.Gosched()
	}
}

// mayPass reports whether an Unlock that has left the word as s leaves the
// queue to the spinner or to the waiters that were woken. It checks those by
// chance, in place of a count, which all unlockers would write.
func (m *mutex) mayPass(s uint64) bool {
	polls := s&claimed != 0 || s&starving == 0 && m.hasSpinner()
	switch {
	case !polls && (s&starving != 0 || s&woken == 0):
		return false
	case park.OnOneP():
		old := func() bool {
			return s&woken != 0 && late(s, starvationThreshold) || m.headWaits(starvationThreshold)
		}
		if rand.Uint32()%agingInterval == 0 && old() {
			stepAside()
		}
		return true
	case polls:
		return rand.Uint32()%agingInterval != 0 || !m.headWaits(spinnerLost)
	default:
		return rand.Uint32()%lateInterval != 0 || s&woken == woken || !late(s, wakeupLate)
	}
}

// unlockFrames is the functions between Lock.Unlock or RLock.Unlock, with which
// stacks in the mutex profile begin, and the caller of Report: unlockSlow and
// Lock.unlockSlow, or mutex.unlock.
const unlockFrames = 2

// release commits a thread to try the lock, if the queue is not empty. It
// returns what the head got, gotNotice if there was no need, and what the mutex
// profile is to be charged with.
func (m *mutex) release() (got int, waited int64) {
	q := m.findQueue()
	if q == nil {
		return gotNotice, 0
	}
	n := q.Head() // not nil, since the lock has the queue
	got, ok := m.grant(q, n)
	if !ok {
		m.unlockQueue(q)
		return gotNotice, 0
	}
	q.Unlink(n)
	n.Got = got
	waited = q.Charge(n)
	if got == gotLock {
		q.beginHandoff(n)
	}
	m.tidy(q)
	m.unlockQueue(q)
	n.Unpark()
	return got, waited
}

// grant gives the head n what it gets, or returns false if another thread is
// committed to checking the queue.
func (m *mutex) grant(q *lockQueue, n *wait.Node) (got int, ok bool) {
	old := n.Since != 0 && q.starves(n)
	for {
		s := m.word.Load()
		old = old || s&starving != 0
		switch {
		case !free(s) || s&claimed != 0:
			if !old || s&starving != 0 || m.word.CompareAndSwap(s, s|starving) {
				return 0, false
			}
		case old:
			if m.word.CompareAndSwap(s, s|n.Key) {
				return gotLock, true
			}
		case m.hasSpinner() || s&woken == woken || s&woken != 0 && !late(s, wakeupLate):
			return 0, false
		case m.word.CompareAndSwap(s, s&^stamp+oneWoken|stampNow()):
			return gotRetry, true
		}
	}
}
