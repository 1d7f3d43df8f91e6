//go:build !plan9

package shared

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// The words of a Mutex, for Go here and for C in csrc/ost_pmutex.h, whose
// header has their states: without an owner those of package thread's Lock, in
// the low half; with one those of owner.go, or of the kernel for priority
// inheritance.
//
// depth is the owner's: the relocks of a recursive mutex, and mutexPinned while
// the goroutine that owns the mutex is pinned by that. An unlock by C clears it
// and leaves the goroutine pinned.

// A MutexKind says what a lock by the owner and an unlock by another thread do.
type MutexKind uint8

const (
	// Normal waits for ever if its owner locks it again. Any thread may
	// unlock it, unless it is robust or inherits priority (POSIX:
	// PTHREAD_MUTEX_NORMAL, which is PTHREAD_MUTEX_DEFAULT here).
	Normal MutexKind = iota
	// ErrorCheck returns ErrDeadlock if its owner locks it again, and
	// ErrNotOwner if another thread unlocks it (PTHREAD_MUTEX_ERRORCHECK).
	ErrorCheck
	// Recursive counts how often its owner locks it, and returns
	// ErrNotOwner if another thread unlocks it (PTHREAD_MUTEX_RECURSIVE).
	Recursive
)

// A MutexAttr is the attributes of a [Mutex]: a kind, and any of the others.
//
//	attribute      needs                  without it Init returns
//	Robust         Linux                  ErrUnsupported
//	Inherit        Linux, a kernel with   ErrUnsupported
//	               such futexes
//	Protect        -                      always ErrUnsupported; with Inherit ErrInvalid
//	ProcessShared  Linux, macOS with cgo  ErrUnsupported
type MutexAttr struct {
	Kind MutexKind
	// Robust says that an owner that dies is replaced: its thread has
	// ended, its process has, or has called exec (PTHREAD_MUTEX_ROBUST).
	// Its successor's Lock returns ErrOwnerDead.
	Robust bool
	// Inherit lends the owner the priority of those that wait
	// (PTHREAD_PRIO_INHERIT). Only threads may lock such a mutex, not
	// goroutines without a thread of their own.
	Inherit bool
	// Protect is PTHREAD_PRIO_PROTECT, which is not offered: it takes two
	// system calls at every lock.
	Protect bool
	// ProcessShared says that the mutex is in memory that several processes
	// have mapped (PTHREAD_PROCESS_SHARED).
	ProcessShared bool
}

const (
	mutexMark    uint32 = 0x4d55_0000
	mutexKind    uint32 = 0x3
	mutexInherit uint32 = 0x20
	mutexAllowed        = mutexKind | attrShared | attrRobust | mutexInherit

	mutexPinned uint32 = 1 << 31 // in depth

	mutexFree      uint32 = 0
	mutexHeld      uint32 = 1
	mutexContended uint32 = 2 // there may be waiters

	inheritGone uint64 = 0x3ffffffe     // an owner whose id is another thread's now
	inheritOver uint32 = math.MaxUint32 // in depth: not recoverable

	piNaps      = 300                   // of 1 ms, until a word counts as corrupt
	contextPoll = 10 * time.Millisecond // how often a sleep in the kernel checks a context
)

// flags returns a as the flags of csrc/ost_pmutex.h, or an error.
func (a MutexAttr) flags() (uint32, error) {
	switch {
	case a.Kind > Recursive || a.Protect && a.Inherit:
		return 0, ErrInvalid
	case a.Protect, (a.Robust || a.Inherit) && !canRobust, a.Inherit && !canInherit():
		return 0, ErrUnsupported
	}
	flags := uint32(a.Kind)
	if a.Robust {
		flags |= attrRobust
	}
	if a.Inherit {
		flags |= mutexInherit
	}
	return flagsFor(flags, a.ProcessShared)
}

// canInherit reports whether the kernel has futexes with priority inheritance.
var canInherit = sync.OnceValue(func() bool {
	word := new(uint32)
	errno := park.TryLockPI(word, false)
	return errno != syscall.ENOSYS && errno != syscall.EPERM
})

