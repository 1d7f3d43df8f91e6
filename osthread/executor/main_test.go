package executor

import (
	"fmt"
	"strings"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	leak.Main(m, func() (left string) {
		if n := thread.NumThread(); n != 0 {
			left += fmt.Sprintf(" %d threads", n)
		}
		atExit.mu.Lock()
		defer atExit.mu.Unlock()
		if n := len(atExit.open); n != 0 {
			left += fmt.Sprintf(" %d not closed", n)
		}
		return left
	})
}

var await, panicOf = testutil.Await, testutil.PanicOf

// newExecutor returns an executor that the end of the test closes.
func newExecutor(t *testing.T, o Options) *Executor {
	t.Helper()
	e, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// must submits fn.
func must[T any](t *testing.T, e *Executor, fn func() (T, error)) *Future[T] {
	t.Helper()
	f, err := Submit(e, fn)
	require.NoError(t, err)
	return f
}

// value returns a function that returns v.
func value[T any](v T) func() (T, error) { return func() (T, error) { return v, nil } }

// A gate is a task's function that tells of its start and waits to be let
// through.
type gate struct{ begun, open osthread.Event }

func (g *gate) run() (int, error) {
	g.begun.Set()
	g.open.Wait()
	return 0, nil
}

// fill gives each of e's n threads a gate to wait at, and returns when all do.
func fill(t *testing.T, e *Executor, n int) (leave func()) {
	t.Helper()
	gates := make([]gate, n)
	for i := range gates {
		must(t, e, gates[i].run)
	}
	for i := range gates {
		gates[i].begun.Wait()
	}
	return func() {
		for i := range gates {
			gates[i].open.Set()
		}
	}
}

// under returns what f sees with p's guard.
func under[T any](p *pool, f func() T) T {
	p.guard.Lock()
	defer p.guard.Unlock()
	return f()
}

// awaitApplicants waits until n submitters wait for a place.
func awaitApplicants(p *pool, n int) {
	await(func() bool { return under(p, func() int { return p.waiting.Len() }) == n })
}

// awaitResting waits until n of p's threads are idle.
func awaitResting(p *pool, n int) {
	await(func() bool {
		return under(p, func() (idle int) {
			for m := p.idle.Head(); m != nil; m = m.Next() {
				idle++
			}
			return idle
		}) == n
	})
}

// awaitWaiters waits until n wait for t.
func awaitWaiters(t *task, n int) {
	await(func() bool {
		t.guard.Lock()
		defer t.guard.Unlock()
		return t.waiters.Len() == n
	})
}

// names returns the threads' names.
func names(threads []*osthread.Thread) string {
	var all []string
	for _, t := range threads {
		all = append(all, t.Name())
	}
	return strings.Join(all, " ")
}
