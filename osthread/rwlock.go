package osthread

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// Model: verify/rwlock.pml. Everything happens under the queue's guard, and the lock is given to those who wait, never left lying for them:
//
//	free  --reader--> read, n readers  --upgrade, alone--> written
//	  \-----writer--> written          --downgrade-------> read, 1 reader
//
// After each step that may let somebody in, grant takes out of the queue whoever may go in: the upgrader if it is the only reader left; then the
// readers before the first writer (with PreferReaders: all of them); then, if there is still nobody in, the writer at the head. So at the end of
// each step nobody stands in the queue who may go in.

// An RWLock is held by one writer or by any number of readers. The zero value is unlocked. It must not be copied after first use. It has no owner: any
// thread or goroutine may unlock.
//
// A writer that waits goes before readers that come later, so a reader must not lock again what it has locked: between the two a writer
// may have come. Readers and writers that wait get the lock in the order in which they came, so neither starves.
//
// In the terms of the Go memory model, an Unlock synchronizes before the return of any later Lock and RLock, and an RUnlock before that of any later Lock.
type RWLock struct {
	// PreferReaders lets a reader in whenever no writer holds the lock, also if one waits. Then readers may lock again, and can keep
	// writers out for ever. It must not change after first use.
	PreferReaders bool

	q        wait.Queue
	readers  int
	written  bool
	upgrader *wait.Node
	spin     park.Spinner
	_        noCopy
}

// What a node in the queue waits for.
const (
	toRead uint64 = iota
	toWrite
)

// Lock locks w for writing, sleeping until nobody holds it.
func (w *RWLock) Lock() { w.lock(toWrite, futex.Never, nil) }

// TryLock is LockTimeout(0).
func (w *RWLock) TryLock() bool { return w.LockTimeout(0) }

// LockTimeout is Lock for at most d and reports whether w is now locked. d <= 0 never sleeps.
func (w *RWLock) LockTimeout(d time.Duration) bool { return w.lock(toWrite, futex.After(d), nil) }

// LockContext is Lock until ctx is done; it then returns ctx's cause. If ctx is done already it does not try.
func (w *RWLock) LockContext(ctx context.Context) error { return w.lockContext(toWrite, ctx) }

// RLock locks w for reading, sleeping while a writer holds it or waits for it. Its namesake, the type, is a recursive lock.
func (w *RWLock) RLock() { w.lock(toRead, futex.Never, nil) }

// TryRLock is RLockTimeout(0).
func (w *RWLock) TryRLock() bool { return w.RLockTimeout(0) }

// RLockTimeout is RLock for at most d and reports whether w is now locked. d <= 0 never sleeps.
func (w *RWLock) RLockTimeout(d time.Duration) bool { return w.lock(toRead, futex.After(d), nil) }

// RLockContext is RLock until ctx is done; it then returns ctx's cause. If ctx is done already it does not try.
func (w *RWLock) RLockContext(ctx context.Context) error { return w.lockContext(toRead, ctx) }

// Unlock undoes Lock. It panics with an error that is ErrNotLocked if no writer holds w.
func (w *RWLock) Unlock() {
	w.q.Lock()
	if !w.written {
		w.q.Unlock()
		panic(misuse("RWLock.Unlock", ErrNotLocked))
	}
	w.written = false
	w.letIn()
}

// RUnlock undoes one RLock. It panics with an error that is ErrNotLocked if no reader holds w.
func (w *RWLock) RUnlock() {
	w.q.Lock()
	if w.readers == 0 {
		w.q.Unlock()
		panic(misuse("RWLock.RUnlock", ErrNotLocked))
	}
	w.readers--
	w.letIn()
}

// Upgrade turns the caller's lock for reading into one for writing, sleeping until the other readers have gone; no writer comes in between. It returns
// ErrDeadlock at once, with w still locked for reading, if another reader upgrades: each would wait for the other to go. It panics with an
// error that is ErrNotLocked, as do its kin, if no reader holds w.
func (w *RWLock) Upgrade() error { return w.upgrade("Upgrade", futex.Never, nil) }

// TryUpgrade is UpgradeTimeout(0).
func (w *RWLock) TryUpgrade() error { return w.UpgradeTimeout(0) }

// UpgradeTimeout is Upgrade for at most d; past that it returns ErrTimeout, and w is still locked for reading. d <= 0 never sleeps.
func (w *RWLock) UpgradeTimeout(d time.Duration) error {
	return w.upgrade("UpgradeTimeout", futex.After(d), nil)
}

// UpgradeContext is Upgrade until ctx is done; it then returns ctx's cause, and w is still locked for reading. If ctx is done already it does not
// try.
func (w *RWLock) UpgradeContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return w.upgrade("UpgradeContext", futex.Never, ctx)
}

// Downgrade turns the caller's lock for writing into one for reading. No writer comes in between; readers that wait may come in with it. It panics with an
// error that is ErrNotLocked if no writer holds w.
func (w *RWLock) Downgrade() {
	w.q.Lock()
	if !w.written {
		w.q.Unlock()
		panic(misuse("RWLock.Downgrade", ErrNotLocked))
	}
	w.written = false
	w.readers = 1
	w.letIn()
}

