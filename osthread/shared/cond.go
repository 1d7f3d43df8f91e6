//go:build !plan9

package shared

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/waits"
)

// The words of a Cond, for Go here and for C in csrc/ost_cond.h, whose header
// has the argument why no wakeup is lost and what a killed process leaves: seq,
// which waiters sleep on until it changes, and waiters, their number.
//
//	Wait		under the mutex: waiters + 1, read seq; unlock; sleep while
//			seq is the same; waiters - 1; lock
//	Signal		nothing if there are no waiters; seq + 1, wake one
//	Broadcast	nothing if there are no waiters; seq + 1, wake all
//
// The context of a waiter ends its sleep by waking all waiters, of which the
// others return from Wait spuriously. A waiter that leaves because of its
// context may have used up the wakeup of a Signal that was meant for an earlier
// waiter: it passes that on.
//
// Model: verify/sharedcond.pml.

const (
	condMark    uint32 = 0x434f_0000
	condAllowed        = attrShared
)

// A Cond is a condition variable that C code can use, too, as the ost_cond_t of
// csrc/ost_cond.h, and that processes can share (POSIX: pthread_cond_t). The
// zero value is ready and for one process. It must not be copied after first
// use.
//
// A wait may return nil without a notification, as POSIX has it: test the
// predicate in a loop.
//
//	err := m.Lock()
//	for err == nil && !ready {
//		err = c.Wait(&m)
//	}
//
// A process that is killed between its change of the predicate and its Signal
// has not notified anybody: the caller that finds ErrOwnerDead from a robust
// mutex calls Broadcast once it has made the state consistent.
//
// A goroutine that waits blocks its thread. All methods return ErrCorrupt if
// the memory does not hold a condition variable.
type Cond struct {
	seq, waiters atomic.Uint32
	attr         attrs
	_            uint32
}

// A CondLocker is what a Cond unlocks while it waits: a [*Mutex], or by [Plain]
// a thread.Lock.
type CondLocker interface {
	Lock() error
	Unlock() error
}

// Plain returns l for the waits of a [Cond] that is for one process. Its Unlock
// panics if l is not locked, as that of thread.Lock does.
func Plain(l *thread.Lock) CondLocker { return plain{l} }

type plain struct{ l *thread.Lock }

func (p plain) Lock() error   { p.l.Lock(); return nil }
func (p plain) Unlock() error { p.l.Unlock(); return nil }

// Init makes c a condition variable. processShared says that processes share c,
// as for [Semaphore.Init]; the mutex must be shared, too. Nobody may use c
// meanwhile. Init returns ErrUnsupported if the system cannot share between
// processes.
//
// POSIX: pthread_cond_init. The clock of a deadline is part of it, not an
// attribute.
func (c *Cond) Init(processShared bool) error {
	flags, err := flagsFor(0, processShared)
	if err != nil {
		return failed("Cond.Init", err)
	}
	c.attr.word.Store(condMark | flags)
	c.seq.Store(0)
	c.waiters.Store(0)
	return nil
}

// Wait unlocks m, which the caller has locked once, sleeps until a
// notification, and locks m.
//
// It returns nil with m locked, perhaps without a notification; ErrOwnerDead
// with m locked, if the owner before has died; ErrNotRecoverable with m not
// locked. If the caller does not own m it returns ErrNotOwner at once, and if m
// is Recursive and locked more than once, or m is not shared between processes
// and c is, ErrInvalid.
//
// POSIX: pthread_cond_wait.
func (c *Cond) Wait(m CondLocker) error { return c.wait("Cond.Wait", m, forever()) }

// WaitTimeout is Wait for at most d; then it returns ErrTimeout with m locked,
// unless locking m has another error.
func (c *Cond) WaitTimeout(m CondLocker, d time.Duration) error {
	return c.wait("Cond.WaitTimeout", m, within(d))
}

// WaitContext is Wait until ctx is done; then it returns ctx's cause with m
// locked, unless locking m has another error.
func (c *Cond) WaitContext(ctx context.Context, m CondLocker) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return c.wait("Cond.WaitContext", m, l)
}

