package sync

import "example.com/thread/osthread"

// An RWMutex is held by one writer or by any number of readers, as
// [sync.RWMutex] is. The zero value is unlocked. It must not be copied after
// first use.
//
// A writer that waits keeps out new readers, so a reader must not lock again
// what it has locked.
//
// In the terms of the Go memory model, the n'th call of Unlock synchronizes
// before the m'th call of Lock for any n < m. For any call of RLock there is an
// n such that the n'th call of Unlock synchronizes before its return, and the
// matching RUnlock before the return of the n+1'th call of Lock.
type RWMutex struct {
	l osthread.RWLock
}

// Lock locks rw for writing, sleeping until no one holds it.
func (rw *RWMutex) Lock() { rw.l.Lock() }

// TryLock locks rw for writing if it can do so at once, and reports whether it
// did.
func (rw *RWMutex) TryLock() bool { return rw.l.TryLock() }

// Unlock undoes one Lock. It panics with an error that is
// [osthread.ErrNotLocked] if no writer holds rw; for [sync.RWMutex] that is a
// fatal error.
func (rw *RWMutex) Unlock() { rw.l.Unlock() }

// RLock locks rw for reading, sleeping while a writer holds it or waits.
func (rw *RWMutex) RLock() { rw.l.RLock() }

// TryRLock locks rw for reading if it can do so at once, and reports whether it
// did.
func (rw *RWMutex) TryRLock() bool { return rw.l.TryRLock() }

// RUnlock undoes one RLock. It panics with an error that is
// [osthread.ErrNotLocked] if no reader holds rw; for [sync.RWMutex] that is a
// fatal error.
func (rw *RWMutex) RUnlock() { rw.l.RUnlock() }

// RLocker returns a Locker whose methods are rw's RLock and RUnlock.
func (rw *RWMutex) RLocker() Locker { return rw.l.RLocker() }
