package osthread

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of Thread.Cancel is, of each thread, whether it was canceled and
// whether a wait has ended by that. The present wait ends or else the next one,
// one in all; none below Uncanceled; and Canceled counts as one. The context of
// a canceled thread is done from then on.

const (
	kindTwice  = "Wait, then Wait"
	kindHidden = "Uncanceled"
)

type cancelMachine struct {
	*actors.Cast
	e     *Event
	queue []*actors.Actor
}

func (m *cancelMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.queue = without(m.queue, a)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v: %s ended with %v, granted: %v", a, c.Kind, c.Err, c.Granted)
	}
}

func (m *cancelMachine) settle(t *rapid.T) {
	m.Settle(t, func() bool {
		for _, a := range m.queue {
			if ended, ok := a.Call.Value.(*atomic.Int32); ok && int(ended.Load()) != a.Call.N {
				return false
			}
		}
		return m.e.Waiting() == len(m.queue)
	})
}

func (m *cancelMachine) start(a *actors.Actor, kind string, must []error, f func() error) {
	m.queue = append(m.queue, a)
	m.Start(a, &actors.Call{Kind: kind, Must: must}, func(context.Context) error { return f() })
}

func (m *cancelMachine) wait(t *rapid.T) {
	a := m.Idle(t)
	f := func() error { m.e.Wait(); return nil }
	if rapid.Bool().Draw(t, "its own context") {
		if a.Asked || a.Canceled() {
			t.Skip("the context is done")
		}
		f = func() error { return m.e.WaitContext(Current().Context()) }
	}
	m.start(a, "Wait", a.Unserved(actors.Plain, nil), f)
	m.settle(t)
}

// waitTwice waits again if a Cancel ends the first wait, which it reports.
func (m *cancelMachine) waitTwice(t *rapid.T) {
	a := m.Idle(t)
	ended := new(atomic.Int32) // waits
	c := &actors.Call{Kind: kindTwice, Value: ended}
	if a.Asked {
		a.Asked = false
		c.N = 1
	}
	m.queue = append(m.queue, a)
	m.Start(a, c, func(context.Context) error {
		if unwound(m.e.Wait) != nil {
			ended.Add(1)
			m.e.Wait()
		}
		return nil
	})
	m.settle(t)
}

func (m *cancelMachine) waitHidden(t *rapid.T) {
	m.start(m.Idle(t), kindHidden, nil, func() error { Uncanceled(m.e.Wait); return nil })
	m.settle(t)
}

// notice calls Canceled.
func (m *cancelMachine) notice(t *rapid.T) {
	a := m.Idle(t)
	asked, was := a.Asked, a.Canceled()
	var done error
	err := m.Do(a, func() error {
		done = context.Cause(Current().Context())
		return Canceled()
	})
	if errors.Is(err, actors.ErrThread) != asked || errors.Is(done, actors.ErrThread) != was {
		t.Fatalf("%v: Canceled: %v; context: %v; canceled before: %v", a, err, done, was)
	}
}

// cancel cancels a thread, or one again, which has no effect.
func (m *cancelMachine) cancel(t *rapid.T) {
	a := m.Draw(t, func(a *actors.Actor) bool { return true })
	switch {
	case a.Canceled():
		a.Thread.Cancel(errCause)
	case a.Call != nil && a.Call.Kind == kindHidden:
		m.CancelGranted(a)
	case a.Call != nil && a.Call.Kind == kindTwice:
		m.CancelGranted(a)
		a.Asked = false
		a.Call.N++
	default:
		m.CancelThread(t, func(b *actors.Actor) bool { return a != b })
	}
	m.settle(t)
}

func (m *cancelMachine) set() {
	for _, a := range m.queue {
		a.Call.Granted = a.Call.Granted || a.Call.Waits()
	}
	m.e.Set()
	m.e.Clear()
}

func cancelSequence(t *rapid.T, c *actors.Cast) {
	m := &cancelMachine{Cast: c, e: new(Event)}
	defer m.Begin(m.returned, m.e.Set)()
	t.Repeat(map[string]func(*rapid.T){
		"Wait":       m.wait,
		"wait twice": m.waitTwice,
		"Uncanceled": m.waitHidden,
		"Canceled":   m.notice,
		"Cancel":     m.cancel,
		"Cancel too": m.cancel,
		"set":        func(t *rapid.T) { m.set(); m.settle(t) },
	})
	for len(m.queue) > 0 {
		m.set()
		m.settle(t)
	}
}

func TestThreadCancelSequences(t *testing.T) {
	c := actors.Threads(t, 3, startActor)
	actors.Check(t, 60, func(t *rapid.T) { cancelSequence(t, c) })
}
