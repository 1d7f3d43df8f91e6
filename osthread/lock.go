package osthread

import (
	"context"
	"time"

	"example.com/thread/internal/park"
)

// A Lock is a mutual exclusion lock. The zero value is unlocked. It must not be
// copied after first use.
//
// A Lock has no owner: any thread or goroutine may unlock it, and one that
// locks it twice waits for another to unlock it. A thread that waits sleeps on
// a futex, a goroutine in Go's scheduler, where it costs no thread. In a
// goroutine, Lock and Unlock of a free Lock cost what sync.Mutex's cost.
//
// Who comes while it is unlocked gets it before those who sleep, since they
// would take longer to come. But one who has waited for a millisecond is given
// it by the next Unlock, as in sync.Mutex; in a Fair Lock everyone is, in the
// order in which they came.
//
// In the terms of the Go memory model, Unlock synchronizes before any later
// locking call that succeeds.
type Lock struct {
	// Fair makes each Unlock hand the lock to whoever has waited longest. It
	// costs a switch of threads each time, and must not change after first use.
	Fair bool

	m mutex
	_ noCopy
}

// Lock locks l, sleeping until it is free.
func (l *Lock) Lock() {
	if !l.m.word.CompareAndSwap(0, anonymous) {
		l.lockSlow()
	}
}

// lockSlow is kept out of Lock, so that that is inlined.
//
//go:noinline
func (l *Lock) lockSlow() { l.m.lock(anonymous, l.Fair, &forever, l) }

// TryLock locks l if it is free and nobody is to have it first, and reports
// whether it did.
func (l *Lock) TryLock() bool { return l.m.tryLock(anonymous) }

// LockTimeout is Lock for at most d and reports whether l is now locked by it.
// With d <= 0 it is TryLock.
func (l *Lock) LockTimeout(d time.Duration) bool {
	limit := park.For(d)
	return l.m.lock(anonymous, l.Fair, &limit, l)
}

// LockContext is Lock until ctx is done; it then returns ctx's cause, and l is
// not locked by it. If ctx is done already it does not try.
func (l *Lock) LockContext(ctx context.Context) error {
	limit, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !l.m.lock(anonymous, l.Fair, &limit, l) {
		return limit.Err(nil)
	}
	return nil
}

// Unlock unlocks l. Any thread may call it. It panics with an error that is
// ErrNotLocked if l is not locked, which it stays.
func (l *Lock) Unlock() {
	if s := l.m.word.Add(minusAnonymous); s != 0 {
		l.unlockSlow(s)
	}
}

func (l *Lock) unlockSlow(s uint64) {
	if free(s) {
		l.m.unlockSlow(s, l)
		return
	}
	// It was not locked; to others it looks locked until this. Those who came
	// meanwhile wait for an Unlock.
	if s = l.m.word.Add(anonymous); free(s) && s != 0 {
		l.m.unlockSlow(s, l)
	}
	panic(misuse("Lock.Unlock", ErrNotLocked))
}

// Locked reports whether l is locked, by whomever. By the time the caller looks
// at the result it may be otherwise.
func (l *Lock) Locked() bool { return !free(l.m.word.Load()) }
