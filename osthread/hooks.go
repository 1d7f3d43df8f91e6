package osthread

import (
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/trace"
)

// Hooks are kept with each thread, and called by the thread itself. trace.Add
// counts the functions that are set on threads that live, so that one load
// tells the places that sleep and wake that there is nothing to do; paths that
// do neither do not look.

// An Action is what a TraceEvent tells of.
type Action uint8

const (
	TraceStart   Action = iota // the thread begins, before its function
	TraceEnd                   // the thread ends, after its function
	TracePanic                 // its function has panicked; TraceEnd follows
	TraceBlock                 // it is about to sleep on Object
	TraceResume                // it has slept on Object, for Waited, and goes on
	TraceRelease               // it has let somebody go who waited for Object: a lock, a semaphore, an event
)

func (a Action) String() string {
	names := [...]string{"start", "end", "panic", "block", "resume", "release"}
	if int(a) >= len(names) {
		return "unknown"
	}
	return names[a]
}

// A TraceEvent tells a trace or profile function what a thread does.
type TraceEvent struct {
	Action Action
	Thread *Thread
	// Object is a *Lock, *RLock, *RWLock, *Condition, *Event, *Semaphore,
	// *Barrier or *Thread; a []Waitable for WaitAny and WaitAll; a
	// *queue.Queue, *executor.Future, slice of futures, *executor.Worker, or
	// "main thread" for package mainthread; nil for start, end and panic. It
	// may be printed, with %v or %+v, while others use it.
	Object any
	Waited time.Duration // of TraceResume
}

// hook is a function that may be set and not.
type hook struct {
	f atomic.Pointer[func(TraceEvent)]
}

func (h *hook) get() func(TraceEvent) {
	if p := h.f.Load(); p != nil {
		return *p
	}
	return nil
}

// set sets f and returns by how much that changes the number of functions that
// are set.
func (h *hook) set(f func(TraceEvent)) (change int32) {
	p := &f
	if f == nil {
		p = nil
	}
	old := h.f.Swap(p)
	switch {
	case old == nil && p != nil:
		return 1
	case old != nil && p == nil:
		return -1
	default:
		return 0
	}
}

var traceNew, profileNew hook // for threads to come

func init() { trace.Register(trace.Hooks{Blocked: blocked, Released: released}) }

// SetTrace makes f get every event of threads that start from now on; nil:
// none. f runs on the thread that it is told of, before that goes on. What f
// does itself is not traced. A panic of f is reported and does no harm; f must
// not call runtime.Goexit or thread.Exit.
func SetTrace(f func(TraceEvent)) { traceNew.set(f) }

// Trace returns what SetTrace or SetTraceAll has set, nil for nothing.
func Trace() func(TraceEvent) { return traceNew.get() }

// SetProfile is SetTrace for TraceStart, TraceEnd and TraceResume alone. A
// thread may have both functions.
func SetProfile(f func(TraceEvent)) { profileNew.set(f) }

// Profile returns what SetProfile or SetProfileAll has set, nil for nothing.
func Profile() func(TraceEvent) { return profileNew.get() }

// SetTraceAll is SetTrace, and for every thread that is alive as well: it gets
// f with its next event.
func SetTraceAll(f func(TraceEvent)) {
	SetTrace(f)
	for t := range Threads() {
		t.SetTrace(f)
	}
}

// SetProfileAll is SetProfile, and for every thread that is alive as well.
func SetProfileAll(f func(TraceEvent)) {
	SetProfile(f)
	for t := range Threads() {
		t.SetProfile(f)
	}
}

// SetTrace makes f get every event of t from now on; nil: none. Before Start it
// goes before what the function SetTrace has set.
func (t *Thread) SetTrace(f func(TraceEvent)) { t.setHook(&t.trace, f) }

// SetProfile is SetTrace for TraceStart, TraceEnd and TraceResume alone.
func (t *Thread) SetProfile(f func(TraceEvent)) { t.setHook(&t.profile, f) }

func (t *Thread) setHook(h *hook, f func(TraceEvent)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change := h.set(f)
	if t.hooks {
		trace.Add(change)
	}
}

// takeHooks gives t, which starts, the functions for new threads, where it has
// none of its own. It asks for those under t's lock: a SetTraceAll that takes
// them back comes to t afterwards, or has done so before.
func (t *Thread) takeHooks() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hooks {
		return
	}
	t.hooks = true
	for h, general := range map[*hook]*hook{&t.trace: &traceNew, &t.profile: &profileNew} {
		f := h.get()
		if f == nil {
			f = general.get()
		}
		h.set(nil)
		trace.Add(h.set(f))
	}
}

// dropHooks is called when t has ended.
func (t *Thread) dropHooks() {
	t.mu.Lock()
	defer t.mu.Unlock()
	change := t.trace.set(nil) + t.profile.set(nil)
	if t.hooks {
		trace.Add(change)
	}
	t.hooks = false
}

// emit tells t's functions. It is called on t.
func (t *Thread) emit(e TraceEvent) {
	if !trace.Enabled() || !t.inHook.CompareAndSwap(false, true) {
		return
	}
	defer t.inHook.Store(false)
	e.Thread = t
	if e.Action == TraceStart || e.Action == TraceEnd || e.Action == TraceResume {
		defer t.callHook(&t.profile, e) // even if the trace function panics or calls runtime.Goexit
	}
	t.callHook(&t.trace, e)
}

func (t *Thread) callHook(h *hook, e TraceEvent) {
	if f := h.get(); f != nil {
		t.callReported(func() { f(e) })
	}
}

// blocked tells that the caller is about to sleep on obj, and returns the
// function to call when it goes on.
func blocked(obj any) (resume func()) {
	t := known()
	if t == nil {
		return func() {}
	}
	t.emit(TraceEvent{Action: TraceBlock, Object: obj})
	began := futex.Now()
	return func() {
		t.emit(TraceEvent{Action: TraceResume, Object: obj, Waited: time.Duration(futex.Now() - began)})
	}
}

// released tells that the caller has let somebody go who waited for obj.
func released(obj any) {
	if t := known(); t != nil {
		t.emit(TraceEvent{Action: TraceRelease, Object: obj})
	}
}
