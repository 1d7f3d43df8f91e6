package osthread

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// mutex is the algorithm of Lock and RLock. Model: verify/lock.pml.
//
// # State
//
// The word is the holder's key, 0 while the lock is free, and three flags:
//
//	queued    somebody may be in the queue. Legal to be set for too long; illegal to be clear while a node is in the queue. On one processor
//	          also while one who was in the queue is the spinner, who may not get to run.
//	starving  the head of the queue has waited for longer than patience: whoever unlocks hands the lock to it. Set only while the lock is
//	          held or starving already, so whoever unlocks sees it. Cleared under the guard.
//	claimed   the spinner takes the lock next. Set by the spinner while the lock is held; cleared by the spinner alone.
//
// A lock is open to newcomers while it is free and neither starving nor
// claimed. One who waits is
//
//	a newcomer --> the spinner --> in the queue --+--> the spinner --> in the queue, in front, ...
//	           \___________________/^              \--> the holder (handed)
//
// There is at most one spinner, which has set the spinner word from 0 to the
// time: awake, or about to be. It looks at the word now and then, rarely enough
// to leave the cache line to the holder, whose next section often costs less
// than passing the lock on. If it has not found the lock open for a while it
// claims it: then it is passed between two threads that are both awake, without
// a system call.
//
// # No wake-up is lost
//
// The lock must not stay free while somebody is in the queue and nobody is
// about to look. Unlock, which sees the flags in the very step that frees the
// word, leaves it to the spinner if there is one, else it goes through release.
// Who stops being the spinner without the lock goes through release as well,
// after it has cleared the spinner word and its claim; so if Unlock saw it as
// the spinner, it will see the free lock. release, under the guard, wakes the
// head as the new spinner, or hands it the lock, or finds that somebody has the
// lock, whose Unlock will come here: enqueue has set queued while the lock was
// held, in the same step that saw it held.
//
// The spinner clears the spinner word before it takes the lock, not after:
// another thread may unlock it right away and must not take the new holder for
// somebody who still looks.
//
// # Fairness
//
// The spinner and release look how long the head has waited. Above patience
// they set starving, and the next Unlock hands the lock over; the one after,
// too, if the next head has waited as long. In a fair lock nodes are as old as
// can be, so every Unlock with a queue hands over, in order. On one processor
// Unlock looks as well, now and then, and steps aside for the spinner. On
// several it takes a spinner that has been one for spinnerLost for one without
// a processor, and looks at the head itself.
//
// # Order
//
// All accesses are sequentially consistent. The word is freed by the holder's
// subtraction alone, and every acquisition is a swap that found it free: what
// came before an Unlock synchronizes before the return of the lock call that
// follows. A lock that is handed over is taken by release on the other's behalf
// and told by Unpark.
type mutex struct {
	word    atomic.Uint64
	spinner atomic.Uint32 // since when there is a spinner (spinTime); 0: there is none
	passed  atomic.Uint32 // times that Unlock left the lock to the spinner, on one processor
	// Since of the head of the queue, or of the spinner that it was before on
	// one processor; 0: nobody
	oldest atomic.Int64
	q      wait.Queue
}

const (
	queued   uint64 = 1 << iota
	starving        // and queued
	claimed
	flags = 1<<iota - 1

	keyShift = iota // a key is a multiple of 1 << keyShift
)

// anonymous is the key of a holder who need not be known. Unlock subtracts it,
// which from a free word leaves one that is held, by a key that nobody has,
// with its flags as they were: so an Unlock too many is undone by adding it.
const (
	anonymous      uint64 = 1 << keyShift
	minusAnonymous        = ^anonymous + 1
)

func free(s uint64) bool { return s&^flags == 0 }
func open(s uint64) bool { return s&^queued == 0 }

// What the owner of a node that was taken out of a mutex's queue has got.
const (
	gotNotice = iota // nothing but the wake-up (Condition)
	gotTurn          // it is the spinner
	gotLock
)

// The times of a waiter. A spinner on a thread of its own has as long as a
// sleep and a wake-up cost; a goroutine, whose sleep costs less, as long as
// sync.Mutex spins.
const (
	patience     = int64(time.Millisecond) // as in sync.Mutex
	since0       = -patience - 1           // when a waiter of a fair lock came: it is old when the clock begins
	threadLooks  = 40                      // about 18 us
	goLooks      = 4
	claimAfter   = 25 // looks, 11 us: more often, and short sections suffer from the passing on
	spinnerPause = 30 // about 450 ns

	spinnerLost = 10 * patience // a time slice of Go's scheduler; a spinner that runs ends after some 20 us
	spinUnit    = 10            // 1024 ns
)

// forever is shared, so that calls without a limit copy none.
var forever = park.Forever()

