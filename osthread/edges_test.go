package osthread

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
)

// unchecked is a sync.Locker that locks nothing, so that a Condition's own edge
// is the only one.
type unchecked struct{}

func (unchecked) Lock()   {}
func (unchecked) Unlock() {}

// until yields until try returns true.
func until(try func() bool) {
	for !try() {
		runtime.Gosched()
	}
}

// Each sentence "X synchronizes before Y" of this package's documentation, with
// all shapes of what waits.
func TestSynchronizesBefore(t *testing.T) {
	for _, edges := range [][]testutil.Edge{
		lockEdges(), rwlockEdges(), semaphoreEdges(), eventEdges(),
		conditionEdges(), barrierEdges(), threadEdges(),
	} {
		testutil.CheckEdges(t, startThread, edges)
	}
}

func lockEdges() (edges []testutil.Edge) {
	for name, make := range lockers {
		for shape, lock := range map[string]func(l locker){
			"Lock":        func(l locker) { l.Lock() },
			"TryLock":     func(l locker) { until(l.TryLock) },
			"LockTimeout": func(l locker) { until(func() bool { return l.LockTimeout(time.Hour) }) },
			"LockContext": func(l locker) { until(func() bool { return l.LockContext(context.Background()) == nil }) },
		} {
			edges = append(edges, testutil.Edge{Name: name + " Unlock, " + shape, Make: func(func()) (_, _ func()) {
				l := make()
				return testutil.Guarded(l.Lock, l.Unlock, func() { lock(l) }, l.Unlock)
			}})
		}
	}
	return edges
}

func rwlockEdges() []testutil.Edge {
	return []testutil.Edge{
		{Name: "RWLock Unlock, RLock", Make: func(func()) (_, _ func()) {
			w := new(RWLock)
			return testutil.Guarded(w.Lock, w.Unlock, w.RLock, w.RUnlock)
		}},
		{Name: "RWLock RUnlock, Lock", Make: func(func()) (_, _ func()) {
			w := new(RWLock)
			return testutil.Guarded(w.RLock, w.RUnlock, w.Lock, w.Unlock)
		}},
		{Name: "RWLock Downgrade, RLock", Make: func(func()) (_, _ func()) {
			w, seen := new(RWLock), make(chan struct{})
			set, see := testutil.Guarded(w.Lock, w.Downgrade, w.RLock, w.RUnlock)
			return func() { set(); <-seen; w.RUnlock() }, func() { see(); close(seen) }
		}},
		{Name: "RWLock RUnlock, Upgrade", Make: func(func()) (_, _ func()) {
			w := new(RWLock)
			w.RLock() // before's
			w.RLock() // after's
			return func() {
				until(func() bool { return w.Waiting() == 1 })
				w.RUnlock()
			}, func() { testutil.Must(w.Upgrade()); w.Unlock() }
		}},
	}
}

func semaphoreEdges() (edges []testutil.Edge) {
	for shape, acquire := range map[string]func(s *Semaphore){
		"Acquire":        func(s *Semaphore) { s.Acquire(1) },
		"TryAcquire":     func(s *Semaphore) { until(func() bool { return s.TryAcquire(1) }) },
		"AcquireTimeout": func(s *Semaphore) { until(func() bool { return s.AcquireTimeout(1, time.Hour) }) },
		"AcquireContext": func(s *Semaphore) { testutil.Must(s.AcquireContext(context.Background(), 1)) },
		"WaitAny":        func(s *Semaphore) { WaitAny(s, new(Event)) },
		"WaitAll":        func(s *Semaphore) { WaitAll(s, NewSemaphore(1)) },
	} {
		edges = append(edges, testutil.Edge{Name: "Semaphore Release, " + shape, Make: func(func()) (_, _ func()) {
			s := NewSemaphore(0)
			return func() { s.Release(1) }, func() { acquire(s) }
		}})
	}
	return edges
}

func eventEdges() (edges []testutil.Edge) {
	for shape, wait := range map[string]func(e *Event){
		"Wait":        func(e *Event) { e.Wait() },
		"TryWait":     func(e *Event) { until(e.TryWait) },
		"WaitTimeout": func(e *Event) { until(func() bool { return e.WaitTimeout(time.Hour) }) },
		"WaitContext": func(e *Event) { testutil.Must(e.WaitContext(context.Background())) },
		"WaitAny":     func(e *Event) { WaitAny(new(Event), e) },
		"WaitAll":     func(e *Event) { WaitAll(NewSemaphore(1), e) },
	} {
		for _, auto := range []bool{false, true} {
			name := "Event Set, " + shape
			if auto {
				name += ", automatic"
			}
			edges = append(edges, testutil.Edge{Name: name, Make: func(func()) (_, _ func()) {
				e := &Event{AutoReset: auto}
				return e.Set, func() { wait(e) }
			}})
		}
	}
	return edges
}