// A Mutex is a mutual exclusion lock that C code can lock, too, as the
// ost_pmutex_t of csrc/ost_pmutex.h, and that processes can share (POSIX:
// pthread_mutex_t). The zero value is unlocked, [Normal] and for one process;
// Init makes others. It must not be copied after first use.
//
// The owner is a thread. A goroutine without a thread of its own that locks a
// mutex with an owner (any but a Normal one that is neither robust nor
// inherits) stays on the thread it is on until it unlocks it, and must do that
// itself. If it ends before, Go ends the thread, and a robust mutex has a dead
// owner. The process's first thread, which Go does not end, it leaves before it
// locks a robust mutex, unless runtime.LockOSThread or thread.Attach keeps it
// there. Between the lock and the unlock a goroutine should call neither
// thread.Attach, after which it stays pinned, nor Detach, after which it may
// leave the thread. On a thread either language may unlock what the other has
// locked; a goroutine that Go has pinned stays so if C unlocks.
//
// A goroutine that waits blocks its thread.
//
// If a robust mutex's owner dies, the next lock returns [ErrOwnerDead] and the
// caller holds the mutex. It makes what the mutex protects consistent and calls
// Consistent, or else its Unlock makes the mutex unusable: all later locks
// return [ErrNotRecoverable]. Death is noticed by those that wait, within 64
// ms, and by calls that would have to wait. All that share the mutex must be in
// one PID namespace.
//
// Besides what each method says, all return [ErrCorrupt] if the memory does not
// hold a mutex.
//
// In the terms of the Go memory model, Unlock synchronizes before any later
// locking call that returns nil or ErrOwnerDead, and the end of a thread of
// [thread.Start] before the call that returns ErrOwnerDead because of it.
type Mutex struct {
	owner
	attr  attrs
	depth atomic.Uint32
}

// Init makes m an unlocked mutex. Nobody may use m meanwhile. It returns
// ErrInvalid or ErrUnsupported, and changes nothing, as [MutexAttr] says.
//
// POSIX: pthread_mutex_init and the functions pthread_mutexattr_set*.
func (m *Mutex) Init(attr MutexAttr) error {
	flags, err := attr.flags()
	if err != nil {
		return failed("Mutex.Init", err)
	}
	m.depth.Store(0)
	m.attr.word.Store(mutexMark | flags)
	m.word.Store(0)
	return nil
}

// isPlain reports whether a mutex with those flags has no owner.
func isPlain(flags uint32) bool { return flags&^attrShared == 0 }

// flags returns m's attributes, or ErrCorrupt.
func (m *Mutex) flags() (uint32, error) {
	flags, err := m.attr.load(mutexMark, mutexAllowed)
	if flags&mutexKind == mutexKind {
		err = ErrCorrupt
	}
	return flags, err
}

// lockPlain locks m if it is a free mutex without an owner.
func (m *Mutex) lockPlain() bool {
	a := m.attr.word.Load()
	return (a == 0 || a&^attrShared == mutexMark) && m.low().CompareAndSwap(mutexFree, mutexHeld)
}

// lockFast locks m if it is free and has an owner, for a thread that has locked
// one before. It reports whether it did, which may show m to be over.
func (m *Mutex) lockFast() (did bool, err error) {
	a := m.attr.word.Load()
	if !isOwned(a) {
		return false, nil
	}
	self, ok := knownSelf()
	if a&mutexInherit != 0 {
		self = inheritID(self, a)
	}
	if !ok || !m.word.CompareAndSwap(0, self) {
		return false, nil
	}
	if m.depth.Load() != 0 {
		err = m.endFast(a)
	}
	return true, err
}

// endFast ends a lock whose depth is a dead owner's, or says that m is over.
func (m *Mutex) endFast(a uint32) error {
	if a&mutexInherit != 0 {
		if err := m.endInherit(nil, a); err != nil {
			return failed("Mutex.Lock", err)
		}
	}
	m.depth.Store(0)
	return nil
}

