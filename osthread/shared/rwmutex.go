//go:build !plan9

package shared

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/waits"
)

// The words of an RWMutex, for Go here and for C in csrc/ost_rwlock.h, whose
// header has the arguments why no wakeup is lost and what a dead writer leaves:
//
//	writer	the writer that holds the lock or waits for the readers to
//		leave: a mutex with an owner (owner.go)
//	state	rwWriter: no new readers; below it the number of readers. The
//		writer sleeps here until there are none
//	gate	bit 0: there may be readers asleep; above it an epoch, which
//		readers sleep on until it changes
//
//	Lock	locks writer, sets rwWriter, waits for readers to be 0
//	Unlock	clears rwWriter, opens the gate, unlocks writer
//	RLock	readers + 1, if there is no rwWriter; else marks the gate, checks
//		rwWriter again and sleeps
//	RUnlock	readers - 1; wakes the writer if it was the last
const (
	rwWriter     uint32 = 1 << 31
	rwReaders    uint32 = rwWriter - 1
	rwMaxReaders uint32 = 1<<30 - 1
	gateMarked   uint32 = 1

	rwMark    uint32 = 0x5257_0000
	rwAllowed        = attrShared | attrRobust

	// rwDead is an owner that is dead: no thread has that id.
	rwDead = 0x3ffffffe | ownerInconsistent
)

// An RWMutexAttr is the attributes of an [RWMutex].
type RWMutexAttr struct {
	// Robust says that a writer that dies is replaced, as the owner of a
	// robust [Mutex] is. Linux.
	Robust bool
	// ProcessShared says that the lock is in memory that several processes
	// have mapped.
	ProcessShared bool
}

// An RWMutex is a read-write lock that C code can lock, too, as the
// ost_rwlock_t of csrc/ost_rwlock.h, and that processes can share (POSIX:
// pthread_rwlock_t). The zero value is unlocked, not robust and for one
// process; Init makes others. It must not be copied after first use.
//
// The writer is a thread, with which a goroutine is pinned as with that of a
// [Mutex]; readers are only counted. Writers are preferred: while one waits no
// new reader gets in, so a thread must not RLock twice. Readers that wait race
// with the next writer after an Unlock.
//
// If the writer of a robust lock dies, while it holds the lock or waits for the
// readers to leave, the next Lock returns [ErrOwnerDead] with the lock, as that
// of a robust Mutex does. RLock returns ErrOwnerDead without the lock until a
// writer has called Consistent and Unlock. A reader that dies stays counted,
// and writers wait for ever, or until their time is over: it cannot be told
// from a slow one.
//
// A goroutine that waits blocks its thread. Besides what each method says, all
// return [ErrCorrupt] if the memory does not hold such a lock.
//
// In the terms of the Go memory model, an Unlock or RUnlock synchronizes before
// the return of any later Lock, and an Unlock before that of any later RLock.
type RWMutex struct {
	writer      Mutex // its words; its attributes are not used
	state, gate atomic.Uint32
	attr        attrs
	_           uint32
}

// Init makes rw an unlocked lock. Nobody may use rw meanwhile. It returns
// ErrUnsupported if the system cannot do it.
//
// POSIX: pthread_rwlock_init.
func (rw *RWMutex) Init(attr RWMutexAttr) error {
	err := rw.writer.Init(MutexAttr{Kind: ErrorCheck, Robust: attr.Robust, ProcessShared: attr.ProcessShared})
	if err != nil {
		return failed("RWMutex.Init", err)
	}
	rw.attr.word.Store(rwMark | rw.writer.attr.word.Load()&rwAllowed)
	rw.state.Store(0)
	rw.gate.Store(0)
	return nil
}

// Lock locks rw for writing, sleeping until nobody else has locked it. It
// returns ErrOwnerDead, with the lock, ErrNotRecoverable, or ErrDeadlock if the
// caller is the writer.
//
// POSIX: pthread_rwlock_wrlock.
func (rw *RWMutex) Lock() error { return rw.lock("RWMutex.Lock", forever()) }