// lock locks m, or reports false if l ends first. obj is what the trace
// functions are told of.
func (m *mutex) lock(key uint64, fair bool, l *park.Limit, obj any) bool {
	if !m.tryLock(key) && (l.Expired() || !m.lockSlow(key, fair, l, obj)) {
		return false
	}
	if l.Canceled() { // before the lock was free, it may be
		m.unlock(key, obj)
		return false
	}
	return true
}

// tryLock locks m if it is open.
func (m *mutex) tryLock(key uint64) bool {
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

func (m *mutex) lockSlow(key uint64, fair bool, l *park.Limit, obj any) bool {
	if trace.Enabled() {
		lock := func() bool { return m.lockUntraced(key, fair, l) }
		return trace.Around(obj, lock, func() { m.unlock(key, obj) })
	}
	return m.lockUntraced(key, fair, l)
}

func (m *mutex) lockUntraced(key uint64, fair bool, l *park.Limit) bool {
	if !fair && park.CanSpin() && m.becomeSpinner() && m.spin(key) {
		return true
	}
	n := wait.New(nil, l)
	n.Key, n.Since = key, since(fair)
	locked := m.await(n, false, l)
	n.Free()
	return locked
}

func since(fair bool) int64 {
	if fair {
		return since0
	}
	return futex.Now()
}

// await waits for m with the node n, which is in no queue; with front it has
// been at the head before.
func (m *mutex) await(n *wait.Node, front bool, l *park.Limit) bool {
	for ; ; front = true {
		if m.enqueue(n, front) {
			return true
		}
		if !wait.Sleep(n, m.leave, l) {
			return false
		}
		if m.woken(n) {
			return true
		}
		if l.Expired() {
			return false
		}
	}
}

// woken reports whether the owner of n, which was taken out of the queue, has
// the lock now. If it got its turn it tries before it looks at any clock:
// whoever woke it relies on that.
func (m *mutex) woken(n *wait.Node) bool { return n.Got == gotLock || m.spin(n.Key) }

// spin is the life of the spinner, which the caller is. It ends with the lock
// or without either.
func (m *mutex) spin(key uint64) bool {
	looks := spinnerLooks()
	claim := false
	for look := 0; ; look++ {
		s := m.word.Load()
		switch {
		case claim && free(s):
			m.spinner.Store(0)
			m.takeClaimed(key)
			return true
		case open(s):
			m.spinner.Store(0)
			if m.word.CompareAndSwap(s, s|key) {
				return true
			}
			if !m.becomeSpinner() {
				return false // there is another, and the lock was taken
			}
		case look >= looks || s&starving != 0 || m.headIsOld():
			m.stopSpinning(claim)
			return false
		case look == claimAfter && s&claimed == 0:
			claim = m.word.CompareAndSwap(s, s|claimed)
		default:
			park.Pause(spinnerPause)
		}
	}
}

// takeClaimed takes the free lock that nobody else may take. An Unlock too many
// makes it look held until that is undone.
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
	m.spinner.Store(0)
	m.release()
}

// becomeSpinner makes the caller, or the waiter it wakes, the spinner if there
// is none. It looks first: the clock costs more.
func (m *mutex) becomeSpinner() bool {
	return m.spinner.Load() == 0 && m.spinner.CompareAndSwap(0, spinTime())
}

// spinTime returns the time for the spinner word: not 0, and it comes again
// after an hour, so that an old word looks young once in a while, for some ms.
func spinTime() uint32 { return uint32(futex.Now()>>spinUnit) | 1 }

// spinnerIsLost reports whether the spinner, which looks how long the head has
// waited, has not run for long: it has lost its processor, or has got none yet.
func (m *mutex) spinnerIsLost() bool {
	since := m.spinner.Load()
	return since != 0 && spinTime()-since > uint32(spinnerLost>>spinUnit)
}

func (m *mutex) headIsOld() bool {
	o := m.oldest.Load()
	return o != 0 && futex.Now()-o > patience
}

func spinnerLooks() int {
	switch {
	case !park.CanSpin():
		return 0
	case park.OnThread():
		return threadLooks
	default:
		return goLooks
	}
}

// enqueue puts n into the queue and reports false, or takes the lock for it and
// reports true.
func (m *mutex) enqueue(n *wait.Node, front bool) (locked bool) {
	m.q.Lock()
	defer m.q.Unlock()
	mark := queued
	if n.Since == 0 { // adopted
		n.Since = futex.Now()
	}
	if (front || n.Since == since0) && futex.Now()-n.Since > patience {
		mark |= starving
	}
	for {
		s := m.word.Load()
		if open(s) {
			if m.word.CompareAndSwap(s, s|n.Key) {
				return true
			}
			continue
		}
		if m.mark(s, mark) {
			break
		}
	}
	if front {
		m.q.PushFront(n)
	} else {
		m.q.PushBack(n)
	}
	m.oldest.Store(m.q.Head().Since)
	return false
}