func conditionEdges() (edges []testutil.Edge) {
	for shape, wait := range map[string]func(c *Condition){
		"Wait":        (*Condition).Wait,
		"WaitTimeout": func(c *Condition) { c.WaitTimeout(time.Hour) },
		"WaitContext": func(c *Condition) { testutil.Must(c.WaitContext(context.Background())) },
	} {
		for how, notify := range map[string]func(c *Condition){
			"Notify": (*Condition).Notify, "NotifyAll": (*Condition).NotifyAll,
			"Signal": (*Condition).Signal, "Broadcast": (*Condition).Broadcast,
		} {
			name := "Condition " + how + ", " + shape
			edges = append(edges, testutil.Edge{Name: name, Make: func(func()) (_, _ func()) {
				c := NewCondition(unchecked{})
				return func() { until(func() bool { return c.Waiting() == 1 }); notify(c) }, func() { wait(c) }
			}})
		}
	}
	return edges
}

func barrierEdges() []testutil.Edge {
	wait := func(b *Barrier) func() {
		return func() {
			_, err := b.Wait()
			testutil.Must(err)
		}
	}
	return []testutil.Edge{
		{Name: "Barrier Wait, Wait", Make: func(func()) (_, _ func()) {
			b := NewBarrier(2, nil)
			return wait(b), wait(b)
		}},
		{Name: "Barrier Wait, the action, Wait", Make: func(read func()) (_, _ func()) {
			acted := false
			b := NewBarrier(2, func() { read(); acted = true })
			return wait(b), func() {
				wait(b)()
				if !acted {
					panic("Wait returned before the action")
				}
			}
		}},
	}
}

func threadEdges() []testutil.Edge {
	joined := func(t *Thread) { until(func() bool { return !errors.Is(t.Join(), ErrNotStarted) }) }
	return []testutil.Edge{
		{Name: "Thread Start, the body, Join", Make: func(read func()) (_, _ func()) {
			th := New(func() error { read(); return nil }, nil)
			return func() { testutil.Must(th.Start()) }, func() { joined(th) }
		}},
		{Name: "Thread Start, the body, WaitAny", Make: func(read func()) (_, _ func()) {
			th := New(func() error { read(); return nil }, nil)
			return func() { testutil.Must(th.Start()) }, func() {
				until(func() bool { return th.Ident() != 0 })
				WaitAny(th)
			}
		}},
		{Name: "Timer Start, the function, Finished", Make: func(read func()) (_, _ func()) {
			tm := NewTimer(time.Microsecond, func() error { read(); return nil }, nil)
			return func() { testutil.Must(tm.Start()) }, func() { tm.Finished().Wait(); joined(tm.Thread) }
		}},
		{Name: "Group, its threads, Wait", Make: func(read func()) (_, _ func()) {
			g, err := NewGroup(context.Background(), GroupOptions{})
			testutil.Must(err)
			gate, ran := make(chan struct{}), false
			_, err = g.Go(func(context.Context) error { <-gate; read(); ran = true; return nil })
			testutil.Must(err)
			return func() { close(gate) }, func() {
				testutil.Must(g.Wait())
				if !ran {
					panic("Wait returned before the thread had ended")
				}
			}
		}},
	}
}

// A caller that leaves a Condition because it has taken L reads what the
// notifier wrote under L, and no edge is missing through the requeue.
func TestConditionWaitForSeesWhatItsPredicateIsAbout(t *testing.T) {
	for name, make := range lockers {
		t.Run(name, func(t *testing.T) {
			testutil.CheckEdges(t, startThread, []testutil.Edge{{Name: "WaitFor", Make: func(func()) (_, _ func()) {
				l, set := make(), false
				c := NewCondition(l)
				return func() {
						l.Lock()
						set = true
						c.NotifyAll()
						l.Unlock()
					}, func() {
						l.Lock()
						c.WaitFor(func() bool { return set })
						assert.True(t, set)
						l.Unlock()
					}
			}}})
		})
	}
}
