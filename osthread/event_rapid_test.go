package osthread

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of an Event is its flag and the waiters in the order in which they
// came. Set serves all of them or, with AutoReset, the first, even if Clear
// follows at once. A wait that finds the flag set is served.

type eventMachine struct {
	*actors.Cast
	e     *Event
	flag  bool
	queue []*actors.Actor
}

func (m *eventMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.queue = without(m.queue, a)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v ended with %v, granted: %v", a, c.Err, c.Granted)
	}
}

func (m *eventMachine) settle(t *rapid.T) {
	m.Settle(t, func() bool { return m.e.Waiting() == len(m.queue) && m.e.IsSet() == m.flag })
}

func (m *eventMachine) wait(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Wait", Shape: s, Granted: m.flag && s != actors.Done}
	if c.Granted {
		m.flag = !m.e.AutoReset
	} else {
		c.Must = a.Unserved(s, actors.ErrTimeout)
	}
	m.queue = append(m.queue, a)
	forms := actors.Bool(m.e.Wait, m.e.WaitTimeout, m.e.WaitContext)
	m.Start(a, c, func(ctx context.Context) error { return forms.Call(ctx, s) })
	m.settle(t)
}

// set is the model of Set.
func (m *eventMachine) set() {
	m.flag = true
	for _, a := range m.queue {
		if !a.Call.Waits() {
			continue
		}
		a.Call.Granted = true
		if m.e.AutoReset {
			m.flag = false
			break
		}
	}
	m.e.Set()
}

func (m *eventMachine) clear() {
	m.flag = false
	m.e.Clear()
}

func eventSequence(t *rapid.T, c *actors.Cast) {
	m := &eventMachine{Cast: c, e: &Event{AutoReset: rapid.Bool().Draw(t, "auto reset")}}
	defer m.Begin(m.returned, m.e.Set)()
	t.Repeat(map[string]func(*rapid.T){
		"wait":             m.wait,
		"wait too":         m.wait,
		"set":              func(t *rapid.T) { m.set(); m.settle(t) },
		"set twice":        func(t *rapid.T) { m.set(); m.set(); m.settle(t) },
		"set, then clear":  func(t *rapid.T) { m.set(); m.clear(); m.settle(t) },
		"clear":            func(t *rapid.T) { m.clear(); m.settle(t) },
		"cancel context":   func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then set": func(t *rapid.T) { m.CancelContext(t); m.set(); m.settle(t) },
		"cancel thread":    func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	for len(m.queue) > 0 {
		m.set()
		m.settle(t)
	}
}

func TestEventSequences(t *testing.T) { checkSequences(t, eventSequence) }

func FuzzEventSequences(f *testing.F) { fuzzSequences(f, eventSequence) }
