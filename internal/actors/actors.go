// Package actors has the callers of tests that are state machines: a few
// threads and goroutines, each of which makes one call at a time, when the
// machine starts it. After each step the machine waits for a state: the calls
// that its model says must end have returned, and the object counts all others
// as waiters. Time is only a bound.
package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	ErrContext = errors.New("context of the call done") // by Cast.CancelContext
	ErrThread  = errors.New("thread canceled")          // by Cast.CancelThread
	ErrTimeout = errors.New("call reports false")       // of calls that return no error
	ErrGoexit  = errors.New("call ended its goroutine")
)

// A Panic is the error of a call that panicked.
type Panic struct{ Value any }

func (p *Panic) Error() string { return fmt.Sprint("panic: ", p.Value) }
func (p *Panic) Unwrap() error { err, _ := p.Value.(error); return err }

// A Thread is a thread of package osthread.
type Thread interface {
	Cancel(cause error)
	Join() error
}

// A Start starts a Thread that runs body.
type Start func(body func() error) (Thread, error)

// A Call is what an actor does.
type Call struct {
	Kind  string
	N     int
	Shape Shape
	Value any
	// Must has the errors with one of which the call must end; empty: it ends
	// when it is served. Err is what it ended with.
	Must []error
	Err  error
	// Granted says that the call must end, being served.
	Granted bool

	cancel context.CancelCauseFunc
}

// Ends reports whether the call must end without being served.
func (c *Call) Ends() bool { return len(c.Must) > 0 }

// Waits reports whether there is a call, and nothing is to end it yet.
func (c *Call) Waits() bool { return c != nil && !c.Ends() && !c.Granted }

// settled reports whether no call is about to end.
func (c *Cast) settled() bool {
	return !slices.ContainsFunc(c.Busy(), func(a *Actor) bool { return !a.Call.Waits() })
}

// An Actor makes one call at a time.
type Actor struct {
	Name   string
	Thread Thread // nil: a goroutine
	// Asked says that the thread was canceled, and no wait has ended by that.
	Asked bool
	Call  *Call // nil: it is idle

	canceled bool // once, as threads can be
	calls    chan func() error
	results  chan error
	ended    chan struct{}
}

func (a *Actor) String() string {
	switch {
	case a.Call == nil:
		return a.Name
	case a.Call.Ends():
		return fmt.Sprintf("%s in %s(%d), which must end: %v", a.Name, a.Call.Kind, a.Call.N, a.Call.Must)
	default:
		return fmt.Sprintf("%s in %s(%d) %v", a.Name, a.Call.Kind, a.Call.N, a.Call.Shape)
	}
}

// A Cast is the actors of a test. Sequences use it one after the other.
type Cast struct {
	// Returned is called with each actor whose call has ended, which is idle
	// then, for the model to check and follow.
	Returned func(t *rapid.T, a *Actor, c *Call)
	Actors   []*Actor

	start Start
	stuck bool // a sequence has not settled: later ones wait for less time
}

// New returns the actors of tb, threads and goroutines in turn.
func New(tb testing.TB, n int, start Start) *Cast {
	c := &Cast{start: start}
	for i := range n {
		a := &Actor{Name: string(rune('A'+i)) + "(goroutine)"}
		if i%2 == 0 {
			a.Name = string(rune('A'+i)) + "(thread)"
		}
		c.Actors = append(c.Actors, a)
		c.begin(a, i%2 == 0)
	}
	tb.Cleanup(func() {
		for _, a := range c.Actors {
			c.end(a)
		}
	})
	return c
}

// Threads returns the actors of tb, all threads.
func Threads(tb testing.TB, n int, start Start) *Cast {
	c := New(tb, n, start)
	for _, a := range c.Actors {
		if a.Thread == nil {
			c.end(a)
			a.Name = a.Name[:1] + "(thread)"
			c.begin(a, true)
		}
	}
	return c
}

func (c *Cast) begin(a *Actor, thread bool) {
	a.calls, a.results, a.ended = make(chan func() error), make(chan error, 1), make(chan struct{})
	a.Asked, a.canceled, a.Call = false, false, nil
	calls, results, ended := a.calls, a.results, a.ended
	body := func() error {
		defer close(ended)
		for f := range calls {
			perform(f, results)
		}
		return nil
	}
	if !thread {
		go func() { _ = body() }()
		return
	}
	var err error
	if a.Thread, err = c.start(body); err != nil {
		panic(err)
	}
}

// perform calls f, and sends how it ended even if it ends the goroutine.
func perform(f func() error, results chan<- error) {
	returned := false
	var err error
	defer func() {
		if !returned {
			err = ErrGoexit
			if v := recover(); v != nil {
				err = &Panic{v}
			}
		}
		results <- err
	}()
	err = f()
	returned = true
}

// end ends an idle actor; it leaves one that is stuck.
func (c *Cast) end(a *Actor) {
	close(a.calls)
	if a.Call != nil {
		return
	}
	<-a.ended
	if a.Thread != nil {
		_ = a.Thread.Join() // what it returned does not matter
	}
}

// Renew replaces the thread of an idle actor by a new one.
func (c *Cast) Renew(a *Actor) {
	c.end(a)
	c.begin(a, a.Thread != nil)
}

