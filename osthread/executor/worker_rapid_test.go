package executor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Worker is the call that runs, until the machine ends it, those
// that wait in the order in which they came, and whether the worker is shut
// down, as it is once a call has ended its thread. A caller that gives up takes
// its call with it, unless that has begun.

const (
	kindCall = "Call"
	kindTry  = "TryCall"
)

type workerMachine struct {
	*actors.Cast
	w       *Worker
	running *job
	queue   []*job
	callers map[*job]*actors.Actor // a call of Go has none
	shut    bool
	serial  int
}

func (m *workerMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	j := c.Value.(*job)
	delete(m.callers, j)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v: %s ended with %v, granted: %v", a, c.Kind, c.Err, c.Granted)
	}
	if gaveUp := c.Ends() && m.running == j; errors.Is(c.Err, ErrRunning) != gaveUp {
		t.Fatalf("%v: %s ended with %v; running: %v", a, c.Kind, c.Err, gaveUp)
	}
	m.queue = drop(m.queue, j)
}

// proceed starts the next call whose caller has not given up.
func (m *workerMachine) proceed() {
	for m.running == nil && len(m.queue) > 0 {
		j := m.queue[0]
		m.queue = m.queue[1:]
		if a := m.callers[j]; a == nil || a.Call.Waits() {
			m.running = j
		}
	}
}

func (m *workerMachine) stable() bool {
	switch what, sleeps := m.w.Thread().Waiting(); {
	case m.running != nil:
		if !m.running.begun.Load() {
			return false
		}
	case m.shut:
		if m.w.Thread().Alive() || !m.w.box.IsShut() {
			return false
		}
	case !sleeps || what.Object != "call":
		return false
	}
	return m.w.Backlog() == len(m.queue) && !slices.ContainsFunc(m.queue, func(j *job) bool { return j.begun.Load() })
}

func (m *workerMachine) settle(t *rapid.T) {
	m.proceed()
	m.Settle(t, m.stable)
}

func (m *workerMachine) newJob() *job {
	m.serial++
	return &job{id: m.serial, gate: make(chan ending, 1)}
}

func (m *workerMachine) call(t *rapid.T) {
	a, s, j := m.Idle(t), actors.DrawShape(t), m.newJob()
	if a.Asked || s == actors.Short && m.running == nil {
		t.Skip("the call may begin or not")
	}
	c := &actors.Call{Kind: kindCall, Shape: s, N: j.id, Value: j}
	switch {
	case s == actors.Done:
		c.Must = a.Unserved(s, nil)
	case m.shut:
		c.Must = []error{ErrShutdown}
	case !s.Waits():
		c.Must = a.Unserved(s, ErrTimeout)
	default:
		m.queue = append(m.queue, j)
	}
	m.callers[j] = a
	f := func() error { _, err := j.run(); return err }
	m.Start(a, c, func(ctx context.Context) error {
		return actors.Forms{
			Plain:   func() error { return m.w.Call(f) },
			Timeout: func(d time.Duration) error { return m.w.CallTimeout(f, d) },
			Context: func(ctx context.Context) error { return m.w.CallContext(ctx, f) },
		}.Call(ctx, s)
	})
	m.settle(t)
}

func (m *workerMachine) try(t *rapid.T) {
	a, j := m.Idle(t), m.newJob()
	c := &actors.Call{Kind: kindTry, N: j.id, Value: j}
	switch {
	case m.shut:
		c.Must = []error{ErrShutdown}
	case m.running != nil:
		c.Must = []error{ErrBusy}
	default:
		m.queue = append(m.queue, j)
	}
	m.callers[j] = a
	m.Start(a, c, func(context.Context) error {
		return m.w.TryCall(func() error { _, err := j.run(); return err })
	})
	m.settle(t)
}

func (m *workerMachine) post(t *rapid.T) {
	j := m.newJob()
	err := m.w.Go(func() { _, _ = j.run() }) // posted calls have no result
	if m.shut != errors.Is(err, ErrShutdown) {
		t.Fatalf("Go: %v", err)
	}
	if err == nil {
		m.queue = append(m.queue, j)
	}
	m.settle(t)
}

func (m *workerMachine) end(t *rapid.T) {
	if m.running == nil {
		t.Skip("nothing runs")
	}
	e := ending(rapid.IntRange(0, int(endings)-1).Draw(t, "ending"))
	if m.callers[m.running] == nil && e == panics {
		e = fails // a panic would be reported on standard error
	}
	m.endAs(e)
	m.settle(t)
}

func (m *workerMachine) endAs(e ending) {
	j := m.running
	m.running = nil
	if a := m.callers[j]; a != nil && a.Call.Waits() {
		if a.Call.Granted = e.err() == nil; !a.Call.Granted {
			a.Call.Must = []error{e.err()}
		}
	}
	if e == exits {
		m.shut = true
		m.dropAll()
	}
	j.gate <- e
}

// dropAll is the model of calls that are dropped.
func (m *workerMachine) dropAll() {
	for _, j := range m.queue {
		if a := m.callers[j]; a != nil && a.Call.Waits() {
			a.Call.Must = []error{ErrShutdown}
		}
	}
	m.queue = nil
}

func (m *workerMachine) shutdown(t *rapid.T) {
	switch {
	case !rarely(t, "shut down"):
		t.Skip("not now")
	case rapid.Bool().Draw(t, "now"):
		want := len(m.queue)
		m.shut = true
		m.dropAll()
		if got := m.w.ShutdownNow(); got != want {
			t.Fatalf("ShutdownNow dropped %d, want %d", got, want)
		}
	default:
		m.shut = true
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = m.w.Shutdown(ctx) // it may have ended or not
	}
	m.settle(t)
}

func (m *workerMachine) release() {
	m.w.ShutdownNow()
	if m.running != nil {
		select {
		case m.running.gate <- succeeds:
		default:
		}
	}
}

func workerSequence(t *rapid.T, c *actors.Cast) {
	w, err := NewWorker(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &workerMachine{Cast: c, w: w, callers: map[*job]*actors.Actor{}}
	defer m.Begin(m.returned, m.release)()
	m.settle(t) // the worker waits for work
	began := func(a *actors.Actor) bool { return a.Call != nil && a.Call.Kind == kindTry }
	t.Repeat(map[string]func(*rapid.T){
		"Call":           m.call,
		"Call too":       m.call,
		"TryCall":        m.try,
		"Go":             m.post,
		"end":            m.end,
		"end too":        m.end,
		"shut down":      m.shutdown,
		"cancel context": func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel thread":  func(t *rapid.T) { m.CancelThread(t, began); m.settle(t) },
	})
	m.shut = true
	m.dropAll()
	m.w.ShutdownNow()
	m.settle(t)
	if m.running != nil {
		m.endAs(succeeds)
		m.settle(t)
	}
	_ = m.w.Close() // ErrGoexit, if a call has ended the thread
}

func TestWorkerSequences(t *testing.T) { checkSequences(t, 60, workerSequence) }