// unlockPlainFast undoes lockPlain, if there are no waiters.
func (m *Mutex) unlockPlainFast() bool {
	a := m.attr.word.Load()
	return (a == 0 || a&^attrShared == mutexMark) && m.low().CompareAndSwap(mutexHeld, mutexFree)
}

// unlockFast undoes lockFast, if there was no other lock and there are no
// waiters.
func (m *Mutex) unlockFast() bool {
	a := m.attr.word.Load()
	if !isOwned(a) || m.depth.Load() != 0 {
		return false
	}
	self, ok := knownSelf()
	if a&mutexInherit != 0 {
		self = inheritID(self, a)
	}
	return ok && m.word.CompareAndSwap(self, 0)
}

// isOwned reports whether a is the attribute word of a mutex that has owners.
func isOwned(a uint32) bool {
	return a&^mutexAllowed == mutexMark && a&mutexKind != mutexKind && a&^attrShared != mutexMark
}

// Lock locks m, sleeping until it is free. It returns ErrOwnerDead, with m
// locked, ErrNotRecoverable, ErrDeadlock if the caller owns an ErrorCheck mutex
// or one that inherits and is not Recursive, ErrCount if it has locked a
// Recursive one 2^31 times, or ErrNotAttached in a goroutine that has no thread
// of its own if m inherits priority.
//
// POSIX: pthread_mutex_lock.
func (m *Mutex) Lock() error {
	if m.lockPlain() {
		return nil
	}
	if did, err := m.lockFast(); did {
		return err
	}
	return m.lock("Mutex.Lock", forever())
}

// TryLock locks m if it is free, or if the caller owns it and it is Recursive.
// It returns ErrBusy if not, and otherwise as Lock does. On a robust mutex that
// is locked it asks the system whether the owner is alive.
//
// POSIX: pthread_mutex_trylock.
func (m *Mutex) TryLock() error {
	if m.lockPlain() {
		return nil
	}
	err := m.tryLock()
	if err == errRelock {
		err = ErrBusy
	}
	return named("Mutex.TryLock", err)
}

// LockTimeout is Lock for at most d; then it returns ErrTimeout.
func (m *Mutex) LockTimeout(d time.Duration) error {
	return m.lock("Mutex.LockTimeout", within(d))
}

// LockContext is Lock until ctx is done; then it returns ctx's cause.
func (m *Mutex) LockContext(ctx context.Context) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return m.lock("Mutex.LockContext", l)
}

// LockUntil is Lock until d; then it returns ErrTimeout.
//
// POSIX: pthread_mutex_timedlock, pthread_mutex_clocklock.
func (m *Mutex) LockUntil(d Deadline) error { return m.lock("Mutex.LockUntil", untilTime(d)) }

// lock locks m within l. call is the caller's name.
func (m *Mutex) lock(call string, l limit) error {
	err := m.tryLock()
	if err == errRelock || err == ErrBusy {
		if l.until != nil {
			if err := l.until.check(); err != nil {
				return failed(call, err)
			}
		}
		err = m.wait(l, err == errRelock)
	}
	switch err {
	case errEnded:
		return l.err(call)
	case errRelock: // another process stored the caller's id since
		err = ErrDeadlock
	}
	return named(call, err)
}

// errRelock is what tryLock returns if the caller owns a mutex that is not
// Recursive.
var errRelock error = &posixError{"relock", syscall.EDEADLK}

// tryLock locks m, or returns ErrBusy, errRelock, or another error of the
// mutex. With ErrOwnerDead m is locked.
func (m *Mutex) tryLock() error {
	flags, err := m.flags()
	switch {
	case err != nil:
		return err
	case isPlain(flags):
		if m.low().CompareAndSwap(mutexFree, mutexHeld) {
			return nil
		}
		return ErrBusy
	}
	return m.pinned(flags, func(self uint64) error {
		if flags&mutexInherit != 0 {
			return m.tryInherit(self, flags)
		}
		return m.owner.tryLock(self, flags)
	})
}

