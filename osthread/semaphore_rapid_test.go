package osthread

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Semaphore is the number of permits, the bound, and the waiters
// with what they want, in the order in which they came. At rest the first
// waiter of a fair semaphore wants more than there is, and some waiter of
// another does. Only a newcomer that finds waiters may be served or not, as the
// first of them has waited for longer than the starvation threshold or not.

type semaphoreMachine struct {
	*actors.Cast
	s       *Semaphore
	permits int
	most    int // 0: no bound
	queue   []*actors.Actor
}

func (m *semaphoreMachine) returned(t *rapid.T, a *actors.Actor, c *actors.Call) {
	ahead := m.wantedBefore(a)
	m.queue = without(m.queue, a)
	switch {
	case c.Ends():
	case c.Err != nil:
		if may, _ := c.Value.([]error); !slices.Contains(may, c.Err) {
			t.Fatalf("%v failed: %v", a, c.Err)
		}
	case m.s.Fair && ahead > m.permits-c.N:
		t.Fatalf("%v was served before those that want %d", a, ahead)
	default:
		if m.permits -= c.N; m.permits < 0 {
			t.Fatalf("%v has taken %d permits; there are %d", a, c.N, m.permits)
		}
	}
}

// wantedBefore returns how many permits the waiters before a want.
func (m *semaphoreMachine) wantedBefore(a *actors.Actor) (n int) {
	for _, b := range m.queue {
		if b == a {
			break
		}
		if b.Call.Waits() {
			n += b.Call.N
		}
	}
	return n
}

func (m *semaphoreMachine) stable() bool {
	wantsMore := func(a *actors.Actor) bool { return a.Call.N > m.permits }
	rest := len(m.queue) == 0 || wantsMore(m.queue[0]) || !m.s.Fair && slices.ContainsFunc(m.queue, wantsMore)
	return rest && m.s.Waiting() == len(m.queue) && m.s.Value() == m.permits
}

func (m *semaphoreMachine) settle(t *rapid.T) { m.Settle(t, m.stable) }

func (m *semaphoreMachine) acquire(t *rapid.T) {
	a, s := m.Idle(t), actors.DrawShape(t)
	c := &actors.Call{Kind: "Acquire", Shape: s, N: drawPermits(t)}
	never := m.most > 0 && c.N > m.most
	unserved := a.Unserved(s, actors.ErrTimeout)
	switch {
	case s == actors.Done:
		c.Must = unserved
	case c.N < 1 || never && (s == actors.Plain || s == actors.Background):
		c.Must = []error{ErrCount}
	case never && s.Waits():
		t.Skip("a wait that only a cancel ends, and that is not counted")
	case m.permits < c.N, m.s.Fair && len(m.queue) > 0:
		c.Must = unserved
	case len(m.queue) > 0:
		c.Value = unserved
		if a.Asked {
			t.Skip("two ends")
		}
	}
	m.queue = append(m.queue, a)
	m.Start(a, c, func(ctx context.Context) error {
		return actors.Bool(
			func() { m.s.Acquire(c.N) },
			func(d time.Duration) bool { return m.s.AcquireTimeout(c.N, d) },
			func(ctx context.Context) error { return m.s.AcquireContext(ctx, c.N) },
		).Call(ctx, s)
	})
	m.settle(t)
}

// drawPermits draws 1 to 4, and now and then a number that is out of range.
func drawPermits(t *rapid.T) int {
	return rapid.SampledFrom([]int{1, 3, 2, 4, 1, 2, 1, 4, 0, -1}).Draw(t, "permits")
}

func (m *semaphoreMachine) release(t *rapid.T) {
	n := drawPermits(t)
	switch {
	case n < 1:
		mustPanic(t, ErrCount, func() { m.s.Release(n) })
	case m.most > 0 && m.permits+n > m.most:
		mustPanic(t, ErrOverflow, func() { m.s.Release(n) })
	default:
		m.permits += n
		m.s.Release(n)
	}
	m.settle(t)
}

func semaphoreSequence(t *rapid.T, c *actors.Cast) {
	m := &semaphoreMachine{Cast: c, permits: rapid.IntRange(0, 3).Draw(t, "permits")}
	if rapid.Bool().Draw(t, "bounded") {
		m.s, m.most = NewBoundedSemaphore(m.permits), m.permits
		if m.most == 0 {
			t.Skip("nothing can be acquired")
		}
	} else {
		m.s = NewSemaphore(m.permits)
	}
	m.s.Fair = rapid.Bool().Draw(t, "fair")
	defer m.Begin(m.returned, func() { _ = panicOf(func() { m.s.Release(1) }) })()
	t.Repeat(map[string]func(*rapid.T){
		"acquire":              m.acquire,
		"release":              m.release,
		"cancel context":       func(t *rapid.T) { m.CancelContext(t); m.settle(t) },
		"cancel, then release": func(t *rapid.T) { m.CancelContext(t); m.release(t) },
		"cancel thread":        func(t *rapid.T) { m.CancelThread(t, nil); m.settle(t) },
	})
	for len(m.queue) > 0 {
		m.permits++
		m.s.Release(1)
		m.settle(t)
	}
	if word := m.s.word.Load(); word != int64(m.permits) {
		t.Fatalf("a Semaphore without waiters has the word %x and %d permits", word, m.permits)
	}
}

func TestSemaphoreSequences(t *testing.T) {
	c := actors.New(t, 4, startActor)
	actors.Check(t, 200, func(t *rapid.T) { semaphoreSequence(t, c) })
}

func FuzzSemaphoreSequences(f *testing.F) { fuzzSequences(f, semaphoreSequence) }
