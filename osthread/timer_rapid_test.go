package osthread

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Timer is a state: it is new, waits, runs its function until
// the machine ends that, or has ended. Cancel counts until the function has
// begun; the cancellation of its thread ends the timer, too. Joins end with
// what the function returned.

type timerMachine struct {
	*actors.Cast
	tm      *Timer
	started bool
	fired   bool // the function has begun
	stopped bool // Cancel has
	ended   bool
	err     error // then
	begun   chan struct{}
	gate    chan error
	joiners []*actors.Actor
}

func (m *timerMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.joiners = without(m.joiners, a)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v: Join ended with %v, granted: %v", a, c.Err, c.Granted)
	}
}

func (m *timerMachine) settle(t *rapid.T) {
	if m.ended {
		for _, a := range m.joiners {
			switch {
			case !a.Call.Waits():
			case m.err != nil:
				a.Call.Must = []error{m.err}
			default:
				a.Call.Granted = true
			}
		}
	}
	m.Settle(t, func() bool {
		waits := func(a *actors.Actor) bool { return a.Thread == nil || isAsleep(a.Thread.(*Thread)) }
		finished := m.ended || m.stopped
		return m.tm.Finished().IsSet() == finished && m.tm.Alive() == (m.started && !m.ended) &&
			!slices.ContainsFunc(m.joiners, func(a *actors.Actor) bool { return !waits(a) })
	})
}

func isAsleep(t *Thread) bool {
	_, ok := t.Waiting()
	return ok
}

func (m *timerMachine) end(err error) { m.ended, m.err = true, err }

func (m *timerMachine) start(t *rapid.T) {
	switch err := m.tm.Start(); {
	case m.started && err != ErrStarted || !m.started && err != nil:
		t.Fatalf("Start: %v", err)
	case m.started:
	case m.stopped:
		m.started = true
		m.end(nil)
	default:
		m.started = true
		if m.fired = m.tm.Interval() <= 0; m.fired {
			<-m.begun
		}
	}
	m.settle(t)
}

func (m *timerMachine) cancel(t *rapid.T) {
	want := !m.fired
	if got := m.tm.Cancel(); got != want {
		t.Fatalf("Cancel returned %v, want %v", got, want)
	}
	if want {
		m.stopped = true
		if m.started && !m.ended {
			m.end(nil)
		}
	}
	m.settle(t)
}

func (m *timerMachine) cancelTimerThread(t *rapid.T) {
	if !m.started || m.fired || m.ended {
		t.Skip("its thread does not wait")
	}
	m.tm.Thread.Cancel(errCause)
	m.end(errCause)
	m.settle(t)
}

func (m *timerMachine) endFunction(t *rapid.T) {
	if !m.fired || m.ended {
		t.Skip("it does not run")
	}
	var err error
	if rapid.Bool().Draw(t, "fails") {
		err = errWhy
	}
	m.end(err)
	m.gate <- err
	m.settle(t)
}

func (m *timerMachine) join(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Join", Shape: s}
	switch {
	case s == actors.Done:
		c.Must = append(a.Unserved(s, nil), ErrNotStarted)
	case !m.started:
		c.Must = []error{ErrNotStarted}
	case m.ended && m.err != nil && s.Waits():
		c.Must = []error{m.err}
	case m.ended && s.Waits():
		c.Granted = true
	case m.ended || a.Asked:
		t.Skip("the thread may be gone or not")
	default:
		c.Must = a.Unserved(s, ErrTimeout)
	}
	if m.ended && a.Asked {
		t.Skip("the join may wait for the end of the thread")
	}
	m.joiners = append(m.joiners, a)
	m.Start(a, c, func(ctx context.Context) error {
		return actors.Forms{Plain: m.tm.Join, Timeout: m.tm.JoinTimeout, Context: m.tm.JoinContext}.Call(ctx, s)
	})
	m.settle(t)
}

func timerSequence(t *rapid.T, c *actors.Cast) {
	m := &timerMachine{Cast: c, begun: make(chan struct{}, 1), gate: make(chan error, 1)}
	d := rapid.SampledFrom([]time.Duration{time.Hour, 0, -time.Hour, TimeoutMax}).Draw(t, "interval")
	m.tm = NewTimer(d, func() error {
		m.begun <- struct{}{}
		return <-m.gate
	}, nil)
	defer m.Begin(m.returned, func() {
		m.tm.Cancel()
		select {
		case m.gate <- nil:
		default:
		}
	})()
	t.Repeat(map[string]func(*rapid.T){
		"Start":               m.start,
		"Cancel":              m.cancel,
		"cancel timer thread": m.cancelTimerThread,
		"end":                 m.endFunction,
		"Join":                m.join,
		"cancel context":      func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel thread":       func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	if !m.fired {
		m.cancel(t)
	} else if !m.ended {
		m.end(nil)
		m.gate <- nil
		m.settle(t)
	}
	if m.started {
		if err := m.tm.Join(); err != m.err {
			t.Fatalf("Join: %v, want %v", err, m.err)
		}
	}
}

func TestTimerSequences(t *testing.T) { checkSequences(t, timerSequence) }
