//go:build !android && !portablefutex

package shared

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/park"
)

// Robust mutexes whose owners and waiters are killed. The living lock without a
// time limit. What is never true: two owners at once, an owner that dies and
// whose successor is not told, a waiter that is stuck.

// mutexNumber is the number of all their kinds.
const mutexNumber = 4

// A guarded is what a mutex protects, as in internal/sharedtest/hammer.h.
type guarded struct {
	inside, violations atomic.Uint32
	a, b               atomic.Uint64
}

func (g *guarded) check(ok bool) {
	if !ok {
		g.violations.Add(1)
	}
}

// pass passes through the critical section of m, whose lock has returned err.
func (g *guarded) pass(m *Mutex, err error, spins int) {
	me := uint32(unix.Gettid())
	if errors.Is(err, ErrOwnerDead) {
		g.b.Store(g.a.Load())
		g.check(m.Consistent() == nil)
	} else {
		g.check(g.inside.Load() == 0)
		g.check(g.a.Load() == g.b.Load())
	}
	g.inside.Store(me)
	g.a.Add(1)
	for range spins {
		park.Pause(1)
	}
	g.b.Add(1)
	g.check(g.inside.Load() == me)
	g.inside.Store(0)
	g.check(m.Unlock() == nil)
}

func mutexKindOf(name string, attr MutexAttr) *kind {
	object := func(a arena) (*Mutex, *guarded) { return (*Mutex)(a.at(0)), (*guarded)(a.at(userAt)) }
	onThread := func(f func()) {
		if attr.Inherit {
			if _, err := thread.Attach(); err != nil {
				panic(err)
			}
			defer func() { _ = thread.Detach() }() // of what is attached
		}
		f()
	}
	hammer := func(a arena, r *rand.Rand) {
		m, g := object(a)
		var err error
		switch r.IntN(3) {
		case 0:
			err = m.TryLock()
		case 1:
			err = m.LockTimeout(time.Duration(r.IntN(200)) * time.Microsecond)
		default:
			err = m.Lock()
		}
		switch {
		case isLocked(err):
			if attr.Kind == Recursive && r.IntN(2) == 0 {
				g.check(m.Lock() == nil)
				g.check(m.Unlock() == nil)
			}
			g.pass(m, err, r.IntN(4000))
		case !errors.Is(err, ErrBusy) && !errors.Is(err, ErrTimeout):
			g.check(false)
		}
	}
	var m *team
	return &kind{
		number: mutexNumber,
		init: func(a arena) error {
			m, _ := object(a)
			return m.Init(attr)
		},
		hammer: func(a arena, r *rand.Rand) { onThread(func() { hammer(a, r) }) },
		live: func(t *testing.T, a arena) func() {
			step := func() bool {
				onThread(func() {
					m, g := object(a)
					err := m.Lock()
					if assert.True(t, isLocked(err), err) {
						g.pass(m, err, 500)
					}
				})
				return true
			}
			m = startTeam(steps(name, a, step, step)...)
			return func() { m.stop(func() {}) }
		},
		check: func(t *testing.T, a arena) {
			before := m.passed.Load()
			eventually(t, "the living go on", func() bool { return m.passed.Load() >= before+10 })
			_, g := object(a)
			assert.Zero(t, g.violations.Load(), "violations")
		},
	}
}