// Locked reports whether anybody holds w.
func (w *RWLock) Locked() bool {
	w.q.Lock()
	defer w.q.Unlock()
	return w.written || w.readers > 0
}

// Readers returns how many readers hold w.
func (w *RWLock) Readers() int {
	w.q.Lock()
	defer w.q.Unlock()
	return w.readers
}

// String tells the lock's state.
func (w *RWLock) String() string {
	w.q.Lock()
	defer w.q.Unlock()
	switch {
	case w.written:
		return "osthread.RWLock, locked for writing"
	case w.readers > 0:
		return fmt.Sprintf("osthread.RWLock, %d readers", w.readers)
	default:
		return "unlocked osthread.RWLock"
	}
}

// RLocker returns a Locker whose methods are w's RLock and RUnlock.
func (w *RWLock) RLocker() sync.Locker { return (*rlocker)(w) }

type rlocker RWLock

func (r *rlocker) Lock()   { (*RWLock)(r).RLock() }
func (r *rlocker) Unlock() { (*RWLock)(r).RUnlock() }

func (w *RWLock) lockContext(what uint64, ctx context.Context) error {
	if ctx.Err() != nil || !w.lock(what, futex.Never, ctx) {
		return context.Cause(ctx)
	}
	return nil
}

// mayEnter reports whether one who comes may go in at once. The caller has the guard.
func (w *RWLock) mayEnter(what uint64) bool {
	if what == toWrite {
		return !w.written && w.readers == 0
	}
	return !w.written && (w.PreferReaders || w.q.Head() == nil && w.upgrader == nil)
}

func (w *RWLock) enter(what uint64) {
	if what == toWrite {
		w.written = true
	} else {
		w.readers++
	}
}

func (w *RWLock) lock(what uint64, deadline int64, ctx context.Context) bool {
	w.q.Lock()
	if w.mayEnter(what) {
		w.enter(what)
		w.q.Unlock()
		return true
	}
	w.q.Unlock()
	if wait.Over(deadline, ctx) {
		return false
	}
	n := wait.New(&w.spin)
	defer n.Free()
	n.Key = what
	w.q.Lock()
	if w.mayEnter(what) {
		w.enter(what)
		w.q.Unlock()
		return true
	}
	w.q.PushBack(n)
	w.q.Unlock()
	return wait.Sleep(n, w.leave, deadline, ctx, w)
}

func (w *RWLock) upgrade(what string, deadline int64, ctx context.Context) error {
	w.q.Lock()
	switch {
	case w.readers == 0:
		w.q.Unlock()
		panic(misuse("RWLock."+what, ErrNotLocked))
	case w.upgrader != nil:
		w.q.Unlock()
		return ErrDeadlock
	case w.readers == 1:
		w.readers, w.written = 0, true
		w.q.Unlock()
		return nil
	case wait.Over(deadline, ctx):
		w.q.Unlock()
		return outcomeOf(ctx)
	}
	n := wait.New(&w.spin)
	defer n.Free()
	w.upgrader = n
	w.q.Unlock()
	if !wait.Sleep(n, w.stopUpgrade, deadline, ctx, w) {
		return outcomeOf(ctx)
	}
	return nil
}

func (w *RWLock) stopUpgrade(n *wait.Node) bool {
	w.q.Lock()
	if w.upgrader != n {
		w.q.Unlock()
		return false
	}
	w.upgrader = nil
	w.letIn()
	return true
}

func (w *RWLock) leave(n *wait.Node) bool {
	w.q.Lock()
	if !w.q.Remove(n) {
		w.q.Unlock()
		return false
	}
	w.letIn()
	return true
}

// letIn lets whoever may go in go in, and gives the guard back.
func (w *RWLock) letIn() {
	first := w.grant()
	w.q.Unlock()
	if first != nil {
		wait.WakeAll(first, gotLock)
		released(w)
	}
}

// grant takes out those who may go in, and returns the first; Next leads to the others.
func (w *RWLock) grant() (first *wait.Node) {
	if w.upgrader != nil {
		if w.readers == 1 {
			first, w.upgrader = w.upgrader, nil
			*first.NextLink() = nil
			w.readers, w.written = 0, true
			return first
		}
		if !w.PreferReaders {
			return nil
		}
	}
	last := &first
	take := func(n *wait.Node) {
		w.q.Remove(n)
		w.enter(n.Key)
		*last = n
		last = n.NextLink()
	}
	for n := w.q.Head(); n != nil && !w.written; {
		next := n.Next()
		if n.Key == toRead {
			take(n)
		} else if !w.PreferReaders {
			break
		}
		n = next
	}
	if n := w.q.Head(); n != nil && n.Key == toWrite && w.mayEnter(toWrite) {
		take(n)
	}
	return first
}

// writeLocked reports whether a writer holds w.
func (w *RWLock) writeLocked() bool {
	w.q.Lock()
	defer w.q.Unlock()
	return w.written
}
