package queue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// The model of a Queue is a slice of the values in the order in which they come
// out, the getters and the putters in the order in which they came, the
// joiners, the number of unfinished values, and whether it is shut down. Each
// call, waiter and value is predicted. Left out is what races: two batches that
// wait to put, or to take more than the value that they are handed.

const (
	kindGet  = "Get"
	kindGetN = "GetN"
	kindAny  = "WaitAny" // of an event and a GetOp
	kindPut  = "Put"
	kindAll  = "PutAll"
	kindJoin = "Join"
)

var errCmp = errors.New("cmp panics")

type machine struct {
	*actors.Cast
	q      *Queue[int]
	event  osthread.Event
	insert func(vs []int, v int) []int
	panics bool // cmp does

	values  []int
	getters []*actors.Actor
	putters []*actors.Actor
	woken   []*actors.Actor // putters that go on with their batches
	joiners []*actors.Actor
	undone  int
	down    bool
	serial  int
}

// A transfer is the values of a call: those that it is to put, and has put
// according to the model and to itself; those that it is to get, and has got.
type transfer struct {
	vs        []int
	put, n    int
	want, got []int
	room      int // that GetN has left
	event     bool
}

func moved(a *actors.Actor) *transfer { return a.Call.Value.(*transfer) }

// Values have a priority and a serial number.
func priorityOf(v int) int { return v / 1000 }

func (m *machine) drawValue(t *rapid.T) int {
	m.serial++
	return rapid.IntRange(0, 2).Draw(t, "priority")*1000 + m.serial
}

func appendValue(vs []int, v int) []int  { return append(slices.Clone(vs), v) }
func prependValue(vs []int, v int) []int { return append([]int{v}, vs...) }

func insertValue(vs []int, v int) []int {
	i := slices.IndexFunc(vs, func(w int) bool { return priorityOf(w) > priorityOf(v) })
	if i < 0 {
		i = len(vs)
	}
	return slices.Insert(slices.Clone(vs), i, v)
}

func (m *machine) compare(a, b int) int {
	if m.panics {
		panic(errCmp)
	}
	return cmp.Compare(priorityOf(a), priorityOf(b))
}

func without(as []*actors.Actor, a *actors.Actor) []*actors.Actor {
	return slices.DeleteFunc(slices.Clone(as), func(b *actors.Actor) bool { return a == b })
}

// first returns the first of as that still waits, nil if none does.
func first(as []*actors.Actor) *actors.Actor {
	for _, a := range as {
		if a.Call.Waits() {
			return a
		}
	}
	return nil
}

// accept is the model of one value that is put.
func (m *machine) accept(v int) bool {
	if g := first(m.getters); g != nil {
		moved(g).want = append(moved(g).want, v)
		g.Call.Granted = true
	} else if m.full() {
		return false
	} else {
		m.values = m.insert(m.values, v)
	}
	m.undone++
	return true
}

func (m *machine) full() bool { return m.q.Cap() > 0 && len(m.values) >= m.q.Cap() }

// take is the model of one value that is taken, and of the putter whose value
// takes its place.
func (m *machine) take() (v int) {
	v, m.values = m.values[0], m.values[1:]
	for p := first(m.putters); p != nil; p = first(m.putters) {
		if m.panics && len(m.values) > 0 {
			p.Call.Must = []error{errCmp}
			continue
		}
		m.move(p)
		if p.Call.Granted = len(moved(p).vs) == 0; !p.Call.Granted {
			m.putters = without(m.putters, p)
			m.woken = append(m.woken, p)
		}
		return v
	}
	return v
}

// move moves the next value of a putter into the queue.
func (m *machine) move(p *actors.Actor) bool {
	tr := moved(p)
	if !m.accept(tr.vs[0]) {
		return false
	}
	tr.vs = tr.vs[1:]
	tr.put++
	return true
}

// proceed is the model of batches that were handed a value, or had one taken.
func (m *machine) proceed() {
	for _, g := range m.getters {
		for tr := moved(g); g.Call.Granted && tr.room > 0 && len(tr.want) > 0 && len(m.values) > 0; tr.room-- {
			tr.want = append(tr.want, m.take())
		}
	}
	for _, p := range m.woken {
		for !p.Call.Granted && m.move(p) {
			p.Call.Granted = len(moved(p).vs) == 0
		}
		m.putters = append(m.putters, p)
	}
	m.woken = nil
}

func (m *machine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	m.getters, m.putters, m.joiners = without(m.getters, a), without(m.putters, a), without(m.joiners, a)
	tr := c.Value.(*transfer)
	if !c.Ends() && (c.Err != nil || !c.Granted) {
		t.Fatalf("%v: %s ended with %v, granted: %v", a, c.Kind, c.Err, c.Granted)
	}
	if !slices.Equal(tr.got, tr.want) {
		t.Fatalf("%v: %s got %v, want %v", a, c.Kind, tr.got, tr.want)
	}
	if c.Kind == kindAll && tr.n != tr.put {
		t.Fatalf("%v: PutAll returned %d, want %d", a, tr.n, tr.put)
	}
}

