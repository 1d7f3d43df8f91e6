package executor

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
	"example.com/thread/osthread"
)

// The model of a pool is the tasks that run, at most one a thread, those in the
// backlog and those of submitters that wait for room, both in the order of
// submission, and whether the pool is closed. A task runs until the machine
// ends it, by one of four ways. Each future has the state of its task, and its
// callback is called once.

const (
	kindSubmit = "Submit"
	kindHere   = "Submit, in the caller"
	kindResult = "Result"
	kindClose  = "Close"
)

var errTask = errors.New("task failed")

// An ending is how a task ends.
type ending int

const (
	succeeds ending = iota
	fails
	panics
	exits
	cancelled
	endings = cancelled
)

// err returns what the future's result is, but for the value.
func (e ending) err() error {
	return [...]error{nil, errTask, errPanic, ErrGoexit, ErrCancelled}[e]
}

var errPanic = errors.New("task panics")

// A job is a task of the machine.
type job struct {
	id     int
	future *Future[int]
	begun  atomic.Bool
	gate   chan ending
	called atomic.Int32 // callbacks
	done   bool
	end    ending
}

func (j *job) run() (int, error) {
	j.begun.Store(true)
	switch e := <-j.gate; e {
	case panics:
		panic(errPanic)
	case exits:
		runtime.Goexit()
		return 0, nil
	default:
		return j.id, e.err()
	}
}

type poolMachine struct {
	*actors.Cast
	e       *Executor
	o       Options
	closed  bool
	jobs    []*job // all
	running []*job
	backlog []*job
	waiting []*actors.Actor // submitters
	here    []*actors.Actor // those that run their task
	results []*actors.Actor
	closers []*actors.Actor
}

func jobOf(a *actors.Actor) *job { return a.Call.Value.(*job) }

func drop[T comparable](s []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(s), func(w T) bool { return v == w })
}

func (m *poolMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.waiting, m.here = drop(m.waiting, a), drop(m.here, a)
	m.results, m.closers = drop(m.results, a), drop(m.closers, a)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v: %s ended with %v, granted: %v", a, c.Kind, c.Err, c.Granted)
	}
	if j, ok := c.Value.(*job); ok && c.Kind != kindResult && c.Err == nil {
		j.future.OnDone(func(*Future[int]) { j.called.Add(1) })
		m.jobs = append(m.jobs, j)
	}
}

func (m *poolMachine) full() bool {
	return m.o.Backlog != 0 && len(m.backlog) >= max(m.o.Backlog, 0)
}

// proceed starts what there are threads for, and admits submitters.
func (m *poolMachine) proceed() {
	for {
		w := slices.IndexFunc(m.waiting, func(a *actors.Actor) bool { return a.Call.Waits() })
		switch {
		case len(m.running) < m.o.Threads && len(m.backlog) > 0:
			m.running, m.backlog = append(m.running, m.backlog[0]), m.backlog[1:]
		case w >= 0 && (!m.full() || len(m.running) < m.o.Threads):
			a := m.waiting[w]
			a.Call.Granted = true
			m.backlog = append(m.backlog, jobOf(a))
		default:
			for _, a := range m.closers {
				a.Call.Granted = a.Call.Granted || a.Call.Waits() && len(m.running) == 0
			}
			return
		}
	}
}

// finish is the model of a task's end.
func (m *poolMachine) finish(j *job, e ending) {
	j.done, j.end = true, e
	for _, a := range m.results {
		switch {
		case jobOf(a) != j || !a.Call.Waits():
		case e.err() != nil:
			a.Call.Must = []error{e.err()}
		default:
			a.Call.Granted = true
		}
	}
}

func (m *poolMachine) stable() bool {
	p := m.e.pool()
	rest := under(p, func() bool {
		return p.starting+p.ending+p.reaping == 0 && p.returning.Load() == 0 &&
			(p.closed || p.threads == len(m.running)+p.idle.Len()) && (!p.closed || p.threads == len(m.running)) &&
			p.waiting.Len() == len(m.waiting)
	})
	return rest && m.e.Queued() == len(m.backlog) && m.sleepers() == len(m.results) &&
		waitersOf(&p.end.f.task) == len(m.closers) && m.inStates()
}

func waitersOf(t *task) int {
	t.guard.Lock()
	defer t.guard.Unlock()
	return t.waiters.Len()
}

func (m *poolMachine) sleepers() (n int) {
	for _, j := range m.jobs {
		n += waitersOf(&j.future.task)
	}
	return n
}

