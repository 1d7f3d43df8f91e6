package osthread

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Lock is a flag and the waiters in the order in which they
// came. While the flag is clear no waiter sleeps. A fair Lock goes to the first
// waiter, another to any. A call that ends otherwise changes nothing.

type lockMachine struct {
	*actors.Cast
	l     *Lock
	held  bool
	queue []*actors.Actor
}

func (m *lockMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	before := firstBefore(m.queue, a)
	m.queue = without(m.queue, a)
	switch {
	case c.Ends():
	case c.Err != nil:
		t.Fatalf("%v failed: %v", a, c.Err)
	case m.held:
		t.Fatalf("%v has locked what another holds", a)
	case m.l.Fair && before != nil:
		t.Fatalf("%v was served before %v", a, before)
	default:
		m.held = true
	}
}

func (m *lockMachine) stable() bool {
	return (m.held || len(m.queue) == 0) && m.l.Waiting() == len(m.queue) && m.l.Locked() == m.held
}

func (m *lockMachine) settle(t *rapid.T) { m.Settle(t, m.stable) }

func (m *lockMachine) lock(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Lock", Shape: s}
	if m.held || s == actors.Done {
		c.Must = a.Unserved(s, actors.ErrTimeout)
	}
	m.queue = append(m.queue, a)
	forms := actors.Bool(m.l.Lock, m.l.LockTimeout, m.l.LockContext)
	m.Start(a, c, func(ctx context.Context) error {
		if s == actors.Try {
			return actors.OrTimeout(m.l.TryLock())
		}
		return forms.Call(ctx, s)
	})
	m.settle(t)
}

// unlock unlocks, perhaps at once after the context of a waiter is done, and
// perhaps barges.
func (m *lockMachine) unlock(t *rapid.T) {
	if !m.held {
		mustPanic(t, ErrNotLocked, m.l.Unlock)
		m.settle(t)
		return
	}
	m.held = false
	m.l.Unlock()
	if rapid.Bool().Draw(t, "barge") && m.l.TryLock() {
		for _, a := range m.queue {
			if m.l.Fair && !a.Call.Ends() {
				t.Fatalf("barged before %v", a)
			}
		}
		m.held = true
	}
	m.settle(t)
}

func lockSequence(t *rapid.T, c *actors.Cast) {
	m := &lockMachine{Cast: c, l: &Lock{Fair: rapid.Bool().Draw(t, "fair")}}
	defer m.Begin(m.returned, func() { _ = panicOf(m.l.Unlock) })()
	t.Repeat(map[string]func(*rapid.T){
		"lock":                m.lock,
		"unlock":              m.unlock,
		"cancel context":      func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then unlock": func(t *rapid.T) { m.CancelContext(t); m.unlock(t) },
		"cancel thread":       func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	for m.held {
		m.held = false
		m.l.Unlock()
		m.settle(t)
	}
	if left := m.l.word.Load() &^ watched; left != 0 || m.l.link.Load() != 0 {
		t.Fatalf("a free Lock has the word %x and the link %x", left, m.l.link.Load())
	}
}

func TestLockSequences(t *testing.T) { checkSequences(t, lockSequence) }

func FuzzLockSequences(f *testing.F) { fuzzSequences(f, lockSequence) }