// TryLock locks rw for writing if nobody has locked it, and returns ErrBusy if
// not, and otherwise as Lock does.
//
// POSIX: pthread_rwlock_trywrlock.
func (rw *RWMutex) TryLock() error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err == nil {
		err = rw.writer.pinned(flags|uint32(ErrorCheck), func(self uint64) error { return rw.tryWriter(self, flags) })
	}
	if err == errRelock {
		err = ErrBusy
	}
	return named("RWMutex.TryLock", err)
}

// LockTimeout is Lock for at most d; then it returns ErrTimeout.
func (rw *RWMutex) LockTimeout(d time.Duration) error {
	return rw.lock("RWMutex.LockTimeout", within(d))
}

// LockContext is Lock until ctx is done; then it returns ctx's cause.
func (rw *RWMutex) LockContext(ctx context.Context) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return rw.lock("RWMutex.LockContext", l)
}

// LockUntil is Lock until d; then it returns ErrTimeout.
//
// POSIX: pthread_rwlock_timedwrlock, pthread_rwlock_clockwrlock.
func (rw *RWMutex) LockUntil(d Deadline) error {
	if err := d.check(); err != nil {
		return failed("RWMutex.LockUntil", err)
	}
	return rw.lock("RWMutex.LockUntil", untilTime(d))
}

// Unlock ends the lock for writing. If it was got with ErrOwnerDead and
// Consistent was not called, the lock is not recoverable then. Unlock returns
// ErrNotOwner, and changes nothing, if the calling thread is not the writer.
//
// POSIX: pthread_rwlock_unlock.
func (rw *RWMutex) Unlock() error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err == nil {
		err = rw.unlock(flags)
	}
	return named("RWMutex.Unlock", err)
}

// Consistent says that what rw protects is consistent again. It is for the
// writer whose Lock returned ErrOwnerDead. It returns ErrNotOwner if the
// calling thread is not the writer, or ErrInvalid if the writer before has not
// died.
func (rw *RWMutex) Consistent() error {
	_, err := rw.attr.load(rwMark, rwAllowed)
	if err == nil {
		pinned := pin()
		err = rw.writer.consistent(self(true))
		unpin(pinned)
	}
	return named("RWMutex.Consistent", err)
}

// RLock locks rw for reading, sleeping until there is no writer. It returns,
// without the lock, ErrOwnerDead if the writer has died, ErrNotRecoverable,
// ErrDeadlock if the caller is the writer, or ErrCount if there are 2^30-1
// readers.
//
// POSIX: pthread_rwlock_rdlock.
func (rw *RWMutex) RLock() error {
	return pass("RWMutex.RLock", forever(), rw.tryReader, rw.waitReader)
}

// TryRLock locks rw for reading if there is no writer, and returns ErrBusy if
// there is, even one that waits, and otherwise as RLock does.
//
// POSIX: pthread_rwlock_tryrdlock.
func (rw *RWMutex) TryRLock() error {
	err := rw.tryReader()
	if err == ErrBusy {
		err = rw.checkWriter()
	}
	return named("RWMutex.TryRLock", err)
}

// RLockTimeout is RLock for at most d; then it returns ErrTimeout.
func (rw *RWMutex) RLockTimeout(d time.Duration) error {
	return pass("RWMutex.RLockTimeout", within(d), rw.tryReader, rw.waitReader)
}

// RLockContext is RLock until ctx is done; then it returns ctx's cause.
func (rw *RWMutex) RLockContext(ctx context.Context) error {
	return passContext("RWMutex.RLockContext", ctx, rw.tryReader, rw.waitReader)
}

// RLockUntil is RLock until d; then it returns ErrTimeout.
//
// POSIX: pthread_rwlock_timedrdlock, pthread_rwlock_clockrdlock.
func (rw *RWMutex) RLockUntil(d Deadline) error {
	return pass("RWMutex.RLockUntil", untilTime(d), rw.tryReader, rw.waitReader)
}

// RUnlock ends one lock for reading. Any thread may call it. It returns
// ErrNotOwner if there are no readers.
//
// POSIX: pthread_rwlock_unlock.
func (rw *RWMutex) RUnlock() error { return named("RWMutex.RUnlock", rw.leaveReader()) }

// Locker returns a sync.Locker whose methods lock rw for writing, and panic
// with the error that Lock and Unlock return.
func (rw *RWMutex) Locker() sync.Locker { return panicker{rw.Lock, rw.Unlock, rw.Unlock} }

