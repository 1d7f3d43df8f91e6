package osthread

import (
	"context"
	"runtime"
	"time"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// The holder's key is its thread's serial, which no other thread ever has, so a
// thread that ends with an RLock leaves it locked for good, and a later thread
// that got its ident or id is not taken for it. (On 32-bit systems the serials
// of threads without a record repeat, see internal/ident.) A goroutine without
// a thread of its own is held on the one it is on from the first Lock to the
// last Unlock (runtime.LockOSThread), so that the serial identifies it. While
// it waits it is not held: it takes the lock anonymously and puts the key in
// after.

// An RLock is a lock that its owner may lock again (POSIX: recursive mutex).
// The zero value is unlocked. It must not be copied after first use. Its
// namesake, the method of RWLock, locks for reading.
//
// The owner is a thread. A goroutine that has none of its own stays on the
// thread it is on while it holds the lock, and must unlock it itself. A
// goroutine that holds an RLock should not call thread.Detach before the last
// Unlock. Fairness and memory order are those of Lock.
//
// While a goroutine that has no thread of its own holds an RLock Go ends the
// process if it calls next or stop of an iter.Pull made before, or after the
// last Unlock those of one made meanwhile.
//
// No thread is taken for another, living or ended, with one exception: on
// 32-bit systems a thread made by Go, where thread.Current is nil, may be taken
// for one that began 2,147,483,647 threads earlier.
type RLock struct {
	// Fair is as in Lock.
	Fair bool

	m     mutex
	depth int  // calls of Lock beyond the first; the owner's, as is
	held  bool // whether it holds the goroutine on its thread
	_     noCopy
}

// keyOf returns the key of the calling thread, whose slot it is given. Serials
// begin with 1, so a key is never anonymous, and a thread without a slot has
// one that no lock is ever held with.
func keyOf(slot uintptr) uint64 {
	if !ident.SerialInSlot && ident.Row(slot) != 0 {
		return (thread.Current().Serial() + 2) << keyShift
	}
	return (ident.Serial(slot) + 2) << keyShift
}

// ownedBy reports whether the thread of key holds r. Only for that thread does
// the answer not change meanwhile.
func (r *RLock) ownedBy(key uint64) bool { return r.m.word.Load()&^flags == key }

// Lock locks r, sleeping until it is free, or counts one more if the calling
// thread holds it.
func (r *RLock) Lock() {
	slot := ident.Slot()
	if ident.Row(slot) == 0 {
		r.lockGoroutine(&forever)
	} else if !r.m.word.CompareAndSwap(0, keyOf(slot)) {
		r.lock(&forever)
	}
}

// TryLock locks r if it is free and nobody is to have it first, or the calling
// thread holds it, and reports whether it did.
func (r *RLock) TryLock() bool { return r.LockTimeout(0) }

// LockTimeout is Lock for at most d and reports whether the caller has locked
// r. With d <= 0 it never sleeps.
func (r *RLock) LockTimeout(d time.Duration) bool {
	l := park.For(d)
	return r.lock(&l)
}

// LockContext is Lock until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not try.
func (r *RLock) LockContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if r.lock(&l) {
		if !l.Canceled() {
			return nil
		}
		r.Unlock() // the context was done before the lock was free, it may be
	}
	return l.Err(nil)
}

func (r *RLock) lock(l *park.Limit) bool {
	slot := ident.ID()
	if ident.Row(slot) == 0 {
		return r.lockGoroutine(l)
	}
	key := keyOf(slot)
	if r.ownedBy(key) {
		r.depth++
		return true
	}
	return r.m.lock(key, r.Fair, l, r)
}

func (r *RLock) lockGoroutine(l *park.Limit) bool {
	runtime.LockOSThread()
	key := keyOf(ident.ID())
	if r.m.word.CompareAndSwap(0, key) {
		r.held = true
		return true
	}
	owned := r.ownedBy(key)
	runtime.UnlockOSThread()
	if owned {
		r.depth++
		return true
	}
	if !r.m.lock(anonymous, r.Fair, l, r) {
		return false
	}
	r.adoptByThread()
	return true
}

// adoptByThread makes the thread the owner of r, which is locked without a name
// by the calling goroutine.
func (r *RLock) adoptByThread() {
	runtime.LockOSThread()
	r.m.word.Add(keyOf(ident.ID()) - anonymous)
	r.held = true
}

// Unlock undoes one Lock. It panics with an error that is ErrNotOwner, and
// changes nothing, if the calling thread does not hold r.
func (r *RLock) Unlock() {
	slot := ident.Slot()
	key := keyOf(slot)
	if ident.Row(slot) == 0 {
		key = r.keyOfGoroutine()
	}
	if !r.ownedBy(key) {
		panic(misuse("RLock.Unlock", ErrNotOwner))
	}
	if r.depth > 0 {
		r.depth--
		return
	}
	held := r.held
	r.held = false
	if s := r.m.word.Add(-key); s != 0 {
		r.m.unlockSlow(s, r)
	}
	if held {
		runtime.UnlockOSThread()
	}
}

// keyOfGoroutine returns the key of a goroutine without a thread of its own, if
// it owns r, and else one that nobody has. The goroutine is held on its thread
// for the look: if it does not own r, another that does could get the thread
// between the two steps. If it owns r it stays on the thread anyway.
func (r *RLock) keyOfGoroutine() uint64 {
	runtime.LockOSThread()
	key := keyOf(ident.Slot())
	if !r.ownedBy(key) {
		key = keyOf(ident.None)
	}
	runtime.UnlockOSThread()
	return key
}

// Locked reports whether r is locked, by whomever.
func (r *RLock) Locked() bool { return !free(r.m.word.Load()) }

// Owned reports whether the calling thread holds r.
func (r *RLock) Owned() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return r.ownedBy(keyOf(ident.ID()))
}