// mark sets flags, if the word is still s, in which the lock is not open.
func (m *mutex) mark(s, flags uint64) bool {
	if free(s) {
		// Someone is about to take it (claimed) or to hand it over (starving),
		// and will see the queue by itself.
		flags &^= starving
	}
	return s&flags == flags || m.word.CompareAndSwap(s, s|flags)
}

// adopt puts n, whose owner sleeps, into the queue, and reports false if it
// need not wait.
func (m *mutex) adopt(n *wait.Node, fair bool) bool {
	mark := queued
	n.Since = 0 // until it is at the head
	if fair {
		mark, n.Since = queued|starving, since0
	}
	m.q.Lock()
	defer m.q.Unlock()
	for {
		s := m.word.Load()
		if open(s) {
			return false
		}
		if m.mark(s, mark) {
			break
		}
	}
	m.q.Requeue(n)
	h := m.q.Head()
	if h.Since == 0 {
		h.Since = futex.Now() // it is at the head, from where it ages
	}
	m.oldest.Store(h.Since)
	return true
}

// leave takes n out of the queue and reports whether it stood there.
func (m *mutex) leave(n *wait.Node) bool {
	m.q.Lock()
	defer m.q.Unlock()
	if !m.q.Remove(n) {
		return false
	}
	m.tidy()
	return true
}

// tidy makes the flags true after a node has been taken out. The caller has the
// guard.
func (m *mutex) tidy() {
	h := m.q.Head()
	if h == nil && park.OnOneP() && m.spinner.Load() != 0 { // who may need one who steps aside
		m.word.And(^starving)
		return
	}
	if h == nil {
		m.word.And(^(queued | starving))
		m.oldest.Store(0)
		return
	}
	if h.Since == 0 {
		h.Since = futex.Now()
	}
	m.oldest.Store(h.Since)
	if m.word.Load()&starving != 0 && futex.Now()-h.Since <= patience {
		m.word.And(^starving)
	}
}

// unlock unlocks m, which is held with key.
func (m *mutex) unlock(key uint64, obj any) {
	if s := m.word.Add(-key); s != 0 {
		m.unlockSlow(s, obj)
	}
}

// unlockSlow ends an Unlock that has left the word as s, free and with flags.
// On a lock that is only claimed or has a spinner it is they who go on.
func (m *mutex) unlockSlow(s uint64, obj any) {
	if s&claimed != 0 || s&starving == 0 && m.spinner.Load() != 0 {
		if park.OnOneP() {
			if m.passed.Add(1)%ageLooks == 0 && m.headIsOld() {
				stepAside()
			}
			return
		}
		// By chance in place of a count, which all who unlock would write.
		if rand.Uint32()%ageLooks != 0 || !m.headIsOld() || !m.spinnerIsLost() {
			return
		}
	}
	got := m.release()
	if got != gotNotice {
		trace.Released(obj)
	}
	// With a processor to share, who has waited long goes first; a thread of
	// its own would pay two switches to step aside.
	if got == gotLock && (!park.CanSpin() || !park.OnThread()) {
		runtime.Gosched()
	}
}

// release sees to it that somebody looks at the lock, if there is a queue. It
// returns what the head has got, gotNotice if there was no need.
func (m *mutex) release() (got int) {
	m.q.Lock()
	n := m.q.Head()
	if n == nil {
		m.tidy()
		m.q.Unlock()
		return gotNotice
	}
	got, ok := m.grant(n, n.Since != 0 && futex.Now()-n.Since > patience)
	if !ok {
		m.q.Unlock()
		return gotNotice
	}
	m.q.Unlink(n)
	n.Got = got
	m.tidy()
	if got == gotTurn && park.OnOneP() {
		m.oldest.Store(cmp.Or(n.Since, futex.Now())) // adopted: since now
	}
	m.q.Unlock()
	n.Unpark()
	return got
}

// grant gives the head n what it gets, or reports false if somebody else has
// the lock or looks at it, and will come to release.
func (m *mutex) grant(n *wait.Node, old bool) (got int, ok bool) {
	for {
		s := m.word.Load()
		old = old || s&starving != 0
		switch {
		case !free(s) || s&claimed != 0:
			if !old || s&starving != 0 || m.word.CompareAndSwap(s, s|starving) {
				return 0, false
			}
		case !old:
			return gotTurn, m.becomeSpinner()
		case m.word.CompareAndSwap(s, s|n.Key):
			return gotLock, true
		}
	}
}