// inStates reports whether all tasks are where the model has them.
func (m *poolMachine) inStates() bool {
	for _, j := range m.running {
		if !j.begun.Load() {
			return false
		}
	}
	for _, a := range m.here {
		if !jobOf(a).begun.Load() {
			return false
		}
	}
	for _, j := range m.jobs {
		want, called := Pending, int32(0)
		if j.done {
			called = 1
		}
		switch {
		case j.done && j.end == cancelled:
			want = Cancelled
		case j.done:
			want = Finished
		case slices.Contains(m.running, j):
			want = Running
		}
		if j.future.State() != want || j.called.Load() != called {
			return false
		}
	}
	return !slices.ContainsFunc(m.backlog, func(j *job) bool { return j.begun.Load() })
}

func (m *poolMachine) settle(t *rapid.T) {
	m.proceed()
	m.Settle(t, m.stable)
}

func (m *poolMachine) submit(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	j := &job{id: len(m.jobs) + 1, gate: make(chan ending, 1)}
	c := &actors.Call{Kind: kindSubmit, Shape: s, N: j.id, Value: j}
	free := len(m.running) < m.o.Threads
	switch {
	case s == actors.Done:
		c.Must = a.Unserved(s, nil)
	case m.closed:
		c.Must = []error{ErrShutdown}
	case free || !m.full():
		c.Granted = true
		m.backlog = append(m.backlog, j)
	case s == actors.Try || m.o.Full == Reject:
		c.Must = []error{ErrFull}
	case m.o.Full == RunInCaller:
		c.Kind, c.Shape, s = kindHere, actors.Plain, actors.Plain
		m.here = append(m.here, a)
	default:
		c.Must = a.Unserved(s, ErrFull)
		m.waiting = append(m.waiting, a)
	}
	got := func(f *Future[int], err error) error {
		j.future = f
		return err
	}
	m.Start(a, c, func(ctx context.Context) error {
		if s == actors.Try {
			return got(TrySubmit(m.e, j.run))
		}
		return actors.Forms{
			Plain:   func() error { return got(Submit(m.e, j.run)) },
			Timeout: func(d time.Duration) error { return got(SubmitTimeout(m.e, j.run, d)) },
			Context: func(ctx context.Context) error { return got(SubmitContext(ctx, m.e, j.run)) },
		}.Call(ctx, s)
	})
	m.settle(t)
}

// end ends a task that runs.
func (m *poolMachine) end(t *rapid.T) {
	if len(m.running) == 0 {
		t.Skip("nothing runs")
	}
	j := m.running[rapid.IntRange(0, len(m.running)-1).Draw(t, "task")]
	m.endAs(j, ending(rapid.IntRange(0, int(endings)-1).Draw(t, "ending")))
	m.settle(t)
}

func (m *poolMachine) endAs(j *job, e ending) {
	m.running = drop(m.running, j)
	m.finish(j, e)
	j.gate <- e
}

// endHere ends a task that its submitter runs.
func (m *poolMachine) endHere(t *rapid.T) {
	if len(m.here) == 0 {
		t.Skip("no caller runs a task")
	}
	a, e := m.here[0], ending(rapid.IntRange(0, int(panics)).Draw(t, "ending"))
	m.finish(jobOf(a), e)
	a.Call.Granted = true
	jobOf(a).gate <- e
	m.settle(t)
}

func (m *poolMachine) draw(t *rapid.T) *job {
	if len(m.jobs) == 0 {
		t.Skip("no future")
	}
	return m.jobs[rapid.IntRange(0, len(m.jobs)-1).Draw(t, "future")]
}

func (m *poolMachine) result(t *rapid.T) {
	a, s, j := m.Idle(t), actors.DrawShape(t), m.draw(t)
	c := &actors.Call{Kind: kindResult, Shape: s, N: j.id, Value: j}
	unserved := a.Unserved(s, ErrTimeout)
	switch {
	case s == actors.Done:
		c.Must = unserved
	case j.done && j.end.err() != nil:
		c.Must = []error{j.end.err()}
	case j.done:
		c.Granted = true
	default:
		c.Must = unserved
		m.results = append(m.results, a)
	}
	got := func(v int, err error) error {
		if err == nil && v != j.id {
			return errors.New("another task's result")
		}
		return err
	}
	m.Start(a, c, func(ctx context.Context) error {
		return actors.Forms{
			Plain:   func() error { return got(j.future.Result()) },
			Timeout: func(d time.Duration) error { return got(j.future.ResultTimeout(d)) },
			Context: func(ctx context.Context) error { return got(j.future.ResultContext(ctx)) },
		}.Call(ctx, s)
	})
	m.settle(t)
}

func (m *poolMachine) cancel(t *rapid.T) {
	j := m.draw(t)
	want := j.done && j.end == cancelled
	if slices.Contains(m.backlog, j) {
		m.backlog = drop(m.backlog, j)
		m.finish(j, cancelled)
		want = true
	}
	if j.future.Cancel() != want {
		t.Fatalf("Cancel of %d returned %v", j.id, !want)
	}
	m.settle(t)
}