func (m *machine) stable() bool {
	getters, putters := m.q.Waiting()
	m.q.mu().Lock()
	joiners := m.q.joiners.Len()
	m.q.mu().Unlock()
	return getters == len(m.getters) && putters == len(m.putters) && joiners == len(m.joiners) &&
		m.q.Len() == len(m.values) && m.q.Unfinished() == m.undone
}

func (m *machine) settle(t *rapid.T) {
	m.proceed()
	m.Settle(t, m.stable)
}

// joinIfDone grants the joiners what they wait for.
func (m *machine) joinIfDone() {
	for _, a := range m.joiners {
		if m.undone == 0 && a.Call.Waits() {
			a.Call.Granted = true
		}
	}
}

func (m *machine) start(a *actors.Actor, c *actors.Call, forms actors.Forms) {
	m.Start(a, c, func(ctx context.Context) error { return forms.Call(ctx, c.Shape) })
}

func (m *machine) get(t *rapid.T, kind string) {
	a, s := m.Idle(t), actors.DrawShape(t)
	tr := &transfer{}
	c := &actors.Call{Kind: kind, Shape: s, Value: tr}
	n := 1
	if kind == kindGetN {
		n = rapid.IntRange(0, 4).Draw(t, "n")
		for _, g := range m.getters {
			if g.Call.Kind == kindGetN {
				t.Skip("which batch takes more is open")
			}
		}
	}
	unserved := a.Unserved(s, ErrEmpty)
	if kind == kindAny {
		unserved = a.Unserved(s, actors.ErrTimeout)
	}
	switch {
	case s == actors.Done:
		c.Must = unserved
	case n == 0:
		c.Granted = true
	case len(m.values) > 0:
		for ; n > 0 && len(m.values) > 0; n-- {
			tr.want = append(tr.want, m.take())
		}
		c.Granted = true
	case m.down:
		c.Must = []error{ErrShutdown}
	case len(unserved) > 0:
		c.Must = unserved
	default:
		tr.room = n - 1
		m.getters = append(m.getters, a)
	}
	m.start(a, c, m.gets(kind, n, tr))
	m.settle(t)
}

// gets returns the forms of a call that gets at most n values into tr.
func (m *machine) gets(kind string, n int, tr *transfer) actors.Forms {
	one := func(v int, err error) error {
		if err == nil {
			tr.got = append(tr.got, v)
		}
		return err
	}
	buf := make([]int, max(n, len(tr.want)))
	some := func(n int, err error) error {
		tr.got = buf[:n]
		return err
	}
	switch kind {
	case kindGet:
		return actors.Forms{
			Plain:   func() error { return one(m.q.Get()) },
			Timeout: func(d time.Duration) error { return one(m.q.GetTimeout(d)) },
			Context: func(ctx context.Context) error { return one(m.q.GetContext(ctx)) },
		}
	case kindGetN:
		return actors.Forms{
			Plain:   func() error { return some(m.q.GetN(buf)) },
			Timeout: func(d time.Duration) error { return some(m.q.GetNTimeout(buf, d)) },
			Context: func(ctx context.Context) error { return some(m.q.GetNContext(ctx, buf)) },
		}
	}
	g := m.q.GetOp()
	result := func(index int, err error) error {
		switch {
		case err != nil:
			return err
		case index < 0:
			return actors.ErrTimeout
		case index == 1:
			return one(g.Result())
		case !tr.event:
			return errors.New("the event was not set")
		}
		return nil
	}
	return actors.Forms{
		Plain:   func() error { return result(osthread.WaitAny(&m.event, g), nil) },
		Timeout: func(d time.Duration) error { return result(osthread.WaitAnyTimeout(d, &m.event, g), nil) },
		Context: func(ctx context.Context) error { return result(osthread.WaitAnyContext(ctx, &m.event, g)) },
	}
}

func (m *machine) put(t *rapid.T, kind string) {
	a, s := m.Idle(t), actors.DrawShape(t)
	tr := &transfer{}
	c := &actors.Call{Kind: kind, Shape: s, Value: tr}
	n := 1
	if kind == kindAll {
		n = rapid.IntRange(0, 4).Draw(t, "n")
		m.skipRaces(t, n)
	}
	for range n {
		tr.vs = append(tr.vs, m.drawValue(t))
	}
	vs := slices.Clone(tr.vs)
	switch unserved := a.Unserved(s, ErrFull); {
	case s == actors.Done:
		c.Must = unserved
	case n > 0 && m.down:
		c.Must = []error{ErrShutdown}
	default:
		a.Call = c // for move
		for len(tr.vs) > 0 && m.move(a) {
		}
		a.Call = nil
		if c.Granted = len(tr.vs) == 0; c.Granted {
			break
		}
		c.Must = unserved
		m.putters = append(m.putters, a)
	}
	m.start(a, c, m.puts(kind, vs, tr))
	m.settle(t)
}