// pinned calls lock, which locks m for the calling thread, with the goroutine
// pinned, and leaves it pinned if m is locked. If the thread owns m already it
// counts that, or returns errRelock.
func (m *Mutex) pinned(flags uint32, lock func(self uint64) error) error {
	if flags&mutexInherit != 0 && ident.Row(ident.Slot()) == 0 {
		return ErrNotAttached
	}
	self, pinned := pinSelf(flags&attrRobust != 0)
	if isOwner(m.word.Load(), self) {
		unpin(pinned)
		return m.relock(flags)
	}
	err := lock(self)
	if err != nil && err != ErrOwnerDead {
		unpin(pinned)
		return err
	}
	var depth uint32 // the relocks of a dead owner are gone with it
	if pinned {
		depth = mutexPinned
	}
	if m.depth.Load() != depth {
		m.depth.Store(depth)
	}
	return err
}

// relock counts a lock of m by its owner.
func (m *Mutex) relock(flags uint32) error {
	if MutexKind(flags&mutexKind) != Recursive {
		return errRelock
	}
	depth := m.depth.Load()
	if depth&^mutexPinned >= math.MaxInt32-1 {
		return ErrCount
	}
	m.depth.Store(depth + 1)
	return nil
}

// wait locks m, which was found locked, or returns errEnded once l has ended.
// again says that the caller owns it.
func (m *Mutex) wait(l limit, again bool) error {
	flags, err := m.flags()
	switch {
	case err != nil:
		return err
	case isPlain(flags):
		return m.waitPlain(flags, l)
	case again && (MutexKind(flags&mutexKind) == ErrorCheck || flags&mutexInherit != 0):
		return ErrDeadlock
	case again:
		return m.waitForSelf(flags, l)
	}
	return m.pinned(flags, func(self uint64) error {
		if flags&mutexInherit != 0 {
			return m.inherit(self, flags, l)
		}
		return m.owner.lock(m, self, flags, l)
	})
}

func (m *Mutex) waitPlain(flags uint32, l limit) error {
	poll(func() bool { return m.low().Load() != mutexHeld })
	if m.low().CompareAndSwap(mutexFree, mutexHeld) {
		return nil
	}
	w := begin(m, m.futex(), l, flags&attrShared != 0)
	defer w.end()
	more := true
	for m.low().Swap(mutexContended) != mutexFree {
		if !more {
			return errEnded
		}
		more = w.sleep(m.futex(), mutexContended)
	}
	return nil
}

// waitForSelf is a second lock of a normal mutex by its owner: it waits until
// another thread unlocks the mutex, which none may, or l has ended.
func (m *Mutex) waitForSelf(flags uint32, l limit) error {
	pinned := pin()
	defer unpin(pinned)
	self := self(flags&attrRobust != 0)
	w := begin(m, m.futex(), l, flags&attrShared != 0)
	defer w.end()
	for s := m.word.Load(); isOwner(s, self); s = m.word.Load() {
		if !w.sleep(m.futex(), uint32(s)) {
			return errEnded
		}
	}
	return ErrCorrupt
}

// Unlock undoes one lock of m. If m was locked with ErrOwnerDead and Consistent
// was not called, m is not recoverable then. Unlock returns ErrNotOwner, and
// changes nothing, if the calling thread does not own m, or m is Normal and not
// locked.
//
// After the last Unlock only the address of m is used, so the next owner may
// free the memory; not if m inherits priority.
//
// POSIX: pthread_mutex_unlock.
func (m *Mutex) Unlock() error {
	if m.unlockPlainFast() || m.unlockFast() {
		return nil
	}
	flags, err := m.flags()
	switch {
	case err != nil:
	case isPlain(flags):
		err = m.unlockPlain(flags)
	default:
		err = m.unlockOwned(flags)
	}
	return named("Mutex.Unlock", err)
}

func (m *Mutex) unlockPlain(flags uint32) error {
	switch m.low().Swap(mutexFree) {
	case mutexFree:
		return ErrNotOwner
	case mutexHeld:
	default:
		wake(m.futex(), 1, flags&attrShared != 0)
	}
	return nil
}

