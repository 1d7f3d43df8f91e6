package osthread

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// A Lock is a mutual exclusion lock. The zero value is unlocked. It must not be
// copied after first use.
//
// A Lock has no owner: any thread or goroutine may unlock it, and a thread that
// locks it twice waits for another to unlock it. A thread waits on a futex, a
// goroutine in Go's scheduler, where it costs no thread. In a goroutine, Lock
// and Unlock of a free Lock cost what sync.Mutex's cost.
//
// A Lock allows barging: a caller that finds it free takes it ahead of sleeping
// waiters. The longest waiter is handed the lock by the next Unlock once it has
// waited for 1 ms, as in [sync.Mutex], but not within 0.5 ms, and eight times
// as long as a handoff takes, after the last one: otherwise many waiters would
// make each critical section cost a thread switch. So the last of n waiters may
// wait for n times as long. With Fair set, every Unlock hands off, in FIFO
// order.
//
// In the terms of the Go memory model, Unlock synchronizes before any later
// locking call that succeeds.
type Lock struct {
	// Fair makes each Unlock hand the lock off to the longest waiter. That
	// costs a thread switch each time. It must not change after first use.
	Fair bool

	_    noCopy
	link atomic.Uint32 // see mutex, as for word
	word atomic.Uint64
}

// mutex returns the lock algorithm's view of l.
func (l *Lock) mutex() *mutex { return (*mutex)(l) }

// Lock locks l, sleeping until it is free.
func (l *Lock) Lock() {
	if !l.word.CompareAndSwap(watch.Free, anonymous) {
		l.lockSlow()
	}
}

func (l *Lock) lockSlow() {
	if watch.On {
		if l.word.Load()&watched == 0 {
			l.mutex().watch(l)
		}
		p := watch.Here()
		p.Wants(l, watch.Exclusive)
		if !l.word.CompareAndSwap(watched, watched|anonymous) && !l.try(anonymous) {
			acquireUnlimited(l, anonymous)
		}
		p.Acquired(l, watch.Exclusive, 1)
		return
	}
	if !l.try(anonymous) { // not through the interface: it is often open
		acquireUnlimited(l, anonymous)
	}
}

// TryLock locks l if it is free and not about to be handed off, and reports
// whether it did.
func (l *Lock) TryLock() bool {
	locked := l.try(anonymous)
	if locked {
		l.mutex().acquired(l)
	}
	return locked
}

// LockTimeout is Lock for at most d and reports whether it locked l.
func (l *Lock) LockTimeout(d time.Duration) bool {
	locked := acquireTimeout(d, l, anonymous)
	if locked {
		l.mutex().acquired(l)
	}
	return locked
}

// LockContext is Lock until ctx is done; it then returns ctx's cause, and has
// not locked l.
func (l *Lock) LockContext(ctx context.Context) error {
	err := acquireContext(ctx, l, anonymous)
	if err == nil {
		l.mutex().acquired(l)
	}
	return err
}

// Unlock unlocks l. Any thread may call it. It panics with an error that is
// [ErrNotLocked] if l is not locked.
func (l *Lock) Unlock() {
	if s := l.word.Add(minusAnonymous); s != 0 {
		l.unlockSlow(s)
	}
}

func (l *Lock) unlockSlow(s uint64) {
	if free(s) {
		if s&watched != 0 {
			watch.Here().Released(l, watch.Exclusive, 1)
		}
		if s != watched {
			l.mutex().unlockSlow(s, l)
		}
		return
	}
	// It was not locked, and looks locked to others until this. Waiters that
	// came meanwhile need an Unlock.
	if s = l.word.Add(anonymous); free(s) && s != 0 {
		l.mutex().unlockSlow(s, l)
	}
	panic(misuse("Lock.Unlock", ErrNotLocked))
}

// Locked reports whether l is locked. The result may be stale by the time it is
// used.
func (l *Lock) Locked() bool { return !free(l.word.Load()) }

func (l *Lock) isFair() bool    { return l.Fair }
func (l *Lock) undo(key uint64) { l.mutex().unlock(key, l) }

// The rest of a barged and of a requeuer.

func (l *Lock) try(key uint64) bool                   { return l.mutex().try(key) }
func (l *Lock) spin(key uint64) bool                  { return l.mutex().spin(key) }
func (l *Lock) enqueue(n *wait.Node, front bool) bool { return l.mutex().enqueue(n, front) }
func (l *Lock) retry(n *wait.Node) bool               { return l.mutex().retry(n) }
func (l *Lock) giveUp(n *wait.Node)                   { l.mutex().giveUp(n) }
func (l *Lock) leave(n *wait.Node) bool               { return l.mutex().leave(n) }
func (l *Lock) endHandoff()                           { l.mutex().endHandoff() }
func (l *Lock) requeue(n *wait.Node, fair bool) bool  { return l.mutex().requeue(n, fair) }

// The lock of a Condition.

func (l *Lock) mustHold(op string) (key uint64) {
	if !l.Locked() {
		panic(misuse("Condition."+op, ErrNotLocked))
	}
	return anonymous
}

func (l *Lock) unlockAll() (depth int) {
	l.Unlock()
	return 0
}

func (l *Lock) restore(int) {}
func (l *Lock) relocked()   { l.mutex().acquired(l) }
