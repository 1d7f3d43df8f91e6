package osthread

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Condition is a flag under L and the waiters in the order in
// which they came. A notification serves the first of them whose contexts are
// not done, and nothing that comes later takes it back. A WaitFor that finds
// the flag clear waits again, last. Each waiter holds L when its call ends.

type conditionMachine struct {
	*actors.Cast
	c     *Condition
	flag  bool // under L
	panic bool // under L: the next conditions panic
	queue []*actors.Actor
}

var errCondition = errors.New("condition panics")

const kindFor = "WaitFor"

func (m *conditionMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.queue = without(m.queue, a)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v ended with %v, granted: %v", a, c.Err, c.Granted)
	}
}

func (m *conditionMachine) settle(t *rapid.T) {
	m.Settle(t, func() bool { return m.c.Waiting() == len(m.queue) })
}

func (m *conditionMachine) holds() bool {
	if m.panic {
		panic(errCondition)
	}
	return m.flag
}

func (m *conditionMachine) wait(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Wait", Shape: s, Must: a.Unserved(s, actors.ErrTimeout)}
	forms := actors.Bool(m.c.Wait, m.c.WaitTimeout, m.c.WaitContext)
	if rapid.Bool().Draw(t, "for a flag") {
		c.Kind = kindFor
		forms = actors.Bool(
			func() { m.c.WaitFor(m.holds) },
			func(d time.Duration) bool { return m.c.WaitForTimeout(m.holds, d) },
			func(ctx context.Context) error { return m.c.WaitForContext(ctx, m.holds) },
		)
	}
	m.queue = append(m.queue, a)
	m.Start(a, c, func(ctx context.Context) error {
		m.c.L.Lock()
		defer m.c.L.Unlock() // which panics if the call has not locked L
		return forms.Call(ctx, s)
	})
	m.settle(t)
}

// granted is the model of a notification of n waiters. It returns false if
// which of them waits last would be open.
func (m *conditionMachine) granted(n int, flag, panics bool) bool {
	var first, again []*actors.Actor
	for _, a := range m.queue {
		if len(first) < n && a.Call.Waits() {
			first = append(first, a)
			if a.Call.Kind == kindFor && !flag && !panics {
				again = append(again, a)
			}
		}
	}
	if len(again) > 1 {
		return false
	}
	for _, a := range first {
		switch {
		case a.Call.Kind != kindFor || flag && !panics:
			a.Call.Granted = true
		case panics:
			a.Call.Must = []error{errCondition}
		default:
			m.queue = append(without(m.queue, a), a)
		}
	}
	return true
}

// notify notifies with L held, perhaps when the context of a waiter is done,
// and perhaps makes that of a notified waiter done.
func (m *conditionMachine) notify(t *rapid.T) {
	n := rapid.IntRange(-1, len(m.Actors)).Draw(t, "n")
	flag, panics := rapid.Bool().Draw(t, "set the flag"), rapid.Bool().Draw(t, "panic")
	for _, a := range m.queue {
		if a.Call.Ends() && a.Call.Kind == kindFor { // it may see the flag first
			flag, panics = false, false
		}
	}
	var late []*actors.Actor
	if rapid.Bool().Draw(t, "cancel later") {
		late = m.Actors
	}
	m.c.L.Lock()
	m.flag, m.panic = flag, panics
	ok := m.granted(n, flag, panics)
	if ok {
		m.c.NotifyN(n)
	}
	for _, a := range late {
		if a.Call != nil && a.Call.Granted && a.Call.Kind != kindFor {
			m.CancelGranted(a)
		}
	}
	m.c.L.Unlock()
	m.settle(t)
	m.c.L.Lock()
	m.flag, m.panic = false, false
	m.c.L.Unlock()
	if !ok {
		t.Skip("an open order")
	}
}

// signal notifies without L.
func (m *conditionMachine) signal(t *rapid.T) {
	if !m.granted(1, false, false) {
		t.Skip("an open order")
	}
	m.c.Signal()
	m.settle(t)
}

// misuse calls what must be called with L held.
func (m *conditionMachine) misuse(t *rapid.T) {
	want := ErrNotLocked
	switch m.c.L.(type) {
	case *RLock:
		want = ErrNotOwner
	case *sync.Mutex:
		t.Skip("not checked")
	}
	With(m.c.L, func() {}) // a waiter is counted a little before it unlocks L
	mustPanic(t, want, m.c.Notify)
	mustPanic(t, want, m.c.NotifyAll)
	mustPanic(t, want, m.c.Wait)
	mustPanic(t, want, func() { m.c.TryWait() })
	m.settle(t)
}

func conditionSequence(t *rapid.T, c *actors.Cast) {
	lockers := map[string]sync.Locker{
		"Lock": new(Lock), "fair Lock": &Lock{Fair: true}, "RLock": new(RLock), "fair RLock": &RLock{Fair: true},
		"RWLock": new(RWLock), "Mutex": new(sync.Mutex),
	}
	l := rapid.SampledFrom([]string{"Lock", "fair Lock", "RLock", "fair RLock", "RWLock", "Mutex"}).Draw(t, "L")
	m := &conditionMachine{Cast: c, c: NewCondition(lockers[l])}
	all := func() {
		m.c.L.Lock()
		m.flag = true
		m.c.NotifyAll()
		m.c.L.Unlock()
	}
	defer m.Begin(m.returned, all)()
	t.Repeat(map[string]func(*rapid.T){
		"wait":                m.wait,
		"wait too":            m.wait,
		"notify":              m.notify,
		"signal":              m.signal,
		"misuse":              m.misuse,
		"cancel context":      func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then notify": func(t *rapid.T) { m.CancelContext(t); m.notify(t) },
		"cancel, then signal": func(t *rapid.T) { m.CancelContext(t); m.signal(t) },
		"cancel thread":       func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	m.granted(len(m.Actors), true, false)
	all()
	m.settle(t)
}

func TestConditionSequences(t *testing.T) { checkSequences(t, conditionSequence) }

func FuzzConditionSequences(f *testing.F) { fuzzSequences(f, conditionSequence) }