func (m *Mutex) unlockOwned(flags uint32) error {
	pinned := pin() // if the caller does not own m another that does could get the thread
	defer unpin(pinned)
	if !isOwner(m.word.Load(), self(flags&attrRobust != 0)) {
		return ErrNotOwner
	}
	depth := m.depth.Load()
	if MutexKind(flags&mutexKind) == Recursive && depth&^mutexPinned != 0 {
		m.depth.Store(depth - 1)
		return nil
	}
	if depth != 0 {
		m.depth.Store(0)
	}
	if flags&mutexInherit != 0 {
		return m.unlockInherit(flags)
	}
	m.unlock(flags)
	unpin(pinned && depth&mutexPinned != 0) // what the lock has pinned
	return nil
}

// Consistent says that what m protects is consistent again. It is for the owner
// of a robust mutex whose lock returned ErrOwnerDead. It returns ErrNotOwner if
// the calling thread does not own m, or ErrInvalid if m is not robust or was
// not locked with that error.
//
// POSIX: pthread_mutex_consistent.
func (m *Mutex) Consistent() error {
	flags, err := m.flags()
	if err == nil && flags&attrRobust == 0 {
		err = ErrInvalid
	}
	if err == nil {
		pinned := pin()
		err = m.consistent(self(true))
		unpin(pinned)
	}
	return named("Mutex.Consistent", err)
}

// Locker returns m as a sync.Locker, whose methods panic with the error that
// m's return. Lock panics with ErrOwnerDead, too, and then m is not
// recoverable.
func (m *Mutex) Locker() sync.Locker { return panicker{m.Lock, m.Unlock, m.Unlock} }

// String returns m's address, attributes and state. It may be called at any
// time.
func (m *Mutex) String() string {
	flags, err := m.flags()
	if err != nil {
		return fmt.Sprintf("shared.Mutex(%p, %v)", m, err)
	}
	state := "unlocked"
	switch s := m.word.Load(); {
	case flags&mutexInherit != 0 && m.depth.Load() == inheritOver, !isPlain(flags) && isOver(s):
		state = "not recoverable"
	case isFree(s):
	case isPlain(flags):
		state = "locked"
	default:
		state = fmt.Sprintf("locked by thread %d", s&ownerID)
	}
	return fmt.Sprintf("shared.Mutex(%p, %s)", m, state)
}

// Priority inheritance, by the kernel. See ost_pi_lock_ of csrc/ost_pmutex.h.

// inheritID returns how self stands in a free word: without the incarnation,
// unless the mutex is robust.
func inheritID(self uint64, flags uint32) uint64 {
	if flags&attrRobust == 0 {
		return self & ownerID
	}
	return self
}

func (m *Mutex) tryInherit(self uint64, flags uint32) error {
	if m.word.CompareAndSwap(0, inheritID(self, flags)) {
		return m.endInherit(nil, flags)
	}
	s := m.word.Load()
	if flags&attrRobust == 0 && s&ownerID != 0 {
		return ErrBusy
	}
	errno := park.TryLockPI(m.futex(), flags&attrShared != 0)
	dead := errno == syscall.ESRCH && flags&attrRobust != 0 && isDeadInherit(s)
	if dead { // by now it may be free: then this call locks it
		errno = park.TryLockPI(m.futex(), flags&attrShared != 0)
	}
	switch {
	case errno == 0:
		return m.inherited(self, flags)
	case dead && errno == syscall.ESRCH && m.replaceInherit(s, self):
		return m.endInherit(ownerDied(), flags)
	}
	return ErrBusy
}

// inherited ends a lock that the kernel has made.
func (m *Mutex) inherited(self uint64, flags uint32) error {
	var err error
	dead := uint64(m.low().Load())&ownerInconsistent != 0
	switch {
	case flags&attrRobust != 0:
		m.high().Store(uint32(self >> 32))
		if dead {
			err = ownerDied()
		}
	case dead:
		m.word.And(^ownerInconsistent)
	}
	return m.endInherit(err, flags)
}

