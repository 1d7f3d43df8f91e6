package osthread

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of an RLock is its owner, which is an actor, how often that has
// locked it, and the waiters in the order in which they came. The owner never
// waits. Any other actor finds that it is not the owner.

type rlockMachine struct {
	*actors.Cast
	r     *RLock
	owner *actors.Actor
	depth int
	queue []*actors.Actor
}

func (m *rlockMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	before := firstBefore(m.queue, a)
	m.queue = without(m.queue, a)
	switch {
	case c.Ends():
		return
	case c.Err != nil:
		t.Fatalf("%v failed: %v", a, c.Err)
	case m.owner != nil && m.owner != a:
		t.Fatalf("%v has locked what %v holds", a, m.owner)
	case m.r.Fair && m.owner == nil && before != nil:
		t.Fatalf("%v was served before %v", a, before)
	}
	m.owner = a
	m.depth++
}

func (m *rlockMachine) stable() bool {
	return (m.owner != nil || len(m.queue) == 0) && m.r.Waiting() == len(m.queue)
}

func (m *rlockMachine) settle(t *rapid.T) { m.Settle(t, m.stable) }

func (m *rlockMachine) lock(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Lock", Shape: s}
	if a == m.owner && a.Asked && s == actors.Done {
		t.Skip("the error may end the thread, which holds the lock")
	}
	blocked := m.owner != nil && m.owner != a
	if blocked || s == actors.Done {
		c.Must = a.Unserved(s, actors.ErrTimeout)
	}
	if blocked {
		m.queue = append(m.queue, a)
	} else {
		c.Granted = !c.Ends()
		m.queue = append([]*actors.Actor{a}, m.queue...)
	}
	forms := actors.Bool(m.r.Lock, m.r.LockTimeout, m.r.LockContext)
	m.Start(a, c, func(ctx context.Context) error { return forms.Call(ctx, s) })
	m.settle(t)
}

func (m *rlockMachine) unlock(t *rapid.T) {
	a := m.Idle(t)
	if a != m.owner {
		if err := m.Do(a, func() error { m.r.Unlock(); return nil }); !errors.Is(err, ErrNotOwner) {
			t.Fatalf("Unlock by %v: %v", a, err)
		}
	} else {
		m.unlockOwner(t)
	}
	m.settle(t)
}

func (m *rlockMachine) unlockOwner(t *rapid.T) {
	a := m.owner
	if m.depth--; m.depth == 0 {
		m.owner = nil
	}
	if err := m.Do(a, func() error { m.r.Unlock(); return nil }); err != nil {
		t.Fatalf("%v cannot unlock: %v", a, err)
	}
}

// ask compares what an actor sees with the model.
func (m *rlockMachine) ask(t *rapid.T) {
	a := m.Idle(t)
	_ = m.Do(a, func() error {
		depth := 0
		if a == m.owner {
			depth = m.depth
		}
		if m.r.Depth() != depth || m.r.Owned() != (depth > 0) || m.r.Locked() != (m.owner != nil) {
			t.Errorf("%v sees %v, depth %d, want %d", a, m.r, m.r.Depth(), depth)
		}
		return nil
	})
}

func (m *rlockMachine) release() {
	for _, a := range m.Actors {
		for a.Call == nil && m.Do(a, func() error { m.r.Unlock(); return nil }) == nil {
		}
	}
}

func rlockSequence(t *rapid.T, c *actors.Cast) {
	m := &rlockMachine{Cast: c, r: &RLock{Fair: rapid.Bool().Draw(t, "fair")}}
	defer m.Begin(m.returned, m.release)()
	t.Repeat(map[string]func(*rapid.T){
		"lock":           m.lock,
		"unlock":         m.unlock,
		"ask":            m.ask,
		"cancel context": func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then unlock": func(t *rapid.T) {
			m.CancelContext(t)
			m.unlockOwner(t)
			m.settle(t)
		},
		"cancel thread": func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	for m.owner != nil {
		m.unlockOwner(t)
		m.settle(t)
	}
	if m.r.Locked() || m.r.word.Load()&^watched != 0 || m.r.link.Load() != 0 {
		t.Fatalf("a free RLock has the word %x and the link %x", m.r.word.Load(), m.r.link.Load())
	}
}

func TestRLockSequences(t *testing.T) { checkSequences(t, rlockSequence) }

func FuzzRLockSequences(f *testing.F) { fuzzSequences(f, rlockSequence) }