func (m *poolMachine) cancelQueued(t *rapid.T) {
	i := slices.IndexFunc(m.jobs, func(j *job) bool { return slices.Contains(m.backlog, j) })
	if i < 0 {
		t.Skip("the backlog is empty")
	}
	j := m.jobs[i]
	m.backlog = drop(m.backlog, j)
	m.finish(j, cancelled)
	if !j.future.Cancel() {
		t.Fatalf("%d cannot be cancelled", j.id)
	}
	m.settle(t)
}

// rarely draws whether to do what ends most of a sequence.
func rarely(t *rapid.T, what string) bool {
	return rapid.SampledFrom([]bool{false, false, false, false, false, true}).Draw(t, what)
}

func (m *poolMachine) close() {
	m.closed = true
	for _, a := range m.waiting {
		if a.Call.Waits() {
			a.Call.Must = []error{ErrShutdown}
		}
	}
}

func (m *poolMachine) awaitClose(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	if !s.Waits() || a.Asked || !rarely(t, "close") {
		t.Skip("may end or not, as threads do")
	}
	m.close()
	m.closers = append(m.closers, a)
	m.Start(a, &actors.Call{Kind: kindClose, Shape: s}, func(ctx context.Context) error {
		return actors.Forms{
			Plain:   m.e.Close,
			Timeout: func(d time.Duration) error { _, err := m.e.ShutdownTimeout(d); return err },
			Context: func(ctx context.Context) error { _, err := m.e.Shutdown(ctx); return err },
		}.Call(ctx, s)
	})
	m.settle(t)
}

func (m *poolMachine) shutdownNow(t *rapid.T) {
	if !rarely(t, "shut down") {
		t.Skip("not now")
	}
	m.close()
	for _, j := range m.backlog {
		m.finish(j, cancelled)
	}
	m.backlog = nil
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = m.e.ShutdownNow(ctx) // it may still have threads
	m.settle(t)
}

// release ends all tasks, for a sequence that has failed.
func (m *poolMachine) release() {
	_, _ = m.e.TryShutdown()
	for _, j := range m.running {
		select {
		case j.gate <- succeeds:
		default:
		}
	}
	for _, a := range m.here {
		if a.Call != nil {
			select {
			case jobOf(a).gate <- succeeds:
			default:
			}
		}
	}
	m.running, m.backlog = m.backlog, nil
}

func poolSequence(t *rapid.T, c *actors.Cast) {
	m := &poolMachine{Cast: c, o: Options{
		Threads: rapid.IntRange(1, 2).Draw(t, "threads"),
		Backlog: rapid.SampledFrom([]int{1, 2, NoBacklog, 0}).Draw(t, "backlog"),
		Full:    rapid.SampledFrom([]FullPolicy{Block, RunInCaller, Reject}).Draw(t, "policy"),
	}}
	e, err := New(m.o)
	if err != nil {
		t.Fatal(err)
	}
	m.e = e
	defer m.Begin(m.returned, m.release)()
	inCaller := func(a *actors.Actor) bool { return a.Call != nil && a.Call.Kind == kindHere }
	t.Repeat(map[string]func(*rapid.T){
		"Submit":         m.submit,
		"Submit too":     m.submit,
		"Submit more":    m.submit,
		"Cancel queued":  m.cancelQueued,
		"end":            m.end,
		"end in caller":  m.endHere,
		"Result":         m.result,
		"Cancel":         m.cancel,
		"Close":          m.awaitClose,
		"ShutdownNow":    m.shutdownNow,
		"cancel context": func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then end": func(t *rapid.T) {
			a := m.CancelContext(t)
			switch j, ok := a.Call.Value.(*job); { // what the caller waits for, if that runs
			case ok && slices.Contains(m.running, j):
				m.endAs(j, succeeds)
			case len(m.running) > 0:
				m.endAs(m.running[0], succeeds)
			}
			m.settle(t)
		},
		"cancel thread": func(t *rapid.T) { m.CancelThread(t, inCaller); m.settle(t) },
	})
	m.close()
	_, _ = m.e.TryShutdown() // it may still have threads
	for len(m.running)+len(m.here) > 0 {
		for _, j := range m.running {
			m.endAs(j, succeeds)
		}
		if len(m.here) > 0 {
			m.endHere(t)
		}
		m.settle(t)
	}
	m.settle(t)
	if err := m.e.Close(); err != nil {
		t.Fatal(err)
	}
}

func startActor(body func() error) (actors.Thread, error) { return osthread.Go(body) }

func checkSequences(t *testing.T, n int, prop func(t *rapid.T, c *actors.Cast)) {
	t.Helper()
	c := actors.New(t, 4, startActor)
	actors.Check(t, n, func(t *rapid.T) { prop(t, c) })
}

func TestExecutorSequences(t *testing.T) { checkSequences(t, 200, poolSequence) }