// endInherit ends a lock of m with err: it gives back what is over.
func (m *Mutex) endInherit(err error, flags uint32) error {
	if flags&attrRobust == 0 || m.depth.Load() != inheritOver {
		return err
	}
	m.word.And(^ownerInconsistent)
	_ = m.releaseInherit(flags) // reports errors of mutexes that are not robust
	return ErrNotRecoverable
}

// isDeadInherit is isDead, without an incarnation that may be another's.
func isDeadInherit(s uint64) bool {
	if s&ownerInconsistent != 0 {
		s = uint64(uint32(s))
	}
	return isDead(s)
}

// replaceInherit replaces the owner in the word s, which was dead before the
// kernel has said ESRCH: none sleeps in the kernel, which has marked the word
// as if one did.
func (m *Mutex) replaceInherit(s, self uint64) bool {
	return s&ownerID != 0 && m.word.CompareAndSwap(s|ownerWaiters, self|ownerInconsistent|ownerWaiters)
}

func (m *Mutex) inherit(self uint64, flags uint32, l limit) error {
	robust, pshared := flags&attrRobust != 0, flags&attrShared != 0
	w := begin(m, m.futex(), l, pshared)
	defer w.end()
	switch {
	case robust:
		w.slice = lookFirst
	case l.park.Context() != nil:
		w.slice = contextPoll
	case w.record != nil: // nothing rouses a sleep in the kernel
		w.slice = slice
	}
	var dead uint64 // a word whose owner is
	for naps := 0; ; {
		s := m.word.Load()
		errno, ended := w.lockPI(m.futex())
		switch {
		case ended:
			err := m.tryInherit(self, flags)
			if err == ErrBusy {
				err = errEnded
			}
			return err
		case errno == 0:
			return m.inherited(self, flags)
		case errno == syscall.ETIMEDOUT && robust:
			// While it is inconsistent the high half may be
			// another's.
			if s&ownerInconsistent == 0 && isDead(s) {
				m.word.CompareAndSwap(s, inheritGone|s&ownerWaiters)
			}
			w.slice = min(2*w.slice, lookLast)
			continue
		case errno == syscall.ETIMEDOUT, errno == syscall.EINTR, errno == syscall.ENOMEM, errno == syscall.EAGAIN:
			continue
		case errno == syscall.EDEADLK:
			return ErrDeadlock
		case errno == syscall.ESRCH && robust && s|ownerWaiters == dead && m.replaceInherit(s, self):
			return m.endInherit(ownerDied(), flags)
		case errno == syscall.ESRCH && robust && isDeadInherit(s):
			dead = s | ownerWaiters
			continue
		case errno == syscall.ESRCH:
		case naps < piNaps:
			naps++
		default:
			return ErrCorrupt
		}
		time.Sleep(time.Millisecond)
	}
}

// lockPI is one call of the kernel's. ended says that the limit had ended, and
// no call was made.
func (w *waiter) lockPI(word *uint32) (errno syscall.Errno, ended bool) {
	if w.canceled() {
		return 0, true
	}
	deadline, _ := w.next()
	if deadline == 0 {
		return 0, true
	}
	return park.LockPI(word, deadline, w.shared), false
}

func (m *Mutex) unlockInherit(flags uint32) error {
	if flags&attrRobust != 0 && m.word.Load()&ownerInconsistent != 0 {
		m.depth.Store(inheritOver)
		m.word.And(^ownerInconsistent)
	}
	return m.releaseInherit(flags)
}

func (m *Mutex) releaseInherit(flags uint32) error {
	robust, s := flags&attrRobust != 0, m.word.Load()
	from := s
	if !robust {
		from = s & ownerID
	}
	if s&ownerWaiters == 0 && m.word.CompareAndSwap(from, 0) {
		return nil
	}
	// The kernel's store is not seen by the race detector; this is its
	// release.
	if robust {
		m.word.And(math.MaxUint32)
	} else {
		m.word.Or(0)
	}
	if park.UnlockPI(m.futex(), flags&attrShared != 0) == 0 {
		return nil
	}
	m.low().Store(0) // of a word that was replaced: no sleeper has it as its owner
	if !robust {
		return ErrCorrupt
	}
	return nil
}
