//go:build !plan9

package shared

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/ident"
)

// Words of 64 bits that say which thread owns an object: the Go half of
// csrc/ost_owner.h, which has their layout, their states, how the death of an
// owner is seen, and why no wakeup is lost.
//
// What is Go's own: a goroutine without a thread of its own is pinned
// (runtime.LockOSThread) from the lock to the unlock, so that the thread's id
// identifies it. If it ends in between, Go ends its thread, which waiters then
// find dead; for the first thread, which Go does not end, see owner_linux.go.
// Thread ids and incarnations are cached under the slot of package ident, which
// no other thread has later. Where slots are not in the thread's own memory, as
// without cgo, a slot may outlive its thread: there the id is asked for at
// every lock, and of robust objects the incarnation is read.

const (
	ownerWaiters      uint64 = 0x80000000
	ownerInconsistent uint64 = 0x40000000
	ownerID           uint64 = 0x3fffffff
	ownerOver         uint64 = 0x3fffffff

	attrRobust uint32 = 0x10 // OST_ROBUST

	lookFirst = time.Millisecond
	lookLast  = 64 * time.Millisecond
)

// An owner is such a word.
type owner struct{ word atomic.Uint64 }

func (o *owner) futex() *uint32 { return half(&o.word, lowHalf) }

// low returns the half that waiters sleep on, and that the kernel knows.
func (o *owner) low() *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(o.futex())) }

// high returns the half with the incarnation.
func (o *owner) high() *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(half(&o.word, highHalf)))
}

func isFree(s uint64) bool { return uint32(s) == 0 }
func isOver(s uint64) bool { return s&ownerID == ownerOver }

// sameIncarnation reports whether a and b may be of one thread. What is unknown
// may be.
func sameIncarnation(a, b uint32) bool {
	switch {
	case a == 0 || b == 0:
		return true
	case (a^b)&0xfffff != 0:
		return false
	}
	return a == b || a>>20 == 0 || b>>20 == 0
}

// isOwner reports whether self owns the object with the word s.
func isOwner(s, self uint64) bool {
	return (s^self)&ownerID == 0 && sameIncarnation(uint32(s>>32), uint32(self>>32))
}

// pin makes the calling goroutine's thread its own, if it has none, until
// unpin. It reports whether it did.
func pin() bool {
	if ident.Row(ident.Slot()) != 0 {
		return false
	}
	runtime.LockOSThread()
	return true
}

func unpin(pinned bool) {
	if pinned {
		runtime.UnlockOSThread()
	}
}

// A name is the owner that the thread with slot is.
type name struct {
	slot uintptr
	self uint64
}

// names caches the names of threads, each at a place that its slot selects.
var names [1 << 10]atomic.Pointer[name]

// self returns the calling thread as the owner of an object, with its
// incarnation if the object is robust. The goroutine is pinned.
func self(robust bool) uint64 {
	if !ident.SerialInSlot || !ident.Fast() {
		return readSelf(robust)
	}
	slot := ident.ID()
	place := &names[(slot>>ident.RowBits)%uintptr(len(names))]
	if n := place.Load(); n != nil && n.slot == slot {
		return n.self
	}
	self := readSelf(true)
	if self>>32 != 0 {
		place.Store(&name{slot, self})
	}
	return self
}

// pinSelf pins the calling goroutine, and returns its thread as the owner that
// it is to be, and what pin returns.
func pinSelf(robust bool) (owner uint64, pinned bool) {
	pinned = pin()
	owner = self(robust)
	if pinned && robust && onFirstThread(owner) {
		leaveFirstThread()
		owner = self(robust)
	}
	return owner, pinned
}

// knownSelf is self for a thread of its own that has called self before.
func knownSelf() (self uint64, ok bool) {
	slot := ident.Slot()
	if ident.Row(slot) == 0 || !ident.SerialInSlot {
		return 0, false
	}
	n := names[(slot>>ident.RowBits)%uintptr(len(names))].Load()
	if n == nil || n.slot != slot {
		return 0, false
	}
	return n.self, true
}

