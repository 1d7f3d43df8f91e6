//go:build !plan9

package shared

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/internal/testutil"
)

// try makes a function of a call that must succeed.
func try(call func() error) func() { return func() { testutil.Must(call()) } }

// until makes a function of a call that is repeated until it succeeds.
func until(call func() error) func() {
	return func() { testutil.Await(func() bool { return call() == nil }) }
}

// Each sentence "X synchronizes before Y" of this package's documentation, with
// all shapes of what waits. Callers are threads, or goroutines that the objects
// lock to threads.
func TestSynchronizesBefore(t *testing.T) {
	watch(t)
	start := func(body func() error) (testutil.Thread, error) {
		return thread.Start(func() { testutil.Must(body()) }, nil)
	}
	for _, edges := range [][]testutil.Edge{
		mutexEdges(), rwmutexEdges(), eventEdges(), semaphoreEdges(),
		onceEdges(), barrierEdges(), condEdges(), ringEdges(),
	} {
		testutil.CheckEdges(t, start, edges)
	}
}

func mutexEdges() (edges []testutil.Edge) {
	for _, a := range mutexAttrs() {
		for shape, lock := range map[string]func(m *Mutex) func(){
			"Lock":        func(m *Mutex) func() { return try(m.Lock) },
			"TryLock":     func(m *Mutex) func() { return until(m.TryLock) },
			"LockTimeout": func(m *Mutex) func() { return try(func() error { return m.LockTimeout(time.Hour) }) },
			"LockUntil":   func(m *Mutex) func() { return try(func() error { return m.LockUntil(Realtime.After(time.Hour)) }) },
			"LockContext": func(m *Mutex) func() { return try(func() error { return m.LockContext(context.Background()) }) },
		} {
			name := fmt.Sprintf("Mutex %+v Unlock, %s", a, shape)
			edges = append(edges, testutil.Edge{Name: name, Make: func(func()) (_, _ func()) {
				m := new(Mutex)
				testutil.Must(m.Init(a))
				before, after := testutil.Guarded(try(m.Lock), try(m.Unlock), lock(m), try(m.Unlock))
				return attached(before), attached(after)
			}})
		}
	}
	if canRobust {
		edges = append(edges, deathEdges()...)
	}
	return edges
}

// attached returns f on a thread of its own, which a robust mutex needs.
func attached(f func()) func() {
	return func() {
		_, err := thread.Attach()
		testutil.Must(err)
		f()
		testutil.Must(thread.Detach())
	}
}

// deathEdges are to a Lock that finds that the owner has ended with the lock:
// from what the owner did, and from the Unlock before that.
func deathEdges() []testutil.Edge {
	return []testutil.Edge{
		{Name: "robust Unlock, the Lock that returns ErrOwnerDead", Make: func(func()) (_, _ func()) {
			m := robust()
			return attached(func() {
				testutil.Must(errors.Join(m.Lock(), m.Unlock()))
				die(m, func() {})
			}), attached(func() { await(m) })
		}},
		{Name: "the end of the owner, the Lock that returns ErrOwnerDead", Make: func(func()) (_, _ func()) {
			m, left := robust(), 0
			return func() { die(m, func() { left = 1 }) }, attached(func() {
				await(m)
				if left != 1 {
					panic("the state is not what the owner left")
				}
			})
		}},
	}
}

func robust() *Mutex {
	m := new(Mutex)
	testutil.Must(m.Init(MutexAttr{Robust: true}))
	return m
}

// die starts a thread that ends with m, after f.
func die(m *Mutex, f func()) {
	_, err := thread.Start(func() { testutil.Must(m.Lock()); f() }, nil)
	testutil.Must(err)
}

// await locks m until an owner has died.
func await(m *Mutex) {
	testutil.Await(func() bool {
		err := m.Lock()
		dead := errors.Is(err, ErrOwnerDead)
		if dead {
			err = m.Consistent()
		}
		testutil.Must(errors.Join(err, m.Unlock()))
		return dead
	})
}

func rwmutexEdges() []testutil.Edge {
	edge := func(name string, locks func(rw *RWMutex) [4]func() error) testutil.Edge {
		return testutil.Edge{Name: name, Make: func(func()) (_, _ func()) {
			l := locks(new(RWMutex))
			return testutil.Guarded(try(l[0]), try(l[1]), try(l[2]), try(l[3]))
		}}
	}
	return []testutil.Edge{
		edge("RWMutex Unlock, Lock", func(rw *RWMutex) [4]func() error {
			return [4]func() error{rw.Lock, rw.Unlock, rw.Lock, rw.Unlock}
		}),
		edge("RWMutex Unlock, RLock", func(rw *RWMutex) [4]func() error {
			return [4]func() error{rw.Lock, rw.Unlock, rw.RLock, rw.RUnlock}
		}),
		edge("RWMutex RUnlock, Lock", func(rw *RWMutex) [4]func() error {
			return [4]func() error{rw.RLock, rw.RUnlock, rw.Lock, rw.Unlock}
		}),
	}
}

