package sync

import "sync/atomic"

// A Once performs one action, as [sync.Once] does. It must not be copied after
// first use.
//
// In the terms of the Go memory model, the return from f synchronizes before
// the return of any call of Do.
type Once struct {
	_    noCopy
	done atomic.Bool
	m    Mutex
}

// Do calls f if Do has not been called before on o. It returns when f has
// returned, whichever call has called it; so f must not call Do of o. If f
// panics or calls runtime.Goexit it counts as having returned.
func (o *Once) Do(f func()) {
	if !o.done.Load() {
		o.doSlow(f)
	}
}

// doSlow sets done after f, since a caller that finds it set returns at once.
func (o *Once) doSlow(f func()) {
	o.m.Lock()
	defer o.m.Unlock()
	if !o.done.Load() {
		defer o.done.Store(true)
		f()
	}
}

// A call is a Once whose panics are repeated.
type call struct {
	once     Once
	returned bool
	panicked any
}

// do calls f if it is the first call on c. If f panics, every do panics.
func (c *call) do(f func()) {
	c.once.Do(func() {
		defer func() {
			if c.panicked = recover(); !c.returned {
				panic(c.panicked) // here, where the stack still has f
			}
		}()
		f()
		c.returned = true
	})
	if !c.returned {
		panic(c.panicked)
	}
}

// OnceFunc returns a function that calls f once. It may be called concurrently.
// If f panics, every call panics with the same value.
func OnceFunc(f func()) func() {
	var c struct { // one allocation
		call
		f func()
	}
	c.f = f
	return func() {
		c.do(func() { take(&c.f)() })
	}
}

// OnceValue returns a function that calls f once and returns what f returned.
// It may be called concurrently. If f panics, every call panics with the same
// value.
func OnceValue[T any](f func() T) func() T {
	var c struct {
		call
		f func() T
		v T
	}
	c.f = f
	return func() T {
		c.do(func() { c.v = take(&c.f)() })
		return c.v
	}
}

// OnceValues returns a function that calls f once and returns what f returned.
// It may be called concurrently. If f panics, every call panics with the same
// value.
func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) {
	var c struct {
		call
		f  func() (T1, T2)
		v1 T1
		v2 T2
	}
	c.f = f
	return func() (T1, T2) {
		c.do(func() { c.v1, c.v2 = take(&c.f)() })
		return c.v1, c.v2
	}
}

// take returns *f, and clears it, so that what f refers to does not live on.
func take[F any](f *F) F {
	var none, taken F
	taken, *f = *f, none
	return taken
}
