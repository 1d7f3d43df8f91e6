// Package trace reports to the trace and profile functions of threads the
// waits of all packages. Package osthread keeps those functions, and registers
// here how to reach them.
package trace

import "sync/atomic"

// Hooks are the functions that package osthread registers.
type Hooks struct {
	// Blocked is called before the caller sleeps on obj. The function that it
	// returns is called when the caller goes on.
	Blocked func(obj any) (resume func())
	// Released is called after the caller has woken a waiter for obj.
	Released func(obj any)
}

var (
	hooks   Hooks
	enabled atomic.Int32
)

// Register sets the hooks. It is called once, before the first Add.
func Register(h Hooks) { hooks = h }

// Add adds n to the number of trace and profile functions of live threads.
func Add(n int32) { enabled.Add(n) }

// Enabled reports whether there are any. It is one load.
func Enabled() bool { return enabled.Load() != 0 }

// Released reports that the caller has woken a waiter for obj.
func Released(obj any) {
	if Enabled() {
		hooks.Released(obj)
	}
}

// A Span is a wait between its two events. The caller is in no queue at either.
type Span struct{ resume func() }

// Block begins a wait for obj. The caller defers Resume, so that a trace
// function that ends the goroutine, which it must not, does no harm.
func Block(obj any) Span { return Span{hooks.Blocked(obj)} }

// Resume ends the wait. If a trace function ends the goroutine although got is
// true, undo, if not nil, gives back what the wait has got.
func (s Span) Resume(got bool, undo func()) {
	resumed := false
	defer func() {
		if got && !resumed && undo != nil {
			undo()
		}
	}()
	s.resume()
	resumed = true
}

// Around calls f, which waits for obj, as a Span and returns what f returned.
func Around(obj any, f func() bool, undo func()) (got bool) {
	span := Block(obj)
	defer func() { span.Resume(got, undo) }()
	return f()
}