// Begin makes all actors idle and sets the model of a sequence. The function
// that it returns must be deferred: it calls release until all actors are idle,
// if a failure has left some that are not.
func (c *Cast) Begin(returned func(t *rapid.T, a *Actor, c *Call), release func()) (end func()) {
	c.Returned = returned
	return func() {
		release()
		c.Returned = func(*rapid.T, *Actor, *Call) {}
		for deadline := time.Now().Add(2 * time.Second); len(c.Busy()) > 0 && time.Now().Before(deadline); {
			for _, a := range c.Busy() {
				a.Call.cancel(ErrContext)
			}
			release()
			c.harvest(nil)
			runtime.Gosched()
		}
		for _, a := range c.Actors {
			if a.Call != nil || a.canceled {
				c.Renew(a)
			}
		}
	}
}

// Idle draws an actor that is idle.
func (c *Cast) Idle(t *rapid.T) *Actor {
	return c.Draw(t, func(a *Actor) bool { return a.Call == nil })
}

// Draw draws an actor that ok is true for. If there is none it skips the step.
func (c *Cast) Draw(t *rapid.T, ok func(a *Actor) bool) *Actor {
	var names []string
	for _, a := range c.Actors {
		if ok(a) {
			names = append(names, a.Name)
		}
	}
	if len(names) == 0 {
		t.Skip("no such actor")
	}
	name := rapid.SampledFrom(names).Draw(t, "actor")
	return c.Actors[slices.IndexFunc(c.Actors, func(a *Actor) bool { return a.Name == name })]
}

// Busy returns the actors that are not idle.
func (c *Cast) Busy() []*Actor {
	return slices.DeleteFunc(slices.Clone(c.Actors), func(a *Actor) bool { return a.Call == nil })
}

// Do makes the idle actor a call f, and waits for its end. f must not wait for
// other actors.
func (c *Cast) Do(a *Actor, f func() error) error {
	a.calls <- f
	err := <-a.results
	c.afterCall(a, err)
	return err
}

// Start makes the idle actor a call f, which may wait.
func (c *Cast) Start(a *Actor, call *Call, f func(ctx context.Context) error) {
	var ctx context.Context
	ctx, call.cancel = context.WithCancelCause(context.Background())
	if call.Shape == Done {
		call.cancel(ErrContext)
	}
	a.Call = call
	a.calls <- func() error { return f(ctx) }
}

// CancelContext makes the context of a waiter done that has one, and returns
// the waiter, whose call must end now.
func (c *Cast) CancelContext(t *rapid.T) *Actor {
	a := c.Draw(t, func(a *Actor) bool { return a.Call.Waits() && a.Call.Shape == Context })
	a.Call.Must = []error{ErrContext}
	a.Call.cancel(ErrContext)
	return a
}

// CancelThread cancels a thread that was not canceled before. If it waits its
// call must end now; otherwise its next wait must. keep excludes actors.
func (c *Cast) CancelThread(t *rapid.T, keep func(a *Actor) bool) *Actor {
	a := c.Draw(t, func(a *Actor) bool {
		return a.Thread != nil && !a.canceled && !(a.Call != nil && a.Call.Ends()) && !(keep != nil && keep(a))
	})
	a.canceled = true
	if a.Call == nil || a.Call.Granted {
		a.Asked = true
	} else {
		a.Call.Must = []error{ErrThread}
	}
	a.Thread.Cancel(ErrThread)
	return a
}

// Settle waits until stable reports true of the model, which Returned changes
// with each call that ends.
func (c *Cast) Settle(t *rapid.T, stable func() bool) {
	limit := 30 * time.Second
	if c.stuck {
		limit = time.Second // while rapid shrinks the sequence
	}
	deadline := time.Now().Add(limit)
	for polls := 0; ; polls++ {
		c.harvest(t)
		if c.settled() && stable() {
			return
		}
		if polls%64 == 63 && time.Now().After(deadline) {
			c.stuck = true
			t.Fatalf("does not settle: %s", c)
		}
		runtime.Gosched()
	}
}

func (c *Cast) String() string {
	var s []string
	for _, a := range c.Actors {
		s = append(s, a.String())
	}
	return strings.Join(s, "; ")
}

func (c *Cast) harvest(t *rapid.T) {
	for _, a := range c.Actors {
		if a.Call == nil {
			continue
		}
		select {
		case err := <-a.results:
			call := a.Call
			a.Call = nil
			call.cancel(nil)
			call.Err = err
			c.afterCall(a, err)
			if t != nil {
				mustEndSo(t, a, call)
			}
			c.Returned(t, a, call)
		default:
		}
	}
}

// mustEndSo checks the error of a call that had to end without being served.
func mustEndSo(t *rapid.T, a *Actor, c *Call) {
	if c.Ends() && !slices.ContainsFunc(c.Must, func(want error) bool { return errors.Is(c.Err, want) }) {
		t.Fatalf("%v: %s(%d) %v ended with %v, want one of %v", a, c.Kind, c.N, c.Shape, c.Err, c.Must)
	}
}

// afterCall replaces the thread of an actor that cannot be canceled again, or
// that the call has ended.
func (c *Cast) afterCall(a *Actor, err error) {
	switch {
	case errors.Is(err, ErrThread):
		a.Asked = false
		c.Renew(a)
	case errors.Is(err, ErrGoexit):
		c.Renew(a)
	}
}

// CancelGranted makes the context of a call done that has been served, and
// cancels its thread: neither may end the call otherwise.
func (c *Cast) CancelGranted(a *Actor) {
	if a.Call.Shape == Context {
		a.Call.cancel(ErrContext)
	}
	if a.Thread != nil && !a.canceled {
		a.canceled, a.Asked = true, true
		a.Thread.Cancel(ErrThread)
	}
}

// Canceled reports whether the thread was canceled.
func (a *Actor) Canceled() bool { return a.canceled }