// RLocker returns a sync.Locker whose methods lock rw for reading, and panic
// with the error that RLock and RUnlock return.
func (rw *RWMutex) RLocker() sync.Locker { return panicker{rw.RLock, rw.RUnlock, nil} }

// A panicker is a sync.Locker. undo, if it is not nil, undoes a lock that has
// returned ErrOwnerDead.
type panicker struct{ lock, unlock, undo func() error }

func (p panicker) Lock() {
	var err error
	waits.Hidden(func() { err = p.lock() }) // a Cancel would look like a failure
	if err == nil {
		return
	}
	if p.undo != nil && isLocked(err) {
		_ = p.undo() // the error is the one of lock
	}
	panic(err)
}

func (p panicker) Unlock() {
	if err := p.unlock(); err != nil {
		panic(err)
	}
}

func (rw *RWMutex) lock(call string, l limit) error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err == nil {
		err = rw.writer.pinned(flags|uint32(ErrorCheck), func(self uint64) error {
			return rw.waitWriter(self, flags, l)
		})
	}
	switch err {
	case errEnded:
		return l.err(call)
	case errRelock:
		err = ErrDeadlock
	}
	return named(call, err)
}

func (rw *RWMutex) tryWriter(self uint64, flags uint32) error {
	err := rw.writer.owner.tryLock(self, flags)
	if err != nil && err != ErrOwnerDead {
		return err
	}
	if rw.state.CompareAndSwap(0, rwWriter) || rw.state.Load() == rwWriter {
		return err
	}
	rw.leaveWriter(err, flags)
	return ErrBusy
}

func (rw *RWMutex) waitWriter(self uint64, flags uint32, l limit) error {
	died := rw.writer.owner.lock(rw, self, flags, l)
	if died != nil && died != ErrOwnerDead {
		return died
	}
	if err := rw.drain(flags, l); err != nil {
		rw.leaveWriter(died, flags)
		return err
	}
	return died
}

// drain waits for the readers to leave. The caller has locked writer.
func (rw *RWMutex) drain(flags uint32, l limit) error {
	if rw.state.CompareAndSwap(0, rwWriter) || rw.state.Or(rwWriter)|rwWriter == rwWriter {
		return nil
	}
	w := begin(rw, futexOf(&rw.state), l, flags&attrShared != 0)
	defer w.end()
	for more := true; ; {
		s := rw.state.Or(rwWriter) | rwWriter
		switch {
		case s == rwWriter:
			return nil
		case !more:
			return errEnded
		}
		more = w.sleep(futexOf(&rw.state), s)
	}
}

// leaveWriter ends a lock for writing, or the try of one. If the writer before
// has died, which the next must get to know, it leaves a dead one for that;
// readers stay out.
func (rw *RWMutex) leaveWriter(died error, flags uint32) {
	o := &rw.writer.owner
	if died != nil {
		if s := o.word.Swap(rwDead); s&ownerWaiters != 0 {
			wake(o.futex(), wakeAll, flags&attrShared != 0)
		}
		return
	}
	rw.state.And(^rwWriter)
	rw.openGate(flags)
	o.unlock(flags)
}

// openGate wakes the readers that sleep.
func (rw *RWMutex) openGate(flags uint32) {
	for n := failures(0); ; n.pause() {
		gate := rw.gate.Load()
		if gate&gateMarked == 0 {
			return
		}
		if rw.gate.CompareAndSwap(gate, gate+1) {
			wake(futexOf(&rw.gate), wakeAll, flags&attrShared != 0)
			return
		}
	}
}

// markGate marks that there are readers asleep, and returns the gate to sleep
// on.
func (rw *RWMutex) markGate() uint32 {
	for n := failures(0); ; n.pause() {
		gate := rw.gate.Load()
		if gate&gateMarked != 0 || rw.gate.CompareAndSwap(gate, gate|gateMarked) {
			return gate | gateMarked
		}
	}
}

