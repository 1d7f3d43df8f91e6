package osthread

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of an RWLock is whether a writer holds it, how many readers do, and
// the waiters in the order in which they came. A waiter is served only if it
// can hold the lock beside the others, and at rest none is left that could be
// let in: none if the lock is free, no reader beside readers unless a writer or
// upgrader waits, no upgrader that is the only reader. A fair lock serves in
// the order of the queue, upgraders first.

const (
	kindRead    = "RLock"
	kindWrite   = "Lock"
	kindUpgrade = "Upgrade"
)

type rwlockMachine struct {
	*actors.Cast
	w       *RWLock
	written bool
	readers int
	queue   []*actors.Actor
}

// waits reports whether a caller of one of the kinds waits.
func (m *rwlockMachine) waits(kinds ...string) bool {
	return slices.ContainsFunc(m.queue, func(a *actors.Actor) bool {
		return a.Call.Waits() && slices.Contains(kinds, a.Call.Kind)
	})
}

func (m *rwlockMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	i := slices.Index(m.queue, a)
	before := slices.DeleteFunc(slices.Clone(m.queue[:i]), func(b *actors.Actor) bool { return !b.Call.Waits() })
	m.queue = without(m.queue, a)
	if c.Ends() {
		return
	}
	if c.Err != nil {
		t.Fatalf("%v: %s failed: %v", a, c.Kind, c.Err)
	}
	ok := !m.written
	switch c.Kind {
	case kindWrite:
		ok = ok && m.readers == 0 && !(m.w.Fair && len(before) > 0)
		m.written = true
	case kindUpgrade:
		ok = ok && m.readers == 1
		m.written, m.readers = true, 0
	default:
		for _, b := range before {
			ok = ok && !(m.w.Fair && b.Call.Kind == kindWrite && !m.w.PreferReaders)
		}
		m.readers++
	}
	if !ok {
		t.Fatalf("%v has got %s beside %d readers, written: %v; before it: %v", a, c.Kind, m.readers, m.written, before)
	}
}

func (m *rwlockMachine) stable() bool {
	switch {
	case m.written:
	case m.readers == 0:
		if len(m.queue) > 0 {
			return false
		}
	case m.waits(kindUpgrade) && m.readers == 1,
		m.waits(kindRead) && (m.w.PreferReaders || !m.waits(kindWrite, kindUpgrade)):
		return false
	}
	return m.retrying() == 0 && m.w.Waiting() == len(m.queue) && m.w.Readers() == m.readers &&
		m.w.Locked() == (m.written || m.readers > 0)
}

// retrying returns how many waiters were woken to retry, which may still be
// served.
func (m *rwlockMachine) retrying() int64 {
	q := m.w.q.Load()
	if q == nil {
		return 0
	}
	q.Lock()
	defer q.Unlock()
	return q.retries.out
}

func (m *rwlockMachine) settle(t *rapid.T) { m.Settle(t, m.stable) }

func (m *rwlockMachine) start(a *actors.Actor, c *actors.Call, forms actors.Forms) {
	m.queue = append(m.queue, a)
	m.Start(a, c, func(ctx context.Context) error { return forms.Call(ctx, c.Shape) })
}

func (m *rwlockMachine) lock(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: kindWrite, Shape: s}
	if m.written || m.readers > 0 || s == actors.Done {
		c.Must = a.Unserved(s, actors.ErrTimeout)
	}
	m.start(a, c, actors.Bool(m.w.Lock, m.w.LockTimeout, m.w.LockContext))
	m.settle(t)
}

func (m *rwlockMachine) rlock(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: kindRead, Shape: s}
	kept := m.readers > 0 && !m.w.PreferReaders && m.waits(kindWrite, kindUpgrade)
	if m.written || kept || s == actors.Done {
		c.Must = a.Unserved(s, actors.ErrTimeout)
	}
	m.start(a, c, actors.Bool(m.w.RLock, m.w.RLockTimeout, m.w.RLockContext))
	m.settle(t)
}

func (m *rwlockMachine) upgrade(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: kindUpgrade, Shape: s}
	switch {
	case s == actors.Done:
		c.Must = a.Unserved(s, nil)
	case m.readers == 0:
		c.Must = []error{ErrNotLocked}
	case m.waits(kindUpgrade):
		c.Must = []error{ErrDeadlock}
	case m.readers > 1:
		c.Must = a.Unserved(s, ErrTimeout)
	}
	m.start(a, c, actors.Forms{Plain: m.w.Upgrade, Timeout: m.w.UpgradeTimeout, Context: m.w.UpgradeContext})
	m.settle(t)
}

func (m *rwlockMachine) unlock(t *rapid.T) {
	if !m.written {
		mustPanic(t, ErrNotLocked, m.w.Unlock)
	} else {
		m.written = false
		m.w.Unlock()
	}
	m.settle(t)
}

func (m *rwlockMachine) runlock(t *rapid.T) {
	if m.readers == 0 {
		mustPanic(t, ErrNotLocked, m.w.RUnlock)
	} else {
		m.readers--
		m.w.RUnlock()
	}
	m.settle(t)
}

func (m *rwlockMachine) downgrade(t *rapid.T) {
	if !m.written {
		mustPanic(t, ErrNotLocked, m.w.Downgrade)
	} else {
		m.written, m.readers = false, 1
		m.w.Downgrade()
	}
	m.settle(t)
}

// free unlocks what is held, of readers one.
func (m *rwlockMachine) free(t *rapid.T) {
	if m.written {
		m.unlock(t)
	} else {
		m.runlock(t)
	}
}

func rwlockSequence(t *rapid.T, c *actors.Cast) {
	m := &rwlockMachine{Cast: c, w: &RWLock{
		Fair:          rapid.Bool().Draw(t, "fair"),
		PreferReaders: rapid.Bool().Draw(t, "prefer readers"),
	}}
	defer m.Begin(m.returned, func() { _, _ = panicOf(m.w.Unlock), panicOf(m.w.RUnlock) })()
	t.Repeat(map[string]func(*rapid.T){
		"Lock":                m.lock,
		"RLock":               m.rlock,
		"RLock too":           m.rlock,
		"Upgrade":             m.upgrade,
		"Unlock":              m.unlock,
		"RUnlock":             m.runlock,
		"Downgrade":           m.downgrade,
		"cancel context":      func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then unlock": func(t *rapid.T) { m.CancelContext(t); m.free(t) },
		"cancel thread":       func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	for m.written || m.readers > 0 {
		m.free(t)
	}
	if word := m.w.word.Load() &^ rwWatched; word != 0 {
		t.Fatalf("a free RWLock has the word %x", word)
	}
}

func TestRWLockSequences(t *testing.T) { checkSequences(t, rwlockSequence) }

func FuzzRWLockSequences(f *testing.F) { fuzzSequences(f, rwlockSequence) }