func eventEdges() (edges []testutil.Edge) {
	for name, auto := range map[string]bool{"Event": false, "automatic Event": true} {
		for shape, wait := range map[string]func(e *Event) error{
			"Wait":        (*Event).Wait,
			"TryWait":     func(e *Event) error { until(e.TryWait)(); return nil },
			"WaitTimeout": func(e *Event) error { return e.WaitTimeout(time.Hour) },
			"WaitContext": func(e *Event) error { return e.WaitContext(context.Background()) },
		} {
			edges = append(edges, testutil.Edge{Name: name + " Set, " + shape, Make: func(func()) (_, _ func()) {
				e := new(Event)
				testutil.Must(e.Init(auto, false))
				return try(e.Set), func() { testutil.Must(wait(e)) }
			}})
		}
	}
	return edges
}

func semaphoreEdges() (edges []testutil.Edge) {
	for shape, acquire := range map[string]func(s *Semaphore) error{
		"Acquire":        (*Semaphore).Acquire,
		"TryAcquire":     func(s *Semaphore) error { until(s.TryAcquire)(); return nil },
		"AcquireTimeout": func(s *Semaphore) error { return s.AcquireTimeout(time.Hour) },
		"AcquireContext": func(s *Semaphore) error { return s.AcquireContext(context.Background()) },
	} {
		edges = append(edges, testutil.Edge{Name: "Semaphore Release, " + shape, Make: func(func()) (_, _ func()) {
			s := new(Semaphore)
			return try(s.Release), func() { testutil.Must(acquire(s)) }
		}})
	}
	return edges
}

func onceEdges() []testutil.Edge {
	return []testutil.Edge{
		{Name: "Once, the function, Do", Make: func(func()) (_, _ func()) {
			o, ran := new(Once), false
			do := func() {
				testutil.Must(o.Do(func() { ran = true }))
				if !ran {
					panic("Do returned before the function")
				}
			}
			both := new(Barrier) // so that the word of the harness has an edge
			testutil.Must(both.Init(2, false))
			meet := func() { _, err := both.Wait(); testutil.Must(err) }
			return func() { do(); meet() }, func() { do(); meet() }
		}},
		{Name: "Once, the function, Done", Make: func(func()) (_, _ func()) {
			o := new(Once)
			return func() { testutil.Must(o.Do(func() {})) }, func() { testutil.Await(o.Done) }
		}},
	}
}

func barrierEdges() []testutil.Edge {
	return []testutil.Edge{{Name: "Barrier Wait, Wait", Make: func(func()) (_, _ func()) {
		b := new(Barrier)
		testutil.Must(b.Init(2, false))
		wait := func() { _, err := b.Wait(); testutil.Must(err) }
		return wait, wait
	}}}
}

func condEdges() (edges []testutil.Edge) {
	for how, wake := range map[string]func(c *Cond) error{"Signal": (*Cond).Signal, "Broadcast": (*Cond).Broadcast} {
		edges = append(edges, testutil.Edge{Name: "Cond " + how + ", Wait", Make: func(func()) (_, _ func()) {
			c, m, set := new(Cond), new(Mutex), false
			return func() {
					testutil.Must(m.Lock())
					set = true
					testutil.Must(m.Unlock())
					testutil.Must(wake(c))
				}, func() {
					testutil.Must(m.Lock())
					for !set {
						testutil.Must(c.Wait(m))
					}
					testutil.Must(m.Unlock())
				}
		}})
	}
	return edges
}

// ringEdges also write and read the data of the ring itself, without copies.
func ringEdges() []testutil.Edge {
	ring := func(records bool) (*RingWriter, *RingReader) {
		r, err := NewRing(make([]byte, RingSize(64)), 64, RingAttr{Records: records})
		testutil.Must(err)
		w, err := r.Writer()
		testutil.Must(err)
		reader, err := r.Reader()
		testutil.Must(err)
		return w, reader
	}
	full := func(w *RingWriter) {
		for {
			record, err := w.Reserve(8)
			if err != nil {
				break
			}
			record[0] = 1
		}
		testutil.Must(w.Commit())
	}
	return []testutil.Edge{
		{Name: "Ring Commit, Next", Make: func(func()) (_, _ func()) {
			w, r := ring(true)
			return func() { full(w) }, func() {
				testutil.Must(r.Wait())
				record, err := r.Next()
				testutil.Must(err)
				if record[0] != 1 {
					panic("the record is not what was written")
				}
			}
		}},
		{Name: "Ring Release, the Reserve that uses the room again", Make: func(func()) (_, _ func()) {
			w, r := ring(true)
			full(w)
			return func() {
					_, err := r.Next()
					testutil.Must(err)
					r.Release()
				}, func() {
					testutil.Must(w.WaitRoom(8))
					record, err := w.Reserve(8)
					testutil.Must(err)
					record[0] = 2
				}
		}},
		{Name: "Ring Write, Read", Make: func(func()) (_, _ func()) {
			w, r := ring(false)
			return func() { _, err := w.Write([]byte{1}); testutil.Must(err) },
				func() { _, err := r.Read(make([]byte, 1)); testutil.Must(err) }
		}},
	}
}