// skipRaces skips a PutAll of n values if its outcome is open.
func (m *machine) skipRaces(t *rapid.T, n int) {
	room := n
	if m.q.Cap() > 0 {
		room = m.q.Cap() - len(m.values)
	}
	for _, p := range m.putters {
		if len(moved(p).vs) > 1 {
			t.Skip("which batch waits first is open")
		}
	}
	for _, g := range m.getters {
		if g.Call.Kind == kindGetN && n > room {
			t.Skip("how much a batch takes is open")
		}
	}
}

// puts returns the forms of a call that puts vs.
func (m *machine) puts(kind string, vs []int, tr *transfer) actors.Forms {
	if kind == kindPut {
		return actors.Forms{
			Plain:   func() error { return m.q.Put(vs[0]) },
			Timeout: func(d time.Duration) error { return m.q.PutTimeout(vs[0], d) },
			Context: func(ctx context.Context) error { return m.q.PutContext(ctx, vs[0]) },
		}
	}
	all := func(n int, err error) error {
		tr.n = n
		return err
	}
	return actors.Forms{
		Plain:   func() error { return all(m.q.PutAll(vs)) },
		Timeout: func(d time.Duration) error { return all(m.q.PutAllTimeout(vs, d)) },
		Context: func(ctx context.Context) error { return all(m.q.PutAllContext(ctx, vs)) },
	}
}

func (m *machine) join(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: kindJoin, Shape: s, Value: &transfer{}}
	if c.Granted = m.undone == 0 && s != actors.Done; !c.Granted {
		c.Must = a.Unserved(s, actors.ErrTimeout)
		m.joiners = append(m.joiners, a)
	}
	m.start(a, c, actors.Bool(m.q.Join, m.q.JoinTimeout, m.q.JoinContext))
	m.settle(t)
}

func (m *machine) taskDone(t *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(t, "n") {
		if m.undone == 0 {
			mustPanic(t, ErrTooManyDone, m.q.TaskDone)
			break
		}
		m.undone--
		m.joinIfDone()
		m.q.TaskDone()
	}
	m.settle(t)
}

func mustPanic(t *rapid.T, want error, f func()) {
	t.Helper()
	if err := testutil.PanicOf(f); !errors.Is(err, want) {
		t.Fatalf("got a panic with %v, want %v", err, want)
	}
}

func (m *machine) drain(t *rapid.T) {
	var want []int
	for range len(m.values) {
		want = append(want, m.take())
	}
	if got := m.q.Drain(); !slices.Equal(got, want) {
		t.Fatalf("Drain got %v, want %v", got, want)
	}
	m.settle(t)
}

// setEvent sets the event that WaitAny waits for as well.
func (m *machine) setEvent(t *rapid.T) {
	for _, g := range m.getters {
		if g.Call.Kind == kindAny && g.Call.Waits() {
			moved(g).event = true
			g.Call.Granted = true
		}
	}
	m.event.Set()
	m.event.Clear()
	m.settle(t)
}

// calm opens the ends of the queue, see ends.go.
func (m *machine) calm(t *rapid.T) {
	if m.down || m.full() || len(m.values) == 0 || len(m.putters)+len(m.getters) > 0 {
		t.Skip("not calm")
	}
	for range calmOps {
		v := m.drawSame()
		m.accept(v)
		if err := m.q.TryPut(v); err != nil {
			t.Fatalf("TryPut: %v", err)
		}
		want := m.take()
		if got, err := m.q.TryGet(); got != want || err != nil {
			t.Fatalf("TryGet got %d, %v, want %d", got, err, want)
		}
		m.undone-- // not to 0: there are values
		m.q.TaskDone()
	}
	if rapid.Bool().Draw(t, "then empty it") {
		m.empty(t)
	}
	m.settle(t)
}

// empty takes all values and marks them as done.
func (m *machine) empty(t *rapid.T) {
	for len(m.values) > 0 {
		want := m.take()
		if got, err := m.q.TryGet(); got != want || err != nil {
			t.Fatalf("TryGet got %d, %v, want %d", got, err, want)
		}
	}
	for m.undone > 0 {
		m.undone--
		m.joinIfDone()
		m.q.TaskDone()
	}
}

func (m *machine) drawSame() int {
	m.serial++
	return m.serial
}

