package osthread

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Barrier is whether it is broken, and those that have arrived,
// in order. The last party ends the round: each gets its place in the order, or
// ErrBroken if the action fails. All else that ends a wait breaks the barrier
// for the others.

type barrierMachine struct {
	*actors.Cast
	b       *Barrier
	action  func() // of the next round
	broken  bool
	arrived []*actors.Actor
}

var errAction = errors.New("action failed")

func (m *barrierMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.arrived = without(m.arrived, a)
	if c.Ends() {
		return
	}
	if index := *c.Value.(*int); c.Err != nil || !c.Granted || index != c.N {
		t.Fatalf("%v got %d, %v; want %d; granted: %v", a, index, c.Err, c.N, c.Granted)
	}
}

func (m *barrierMachine) settle(t *rapid.T) {
	m.Settle(t, func() bool { return m.b.Waiting() == len(m.arrived) && m.b.Broken() == m.broken })
}

// end ends the waits of the round with err, nil for success.
func (m *barrierMachine) end(err error) {
	m.broken = err != nil
	for _, a := range m.arrived {
		switch {
		case !a.Call.Waits():
		case err != nil:
			a.Call.Must = []error{err}
		default:
			a.Call.Granted = true
		}
	}
	m.arrived = nil
}

func (m *barrierMachine) wait(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Wait", Shape: s, N: len(m.arrived), Value: new(int)}
	last := len(m.arrived) == m.b.Parties()-1
	unserved := a.Unserved(s, ErrTimeout)
	mode := 0
	if last && m.action != nil {
		mode = rapid.IntRange(0, 2).Draw(t, "action")
	}
	switch {
	case s == actors.Done:
		c.Must = unserved
		m.end(ErrBroken)
	case m.broken:
		c.Must = []error{ErrBroken}
	case last && mode == 1:
		m.action = func() { panic(errAction) }
		c.Must = []error{errAction}
		m.end(ErrBroken)
	case last && mode == 2:
		m.action = runtime.Goexit
		c.Must = []error{actors.ErrGoexit}
		m.end(ErrBroken)
	case last:
		c.Granted = true
		m.end(nil)
	case len(unserved) > 0:
		c.Must = unserved
		m.end(ErrBroken)
	default:
		m.arrived = append(m.arrived, a)
	}
	m.start(a, c)
	m.settle(t)
	if m.action != nil {
		m.action = func() {}
	}
}

func (m *barrierMachine) start(a *actors.Actor, c *actors.Call) {
	wait := func(f func() (int, error)) error {
		index, err := f()
		*c.Value.(*int) = index
		if err != nil && !errors.Is(err, ErrBroken) {
			return errors.New(err.Error() + ", which is not ErrBroken")
		}
		return err
	}
	m.Start(a, c, func(ctx context.Context) error {
		return actors.Forms{
			Plain:   func() error { return wait(m.b.Wait) },
			Timeout: func(d time.Duration) error { return wait(func() (int, error) { return m.b.WaitTimeout(d) }) },
			Context: func(ctx context.Context) error {
				return wait(func() (int, error) { return m.b.WaitContext(ctx) })
			},
		}.Call(ctx, c.Shape)
	})
}

// cancel ends the wait of one party, which draw draws, and so the round.
func (m *barrierMachine) cancel(draw func() *actors.Actor) {
	if a := draw(); a.Call != nil {
		m.end(ErrBroken)
	}
}

func barrierSequence(t *rapid.T, c *actors.Cast) {
	m := &barrierMachine{Cast: c}
	var action func()
	if rapid.Bool().Draw(t, "has an action") {
		m.action = func() {}
		action = func() { m.action() }
	}
	m.b = NewBarrier(rapid.IntRange(1, len(m.Actors)).Draw(t, "parties"), action)
	defer m.Begin(m.returned, m.b.Reset)()
	t.Repeat(map[string]func(*rapid.T){
		"wait":     m.wait,
		"wait too": m.wait,
		"abort":    func(t *rapid.T) { m.end(ErrBroken); m.b.Abort(); m.settle(t) },
		"reset":    func(t *rapid.T) { m.end(ErrBroken); m.broken = false; m.b.Reset(); m.settle(t) },
		"reset if broken": func(t *rapid.T) {
			if m.broken {
				m.end(nil)
				m.b.Reset()
				m.settle(t)
			}
		},
		"cancel context": func(t *rapid.T) {
			m.cancel(func() *actors.Actor { return m.CancelContext(t) })
			m.settle(t)
		},
		"cancel, then wait": func(t *rapid.T) {
			a := m.Idle(t)
			m.cancel(func() *actors.Actor { return m.CancelContext(t) })
			m.start(a, &actors.Call{Kind: "Wait", Value: new(int), Must: []error{ErrBroken}})
			m.settle(t)
		},
		"cancel thread": func(t *rapid.T) {
			m.cancel(func() *actors.Actor { return m.CancelThread(t, nil) })
			m.settle(t)
		},
	})
	m.end(ErrBroken)
	m.b.Abort()
	m.settle(t)
}

func TestBarrierSequences(t *testing.T) { checkSequences(t, barrierSequence) }

func FuzzBarrierSequences(f *testing.F) { fuzzSequences(f, barrierSequence) }
