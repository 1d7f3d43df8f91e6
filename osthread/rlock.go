package osthread

import (
	"context"
	"math"
	"runtime"
	"time"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/watch"
)

// The owner's key is its thread's serial, which no other thread ever has. So a
// thread that ends with an RLock leaves it locked for good, and a later thread
// with the same ident or id is not mistaken for the owner. (On 32-bit systems
// the serials of threads without a record repeat, see internal/ident.)
//
// A goroutine without a thread of its own is pinned to the thread it is on from
// the first Lock to the last Unlock (runtime.LockOSThread), so that the serial
// identifies it. It is not pinned while it waits: it acquires anonymously, and
// then puts its key in.

// An RLock is a lock that its owner may lock again (POSIX: recursive mutex).
// The zero value is unlocked. It must not be copied after first use. The method
// of the same name of RWLock is another thing: it locks for reading.
//
// The owner is a thread. A goroutine without a thread of its own stays on the
// thread it is on while it holds the lock, and must unlock it itself. A
// goroutine that holds an RLock should not call thread.Detach before the last
// Unlock. Fairness and memory order are those of [Lock].
//
// While a goroutine without a thread of its own holds an RLock, Go ends the
// process if that goroutine calls next or stop of an iter.Pull made before; or
// after the last Unlock, of one made meanwhile.
//
// No thread is mistaken for another, living or ended, with one exception: on
// 32-bit systems a thread made by Go, where thread.Current is nil, may be
// mistaken for one that began 2,147,483,647 threads earlier.
type RLock struct {
	// Fair is as in [Lock].
	Fair bool

	pinned bool  // the lock pins the goroutine to its thread
	depth  int32 // calls of Lock beyond the first; the owner's, as pinned is
	mutex
}

// keyOf returns the key of the calling thread, given its slot. Serials begin
// with 1, so a key is never anonymous. A thread without a slot has a key that
// no lock is ever held with.
func keyOf(slot uintptr) uint64 {
	if !ident.SerialInSlot && ident.Row(slot) != 0 {
		return (thread.Current().Serial() + 2) << keyShift
	}
	return (ident.Serial(slot) + 2) << keyShift
}

// ownedBy reports whether the thread with key holds r. The answer is stable
// only for that thread.
func (r *RLock) ownedBy(key uint64) bool { return r.word.Load()&owner == key }

// Lock locks r, sleeping until it is free, or increments its depth if the
// calling thread holds it. Lock and its variants panic with an error that is
// [ErrCount], and change nothing, if the calling thread has locked r 2^31
// times.
func (r *RLock) Lock() {
	slot := ident.Slot()
	switch {
	case ident.Row(slot) != 0:
		if !r.word.CompareAndSwap(watch.Free, keyOf(slot)) {
			r.lock(&unlimited)
		}
	case watch.On:
		r.lockWatched(&unlimited)
	default:
		r.lockGoroutine(&unlimited)
	}
}

// TryLock locks r if it is free and not about to be handed off, or if the
// calling thread holds it, and reports whether it did.
func (r *RLock) TryLock() bool { return r.LockTimeout(0) }

// LockTimeout is Lock for at most d and reports whether it locked r.
func (r *RLock) LockTimeout(d time.Duration) bool {
	l := park.For(d).Unwinding()
	return r.lock(&l)
}

// LockContext is Lock until ctx is done; it then returns ctx's cause.
func (r *RLock) LockContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if r.lock(&l) {
		if !l.Canceled() {
			return nil
		}
		r.Unlock() // ctx was perhaps done before the lock was free
	}
	return l.Err(nil)
}

func (r *RLock) lock(l *park.Limit) bool {
	if watch.On {
		return r.lockWatched(l)
	}
	return r.acquire(l)
}

