// Package protect calls functions of others and reports how they ended.
package protect

import (
	"example.com/thread"
	"example.com/thread/internal/keep"
)

// Call calls fn, and then done exactly once, on the same goroutine: with what
// fn returned, with what [Recovered] returns if it panicked, or with
// thread.ErrGoexit or ErrExit if it called runtime.Goexit or thread.Exit.
// returned reports whether fn returned. A panic ends here, unless it is done's.
// A Goexit continues when done has returned, so the caller must leave nothing
// to do after Call that done or a deferred function could do.
func Call(fn func() error, done func(err error, returned bool)) {
	var err error
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = Recovered(v)
		} else if !returned {
			err = keep.Ending()
		}
		done(err, returned)
	}()
	err = fn()
	returned = true
}

// Run calls fn, which may be nil, and returns what fn returned, or if it
// panicked, what [Recovered] returns. It does not return from a Goexit.
func Run(fn func() error) (err error) {
	if fn == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = Recovered(v)
		}
	}()
	return fn()
}

// OnGoexit calls fn, and rest if fn ends the goroutine by runtime.Goexit. rest
// is not called after a panic of fn, which continues.
func OnGoexit(rest, fn func()) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			panic(v)
		}
		if !returned {
			rest()
		}
	}()
	fn()
	returned = true
}

// Recovered returns the error for the panic with value v: a
// *thread.PanicError, or the cause if v is a *thread.CanceledError. It is
// called by the deferred function that recovered v, while the panic's frames
// are still on the stack.
func Recovered(v any) error { return keep.Recovered(v) }

// Panicked is Recovered that returns a *thread.PanicError in any case.
func Panicked(v any) *thread.PanicError { return keep.Panicked(v).(*thread.PanicError) }
