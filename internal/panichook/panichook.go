// Package panichook holds the function that gets the panics of threads. Both
// tiers have one, each for its own type of thread.
package panichook

import (
	"fmt"
	"os"
	"sync/atomic"
)

// A Hook reports panics as errors E of threads T.
type Hook[T, E any] struct {
	Default   func(t T, e E) // reports where no function is set
	Recovered func(v any) E  // makes the error of a panic of the function itself

	f atomic.Pointer[func(T, E)]
}

// Set sets the function; nil stands for the default.
func (h *Hook[T, E]) Set(f func(T, E)) {
	if f == nil {
		h.f.Store(nil)
		return
	}
	h.f.Store(&f)
}

// Get returns what Set has set.
func (h *Hook[T, E]) Get() func(T, E) {
	if f := h.f.Load(); f != nil {
		return *f
	}
	return nil
}

// Report calls the function with t and e. A panic of the function is reported
// the default way, after e.
func (h *Hook[T, E]) Report(t T, e E) {
	f := h.Get()
	if f == nil {
		h.Default(t, e)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			h.Default(t, e)
			h.Default(t, h.Recovered(v))
		}
	}()
	f(t, e)
}

// Print writes the default report to standard error, in one call, so that the
// reports of two threads do not mix.
func Print(thread string, value any, stack []byte) {
	fmt.Fprintf(os.Stderr, "Panic in thread %s: %v\n%s", thread, value, stack)
}