// panicking makes a call in which cmp panics wherever it is called.
func (m *machine) panicking(t *rapid.T) {
	if m.q.store.order != priority || len(m.values) == 0 {
		t.Skip("cmp is not called")
	}
	m.panics = true
	defer func() { m.panics = false }()
	switch v := m.drawValue(t); {
	case rapid.Bool().Draw(t, "get"):
		m.getPanicking(t)
	case m.full() || m.down:
	case rapid.Bool().Draw(t, "batch"):
		if n, err := m.q.PutAll([]int{v}); n != 0 || !errors.Is(err, errCmp) {
			t.Fatalf("PutAll returned %d, %v", n, err)
		}
	default:
		mustPanic(t, errCmp, func() { _ = m.q.Put(v) })
	}
	m.settle(t)
}

func (m *machine) getPanicking(t *rapid.T) {
	get := m.q.TryGet
	if rapid.Bool().Draw(t, "GetOp") {
		g := m.q.GetOp()
		get = func() (int, error) {
			osthread.TryWaitAny(g)
			return g.Result()
		}
	}
	if len(m.values) >= 3 { // the heap compares two values that are left
		mustPanic(t, errCmp, func() { _, _ = get() })
		return
	}
	want := m.take()
	if got, err := get(); got != want || err != nil {
		t.Fatalf("got %d, %v, want %d", got, err, want)
	}
}

func (m *machine) shutdown(t *rapid.T, now bool) {
	m.down = true
	for _, a := range append(slices.Clone(m.getters), m.putters...) {
		if a.Call.Waits() {
			a.Call.Must = []error{ErrShutdown}
		}
	}
	if !now {
		m.q.Shutdown()
		m.settle(t)
		return
	}
	want := m.values
	m.values = nil
	m.undone -= min(m.undone, len(want))
	m.joinIfDone()
	if got := m.q.ShutdownNow(); !slices.Equal(got, want) {
		t.Fatalf("ShutdownNow returned %v, want %v", got, want)
	}
	m.settle(t)
}

// release ends all waits, for a sequence that has failed.
func (m *machine) release() {
	m.q.ShutdownNow()
	for testutil.PanicOf(m.q.TaskDone) == nil {
	}
}

func sequence(t *rapid.T, c *actors.Cast) {
	m := &machine{Cast: c}
	bound := rapid.SampledFrom([]int{2, 0, 1, 2, 3, 16, -1}).Draw(t, "bound")
	switch rapid.SampledFrom([]string{"FIFO", "LIFO", "priority"}).Draw(t, "order") {
	case "FIFO":
		m.q, m.insert = New[int](bound), appendValue
	case "LIFO":
		m.q, m.insert = NewLIFO[int](bound), prependValue
	default:
		m.q, m.insert = NewPriority(bound, m.compare), insertValue
	}
	defer m.Begin(m.returned, m.release)()
	t.Repeat(map[string]func(*rapid.T){
		"Get":          func(t *rapid.T) { m.get(t, kindGet) },
		"GetN":         func(t *rapid.T) { m.get(t, kindGetN) },
		"WaitAny":      func(t *rapid.T) { m.get(t, kindAny) },
		"Put":          func(t *rapid.T) { m.put(t, kindPut) },
		"Put more":     func(t *rapid.T) { m.put(t, kindPut) },
		"Put too":      func(t *rapid.T) { m.put(t, kindPut) },
		"PutAll":       func(t *rapid.T) { m.put(t, kindAll) },
		"Join":         m.join,
		"TaskDone":     m.taskDone,
		"Drain":        m.drain,
		"set event":    m.setEvent,
		"many":         m.calm,
		"cmp panics":   m.panicking,
		"cancel":       func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, Get":  func(t *rapid.T) { m.CancelContext(t); m.get(t, kindGet) },
		"cancel, Put":  func(t *rapid.T) { m.CancelContext(t); m.put(t, kindPut) },
		"cancel, Done": func(t *rapid.T) { m.CancelContext(t); m.taskDone(t) },
		"Cancel":       func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
		"Shutdown": func(t *rapid.T) {
			if !rapid.SampledFrom([]bool{false, false, false, false, false, true}).Draw(t, "shut down") {
				t.Skip("not now")
			}
			m.shutdown(t, rapid.Bool().Draw(t, "now"))
		},
	})
	m.shutdown(t, true)
	for m.undone > 0 {
		m.undone--
		m.joinIfDone()
		m.q.TaskDone()
	}
	m.settle(t)
}

func startActor(body func() error) (actors.Thread, error) { return osthread.Go(body) }

func TestQueueSequences(t *testing.T) {
	c := actors.New(t, 4, startActor)
	actors.Check(t, 150, func(t *rapid.T) { sequence(t, c) })
}

func FuzzQueueSequences(f *testing.F) {
	c := actors.New(f, 4, startActor)
	actors.Fuzz(f, func(t *rapid.T) { sequence(t, c) })
}