// WaitUntil is Wait until d; then it returns ErrTimeout with m locked, unless
// locking m has another error.
//
// POSIX: pthread_cond_timedwait, pthread_cond_clockwait.
func (c *Cond) WaitUntil(m CondLocker, d Deadline) error {
	if err := d.check(); err != nil {
		return failed("Cond.WaitUntil", err)
	}
	return c.wait("Cond.WaitUntil", m, untilTime(d))
}

// Signal wakes at least one of those that wait, if any does. The caller need
// not have locked the mutex.
//
// POSIX: pthread_cond_signal.
func (c *Cond) Signal() error { return named("Cond.Signal", c.notify(1)) }

// Broadcast wakes all that wait. The caller need not have locked the mutex.
//
// POSIX: pthread_cond_broadcast.
func (c *Cond) Broadcast() error { return named("Cond.Broadcast", c.notify(wakeAll)) }

func (c *Cond) notify(n int) error {
	flags, err := c.attr.load(condMark, condAllowed)
	if err != nil || c.waiters.Load() == 0 {
		return err
	}
	c.seq.Add(1)
	wake(futexOf(&c.seq), n, flags&attrShared != 0)
	return nil
}

// wait counts the caller before it unlocks m, so that a thread that locks m
// then finds it, and reads seq before, so that its notification is seen.
func (c *Cond) wait(call string, m CondLocker, l limit) error {
	flags, err := c.check(m)
	if err != nil {
		return failed(call, err)
	}
	unlocked, err := c.unlockAndSleep(m, l, flags&attrShared != 0)
	if !unlocked {
		return failed(call, err)
	}
	var locked error
	waits.Hidden(func() { locked = m.Lock() })
	if locked != nil {
		return failed(call, locked)
	}
	if err == errEnded {
		return l.err(call)
	}
	return nil
}

// unlockAndSleep unlocks m, which may panic, and sleeps. It returns whether m
// is unlocked.
func (c *Cond) unlockAndSleep(m CondLocker, l limit, processShared bool) (unlocked bool, err error) {
	c.waiters.Add(1)
	defer c.waiters.Add(^uint32(0))
	seq := c.seq.Load()
	if err := m.Unlock(); err != nil {
		return false, err
	}
	return true, c.sleep(seq, l, processShared)
}

// check returns c's flags, or an error if c or m cannot be waited with.
func (c *Cond) check(m CondLocker) (flags uint32, err error) {
	flags, err = c.attr.load(condMark, condAllowed)
	if err != nil {
		return 0, err
	}
	switch m := m.(type) {
	case plain:
		if flags&attrShared != 0 {
			return 0, ErrInvalid
		}
	case *Mutex:
		if m.isRelocked() {
			return 0, ErrInvalid
		}
	}
	return flags, nil
}

// isRelocked reports whether the caller has locked m more than once.
func (m *Mutex) isRelocked() bool {
	flags, err := m.flags()
	if err != nil || MutexKind(flags&mutexKind) != Recursive {
		return false
	}
	pinned := pin()
	defer unpin(pinned)
	return isOwner(m.word.Load(), self(flags&attrRobust != 0)) && m.depth.Load()&^mutexPinned != 0
}

// sleep sleeps until a notification after seq, or returns errEnded once l has
// ended. Any wakeup ends it, even if seq is the same: it may have been meant
// for a waiter before this one, which sleeps on.
func (c *Cond) sleep(seq uint32, l limit, processShared bool) error {
	w := begin(c, futexOf(&c.seq), l, processShared)
	defer w.end()
	for c.seq.Load() == seq {
		result, last := w.sleepOnce(futexOf(&c.seq), seq)
		switch {
		case c.seq.Load() != seq:
			return nil
		case w.canceled():
			if result == futex.Woken {
				wake(futexOf(&c.seq), 1, processShared)
			}
			return errEnded
		case result != futex.TimedOut:
			return nil
		case last:
			return errEnded
		}
	}
	return nil
}

// String returns c's address and how many wait. It may be called at any time.
func (c *Cond) String() string {
	if _, err := c.attr.load(condMark, condAllowed); err != nil {
		return fmt.Sprintf("shared.Cond(%p, %v)", c, err)
	}
	return fmt.Sprintf("shared.Cond(%p, %d waiters)", c, c.waiters.Load())
}