func (r *RLock) lockWatched(l *park.Limit) bool {
	p := watch.Here()
	key := keyOf(ident.ID())
	if r.word.Load()&owner == 0 || !r.Owned() {
		r.watch(r)
		if l.Never() {
			p.Wants(r, watch.Exclusive)
		}
	}
	if l.Never() && ident.Row(ident.Slot()) != 0 && r.word.CompareAndSwap(watched, watched|key) {
		p.Acquired(r, watch.Exclusive, 1)
		return true
	}
	locked := r.acquire(l)
	if locked && r.depth == 0 {
		r.acquired(r)
	}
	return locked
}

func (r *RLock) acquire(l *park.Limit) bool {
	slot := ident.ID()
	if ident.Row(slot) == 0 {
		return r.lockGoroutine(l)
	}
	key := keyOf(slot)
	if r.ownedBy(key) {
		r.lockAgain()
		return true
	}
	return acquire(r, key, l)
}

// lockAgain increments the depth of r, which the caller owns.
func (r *RLock) lockAgain() {
	if r.depth == math.MaxInt32 {
		panic(misuse("RLock.Lock", ErrCount))
	}
	r.depth++
}

func (r *RLock) lockGoroutine(l *park.Limit) bool {
	runtime.LockOSThread()
	key := keyOf(ident.ID())
	if r.word.CompareAndSwap(0, key) {
		r.pinned = true
		return true
	}
	owned := r.ownedBy(key)
	runtime.UnlockOSThread()
	if owned {
		r.lockAgain()
		return true
	}
	if !acquire(r, anonymous, l) {
		return false
	}
	r.takeOwnership()
	return true
}

// takeOwnership makes the calling thread the owner of r, which the goroutine on
// it has acquired anonymously.
func (r *RLock) takeOwnership() {
	runtime.LockOSThread()
	r.word.Add(keyOf(ident.ID()) - anonymous)
	r.pinned = true
}

// Unlock undoes one Lock. It panics with an error that is [ErrNotOwner], and
// changes nothing, if the calling thread does not hold r.
func (r *RLock) Unlock() {
	slot := ident.Slot()
	key := keyOf(slot)
	if ident.Row(slot) == 0 {
		key = r.keyOfGoroutine()
	}
	s := r.word.Load()
	if s&owner != key {
		panic(misuse("RLock.Unlock", ErrNotOwner))
	}
	if r.depth > 0 {
		r.depth--
		return
	}
	if s&watched != 0 {
		watch.Released(r, watch.Exclusive, 1)
	}
	pinned := r.pinned
	r.pinned = false
	r.unlock(key, r)
	if pinned {
		runtime.UnlockOSThread()
	}
}

// keyOfGoroutine returns the key of a goroutine without a thread of its own, if
// it owns r, and otherwise a key that no thread has. It pins the goroutine for
// the check: if the goroutine does not own r, another one that does could get
// the thread between the two steps. If it owns r it is pinned anyway.
func (r *RLock) keyOfGoroutine() uint64 {
	runtime.LockOSThread()
	key := keyOf(ident.Slot())
	if !r.ownedBy(key) {
		key = keyOf(ident.None)
	}
	runtime.UnlockOSThread()
	return key
}

// Locked reports whether r is locked. The result may be stale by the time it is
// used.
func (r *RLock) Locked() bool { return !free(r.word.Load()) }

// Owned reports whether the calling thread holds r.
func (r *RLock) Owned() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return r.ownedBy(keyOf(ident.ID()))
}

func (r *RLock) isFair() bool    { return r.Fair }
func (r *RLock) undo(key uint64) { r.unlock(key, r) }

// The lock of a Condition.

// mustHold returns 0 for a goroutine without a thread of its own, which waits
// unpinned and so has no key.
func (r *RLock) mustHold(op string) (key uint64) {
	if !r.Owned() {
		panic(misuse("Condition."+op, ErrNotOwner))
	}
	if slot := ident.Slot(); ident.Row(slot) != 0 {
		return keyOf(slot)
	}
	return 0
}

func (r *RLock) unlockAll() (depth int) {
	depth, r.depth = int(r.depth), 0
	r.Unlock()
	return depth
}

func (r *RLock) restore(depth int) { r.depth = int32(depth) }
func (r *RLock) relocked()         { r.acquired(r) }