// replace replaces the dead owner in the word s by self. It reports whether it
// did.
func (o *owner) replace(s, self uint64) bool {
	return isDead(s) && o.word.CompareAndSwap(s, self|ownerInconsistent|ownerWaiters)
}

// tryLock locks o for self without waiting; attr are the flags of the object.
// It returns nil, ErrBusy, ErrNotRecoverable if o is over, or of a robust
// object ErrOwnerDead with o locked.
func (o *owner) tryLock(self uint64, attr uint32) error {
	s := o.word.Load()
	for range 3 { // a free word differs only if its high half is corrupt
		if !isFree(s) {
			break
		}
		if o.word.CompareAndSwap(s, self) {
			return nil
		}
		s = o.word.Load()
	}
	switch {
	case isOver(s):
		return ErrNotRecoverable
	case attr&attrRobust != 0 && !isOwner(s, self) && o.replace(s, self):
		return ownerDied()
	}
	return ErrBusy
}

// lock is tryLock that waits until l has ended; then it returns errEnded. The
// caller, which is pinned, does not own o. The waiter is object's.
func (o *owner) lock(object any, self uint64, attr uint32, l limit) error {
	if o.word.CompareAndSwap(0, self) {
		return nil
	}
	poll(func() bool { s := o.word.Load(); return isFree(s) || s&ownerWaiters != 0 })
	w := begin(object, o.futex(), l, attr&attrShared != 0)
	defer w.end()
	if attr&attrRobust != 0 {
		w.slice = lookFirst
	}
	return o.wait(&w, self, attr&attrRobust != 0)
}

func (o *owner) wait(w *waiter, self uint64, robust bool) error {
	mine, ended := self, false
	for failures := 1; ; failures++ {
		s := o.word.Load()
		switch {
		case failures%failuresPerNap == 0:
			time.Sleep(time.Millisecond)
			ended = ended || w.ended()
			if ended && failures > failuresPerNap {
				return errEnded
			}
		case isFree(s):
			if o.word.CompareAndSwap(s, mine) {
				return nil
			}
		case isOver(s):
			return ErrNotRecoverable
		case ended:
			if robust && o.replace(s, self) {
				return ownerDied()
			}
			return errEnded
		case s&ownerWaiters == 0 && !o.word.CompareAndSwap(s, s|ownerWaiters): // retry
		default:
			s |= ownerWaiters
			ended = !w.sleep(o.futex(), uint32(s))
			mine = self | ownerWaiters
			if ended || !robust || o.word.Load() != s {
				continue
			}
			if o.replace(s, self) {
				return ownerDied()
			}
			w.slice = min(2*w.slice, lookLast)
		}
	}
}

// unlock unlocks o, which the caller owns; it is over then if it was
// inconsistent.
func (o *owner) unlock(attr uint32) {
	if o.word.Load()&ownerInconsistent != 0 {
		o.finish(attr)
		return
	}
	if s := o.word.Swap(0); s&ownerWaiters != 0 {
		wake(o.futex(), 1, attr&attrShared != 0)
	}
}

// finish makes o, which the caller owns, over, and wakes all waiters.
func (o *owner) finish(attr uint32) {
	if s := o.word.Swap(ownerOver); s&ownerWaiters != 0 {
		wake(o.futex(), wakeAll, attr&attrShared != 0)
	}
}

// consistent ends the inconsistency of o. It returns ErrNotOwner if self does
// not own o, or ErrInvalid if there is none.
func (o *owner) consistent(self uint64) error {
	s := o.word.Load()
	switch {
	case !isOwner(s, self):
		return ErrNotOwner
	case s&ownerInconsistent == 0:
		return ErrInvalid
	}
	o.word.And(^ownerInconsistent)
	return nil
}
