// Package trace reports the waits of all packages to three listeners: the trace
// and profile functions of threads, which package osthread keeps; an execution
// trace (runtime/trace); and the profile of waits, for those that are no
// lock's (internal/waitprof).
package trace

import (
	rtrace "runtime/trace"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/waitprof"
)

// Hooks are the functions that package osthread registers.
type Hooks struct {
	// Blocked is called before the caller sleeps on obj. The function that it
	// returns is called when the caller goes on.
	Blocked func(obj any) (resume func())
	// Released is called after the caller has woken a waiter for obj.
	Released func(obj any)
	// Name returns the name of the calling thread, "" if it has none.
	Name func() string
	// Holder returns the serial of the thread that holds obj, 0 if there is
	// none or it is not known.
	Holder func(obj any) (serial uint64)
	// Record sets the function of the recorder; see the function Record.
	Record func(f any)
}

var (
	hooks   Hooks
	enabled atomic.Int32
)

// Register sets the hooks. It is called once, before the first Add.
func Register(h Hooks) { hooks = h }

// Add adds n to the number of trace and profile functions of live threads.
func Add(n int32) {
	park.Traced.Add(n)
	enabled.Add(n)
}

// Record sets the function that gets the events of all threads beside their
// trace functions, a func(e osthread.TraceEvent, at int64), which may be nil.
// at is when the event was, by futex.Now.
func Record(f any) { hooks.Record(f) }

// Holder returns the serial of the thread that holds obj, 0 if there is none or
// it is not known.
func Holder(obj any) (serial uint64) { return hooks.Holder(obj) }

// profiled is set in enabled while there is a profile of waits.
const profiled = 1 << 30

// SetProfileRate turns the profile of waits on, or off if rate <= 0; see
// waitprof.SetRate.
func SetProfileRate(rate int64) {
	waitprof.SetRate(rate)
	if rate > 0 {
		enabled.Or(profiled)
	} else {
		enabled.And(^profiled)
	}
}

// Enabled reports whether anybody listens to waits. It is two loads.
func Enabled() bool { return enabled.Load() != 0 || rtrace.IsEnabled() }

// LocksEnabled is Enabled for waits for locks and semaphores.
func LocksEnabled() bool { return Hooked() || rtrace.IsEnabled() }

// Hooked reports whether there are trace and profile functions of live threads.
func Hooked() bool { return enabled.Load()&^profiled != 0 }

// Released reports that the caller has woken a waiter for obj.
func Released(obj any) {
	if Hooked() {
		hooks.Released(obj)
	}
}

// A Span is a wait between its two events. The caller is in no queue at either.
type Span struct {
	resume func()
	region region
	obj    any   // of a wait in the profile
	began  int64 // 0: it is in none
}

// Block begins a wait for obj. The caller defers Resume, so that a trace
// function that ends the goroutine, which it must not, does no harm.
func Block(obj any) Span {
	s := BlockLock(obj)
	if enabled.Load()&profiled != 0 {
		s.obj, s.began = obj, futex.Now()
	}
	return s
}

// BlockLock is Block for a lock or a semaphore.
func BlockLock(obj any) (s Span) {
	if Hooked() {
		s.resume = hooks.Blocked(obj)
	}
	if rtrace.IsEnabled() {
		s.region = begin(noTask, "wait for "+TypeOf(obj))
	}
	return s
}

// Resume ends the wait. If a trace function ends the goroutine although got is
// true, undo, if not nil, gives back what the wait has got.
func (s Span) Resume(got bool, undo func()) {
	s.region.end()
	if s.began != 0 {
		waitprof.Add(TypeOf(s.obj), time.Duration(futex.Now()-s.began))
	}
	if s.resume == nil {
		return
	}
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
