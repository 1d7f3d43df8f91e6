// Package testutil has the helpers that the tests of several packages share.
package testutil

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Timeout bounds the waits of tests. It is far above what a loaded machine
// needs, so only a test that fails reaches it.
const Timeout = 3 * time.Minute

// Rounds returns how often a test repeats a race: what the environment variable
// env says, else n, or with -short less.
func Rounds(env string, n, less int) int {
	if s := os.Getenv(env); s != "" {
		rounds, err := strconv.Atoi(s)
		Must(err)
		return rounds
	}
	if testing.Short() {
		return less
	}
	return n
}

// Must panics with err, if there is one: for children, where there is no test
// to fail.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Await yields until cond returns true.
func Await(cond func() bool) {
	for !cond() {
		runtime.Gosched()
	}
}

// AwaitLen yields until w, which guard protects, has n elements.
func AwaitLen(guard sync.Locker, w interface{ Len() int }, n int) {
	Await(func() bool {
		guard.Lock()
		defer guard.Unlock()
		return w.Len() == n
	})
}

// PanicOf returns the error that f panics with, nil if it does not panic.
func PanicOf(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

// MustHaveExec skips t where a process cannot run others, as package testenv of
// Go does.
func MustHaveExec(t testing.TB) {
	t.Helper()
	Executable(t)
}

// Executable returns the path of the test binary. It skips t where there is
// none.
func Executable(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	return path
}

// ErrAnyPanic stands for any error that a call panics with.
var ErrAnyPanic = errors.New("any panic")

// CheckTwice runs call twice as a subtest: a panic must not leave anything
// locked. Each time call must panic with an error that is want, or return if
// want is nil.
func CheckTwice(t *testing.T, name string, call func(), want error) {
	t.Run(name, func(t *testing.T) {
		for range 2 {
			err := PanicOf(call)
			switch want {
			case nil:
				assert.NoError(t, err)
			case ErrAnyPanic:
				assert.Error(t, err)
			default:
				assert.ErrorIs(t, err, want)
			}
		}
	})
}

// A Thread is a thread whose body returns an error.
type Thread interface{ Join() error }

// A Start starts a Thread that runs body.
type Start func(body func() error) (Thread, error)

// Callers runs f as a subtest for each kind of caller: goroutines, and threads,
// which start starts. It waits for all callers when f has returned.
func Callers(t *testing.T, start Start, f func(t *testing.T, g *Group)) {
	for name, start := range map[string]Start{"goroutine": StartGoroutine, "thread": start} {
		t.Run("caller="+name, func(t *testing.T) {
			g := NewGroup(t, start)
			defer g.Wait()
			f(t, g)
		})
	}
}

// A Group is the callers of a test that run at the same time.
type Group struct {
	t       *testing.T
	start   Start
	started []Thread
}

// NewGroup returns an empty group, whose callers start starts.
func NewGroup(t *testing.T, start Start) *Group { return &Group{t: t, start: start} }

// Run starts a caller that runs f. join waits for its end.
func (g *Group) Run(f func()) (join func()) {
	g.t.Helper()
	th, err := g.start(func() error { f(); return nil })
	if err != nil {
		g.t.Fatal(err)
	}
	g.started = append(g.started, th)
	return func() { g.join(th) }
}

// Wait waits for all callers.
func (g *Group) Wait() {
	g.t.Helper()
	for _, th := range g.started {
		g.join(th)
	}
	g.started = nil
}

func (g *Group) join(th Thread) {
	g.t.Helper()
	if err := th.Join(); err != nil {
		g.t.Error(err)
	}
}

// A goroutine is the Thread of a body that a goroutine runs.
type goroutine struct {
	done chan struct{}
	err  error
}

// StartGoroutine is the Start of a goroutine.
func StartGoroutine(body func() error) (Thread, error) {
	g := &goroutine{done: make(chan struct{})}
	go func() {
		defer close(g.done)
		g.err = body()
	}()
	return g, nil
}

func (g *goroutine) Join() error {
	<-g.done
	return g.err
}
