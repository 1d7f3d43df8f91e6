package osthread

import (
	"errors"
	"maps"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// The model of a Local is a map from threads to values. Get creates a value if
// there is none, unless New panics. The end of a thread removes its value and
// passes it to Destructor.

type localMachine struct {
	*actors.Cast
	l      *Local[int]
	values map[*Thread]int
	made   int  // by New
	panics bool // New does

	mu        sync.Mutex
	destroyed []int
}

var errNew = errors.New("New panics")

func (m *localMachine) newValue() int {
	if m.panics {
		panic(errNew)
	}
	m.made++
	return m.made
}

func (m *localMachine) destroy(v int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.destroyed = append(m.destroyed, v)
}

// do makes a call on a thread that is drawn.
func (m *localMachine) do(t *rapid.T, f func(th *Thread) error) error {
	a := m.Idle(t)
	return m.Do(a, func() error { return f(Current()) })
}

func (m *localMachine) get(t *rapid.T) {
	m.panics = rapid.Bool().Draw(t, "New panics")
	made, had, want := m.made, false, 0
	var got int
	err := m.do(t, func(th *Thread) error {
		if want, had = m.values[th]; !had && !m.panics {
			want = made + 1
			m.values[th] = want
		}
		got = m.l.Get()
		return nil
	})
	if panics := m.panics && !had; errors.Is(err, errNew) != panics || !panics && (err != nil || got != want) {
		t.Fatalf("Get returned %d, %v, want %d; New panics: %v", got, err, want, panics)
	}
}

func (m *localMachine) set(t *rapid.T) {
	v := rapid.IntRange(1000, 2000).Draw(t, "v")
	_ = m.do(t, func(th *Thread) error {
		m.values[th] = v
		m.l.Set(v)
		return nil
	})
}

func (m *localMachine) drop(t *rapid.T) {
	_ = m.do(t, func(th *Thread) error {
		delete(m.values, th)
		m.l.Delete()
		return nil
	})
}

// end ends a thread, and starts another.
func (m *localMachine) end(t *rapid.T) {
	a := m.Idle(t)
	th := a.Thread.(*Thread)
	v, had := m.values[th]
	delete(m.values, th)
	m.mu.Lock()
	m.destroyed = nil
	m.mu.Unlock()
	m.Renew(a)
	m.mu.Lock()
	defer m.mu.Unlock()
	if had != (len(m.destroyed) == 1) || had && m.destroyed[0] != v {
		t.Fatalf("Destructor got %v; the thread had %d: %v", m.destroyed, v, had)
	}
}

func (m *localMachine) check(t *rapid.T) {
	if all := maps.Collect(m.l.All()); !maps.Equal(all, m.values) {
		t.Fatalf("All has %v, want %v", all, m.values)
	}
}

func localSequence(t *rapid.T, c *actors.Cast) {
	m := &localMachine{Cast: c, values: map[*Thread]int{}}
	m.l = &Local[int]{New: m.newValue, Destructor: m.destroy}
	t.Repeat(map[string]func(*rapid.T){
		"Get":    m.get,
		"Set":    m.set,
		"Delete": m.drop,
		"Has": func(t *rapid.T) {
			err := m.do(t, func(th *Thread) error {
				if _, has := m.values[th]; has != m.l.Has() {
					return errors.New("Has is wrong")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		},
		"end": m.end,
		"":    m.check,
	})
}

func TestLocalSequences(t *testing.T) {
	c := actors.Threads(t, 3, startActor)
	actors.Check(t, 40, func(t *rapid.T) { localSequence(t, c) })
}
