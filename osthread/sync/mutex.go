package sync

import "example.com/thread/osthread"

// A Mutex is a mutual exclusion lock, as [sync.Mutex] is. The zero value is
// unlocked. It must not be copied after first use.
//
// It has no owner: one thread or goroutine may lock it and another unlock it.
// A waiter that has waited for 1 ms is handed the lock, as [osthread.Lock]
// says.
//
// In the terms of the Go memory model, the n'th call of Unlock synchronizes
// before the m'th call of Lock for any n < m, and a successful TryLock is
// equivalent to a Lock.
type Mutex struct {
	l osthread.Lock
}

// Lock locks m, sleeping until it is free.
func (m *Mutex) Lock() { m.l.Lock() }

// TryLock locks m if it is free and not about to be handed off, and reports
// whether it did.
func (m *Mutex) TryLock() bool { return m.l.TryLock() }

// Unlock unlocks m. It panics with an error that is [osthread.ErrNotLocked] if
// m is not locked; for [sync.Mutex] that is a fatal error.
func (m *Mutex) Unlock() { m.l.Unlock() }