func (rw *RWMutex) unlock(flags uint32) error {
	pinned := pin() // if the caller is not the writer, one that is could get the thread
	defer unpin(pinned)
	s := rw.writer.word.Load()
	if !isOwner(s, self(flags&attrRobust != 0)) {
		return ErrNotOwner
	}
	depth := rw.writer.depth.Load()
	if depth != 0 {
		rw.writer.depth.Store(0)
	}
	if s&ownerInconsistent != 0 {
		rw.writer.owner.finish(flags)
		rw.openGate(flags) // rwWriter stays
	} else {
		rw.leaveWriter(nil, flags)
	}
	unpin(pinned && depth&mutexPinned != 0) // what the lock has pinned
	return nil
}

// tryReader adds a reader, or returns ErrBusy if there is a writer.
func (rw *RWMutex) tryReader() error {
	if _, err := rw.attr.load(rwMark, rwAllowed); err != nil {
		return err
	}
	for n := failures(0); ; n.pause() {
		s := rw.state.Load()
		switch {
		case s&rwReaders > rwMaxReaders:
			return ErrCorrupt
		case s&rwWriter != 0:
			return ErrBusy
		case s == rwMaxReaders:
			return ErrCount
		case rw.state.CompareAndSwap(s, s+1):
			return nil
		}
	}
}

func (rw *RWMutex) leaveReader() error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err != nil {
		return err
	}
	for n := failures(0); ; n.pause() {
		s := rw.state.Load()
		switch {
		case s&rwReaders > rwMaxReaders:
			return ErrCorrupt
		case s&rwReaders == 0:
			return ErrNotOwner
		case rw.state.CompareAndSwap(s, s-1):
			if s-1 == rwWriter {
				wake(futexOf(&rw.state), wakeAll, flags&attrShared != 0)
			}
			return nil
		}
	}
}

// checkWriter is what a reader that has met a writer finds out about it: it
// returns ErrBusy for one that lives, ErrNotRecoverable, or of a robust lock
// ErrOwnerDead.
func (rw *RWMutex) checkWriter() error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err != nil {
		return err
	}
	switch s := rw.writer.word.Load(); {
	case isOver(s):
		return ErrNotRecoverable
	case flags&attrRobust != 0 && isDead(s):
		return ErrOwnerDead
	}
	return ErrBusy
}

// isWriter reports whether the calling thread is the writer.
func (rw *RWMutex) isWriter(flags uint32) bool {
	pinned := pin()
	defer unpin(pinned)
	return isOwner(rw.writer.word.Load(), self(flags&attrRobust != 0))
}

func (rw *RWMutex) waitReader(l limit) error {
	flags, err := rw.attr.load(rwMark, rwAllowed)
	if err != nil {
		return err
	}
	poll(func() bool { return rw.state.Load()&rwWriter == 0 })
	if rw.isWriter(flags) {
		return ErrDeadlock
	}
	w := begin(rw, futexOf(&rw.gate), l, flags&attrShared != 0)
	defer w.end()
	if flags&attrRobust != 0 {
		w.slice = lookFirst
	}
	for more := true; ; {
		gate := rw.markGate()
		err := rw.tryReader()
		if err == ErrBusy && isOver(rw.writer.word.Load()) {
			return ErrNotRecoverable
		}
		if err == ErrBusy && !more {
			err = busyIsEnded(rw.checkWriter())
		}
		if err != ErrBusy {
			return err
		}
		more = w.sleep(futexOf(&rw.gate), gate)
		if !more || rw.gate.Load() != gate {
			continue
		}
		if err := rw.checkWriter(); err != ErrBusy {
			return err
		}
		if flags&attrRobust != 0 {
			w.slice = min(2*w.slice, lookLast)
		}
	}
}

// busyIsEnded returns err, or errEnded for ErrBusy.
func busyIsEnded(err error) error {
	if err == ErrBusy {
		return errEnded
	}
	return err
}

// String returns rw's address and state. It may be called at any time.
func (rw *RWMutex) String() string {
	if _, err := rw.attr.load(rwMark, rwAllowed); err != nil {
		return fmt.Sprintf("shared.RWMutex(%p, %v)", rw, err)
	}
	state := "unlocked"
	switch s := rw.state.Load(); {
	case isOver(rw.writer.word.Load()):
		state = "not recoverable"
	case s == rwWriter:
		state = "locked for writing"
	case s&rwReaders != 0:
		state = fmt.Sprintf("%d readers", s&rwReaders)
	}
	return fmt.Sprintf("shared.RWMutex(%p, %s)", rw, state)
}
