package osthread

import (
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
)

// Each thread has its trace and profile functions and calls them itself.
// trace.Add counts the functions that are set on live threads, so that paths
// that sleep or wake check one word; paths that do neither check nothing.

// An Action is the kind of a TraceEvent.
type Action uint8

const (
	TraceStart   Action = iota // the thread begins, before its function
	TraceEnd                   // the thread ends, after its function
	TracePanic                 // its function has panicked; TraceEnd follows
	TraceBlock                 // it is about to sleep on Object
	TraceResume                // it has slept on Object, for Waited, and continues
	TraceRelease               // it has woken waiters for Object, or granted it to them
)

func (a Action) String() string {
	names := [...]string{"start", "end", "panic", "block", "resume", "release"}
	if int(a) >= len(names) {
		return "unknown"
	}
	return names[a]
}

// A TraceEvent describes to a trace or profile function what a thread does.
type TraceEvent struct {
	Action Action
	Thread *Thread
	// Object is a *Lock, *RLock, *RWLock, *Condition, *Event, *Semaphore,
	// *Barrier or *Thread; a []Waitable for WaitAny and WaitAll; a
	// *queue.Queue, *executor.Future, slice of futures, *executor.Worker, or
	// "main thread" for package mainthread; nil for start, end and panic. It
	// may be printed, with %v or %+v, while others use it.
	Object any
	Waited time.Duration // of TraceResume; of TraceRelease how long the wakeups took to send
	// Waker is, of TraceResume, the thread that has ended the wait, and Latency
	// how long before the event that has sent the wakeup. Waker is nil if an
	// ordinary goroutine has, and if nobody is known to have: the wait ended by
	// its deadline or context, or without a sleep. In the latter cases Latency
	// is 0.
	Waker   *Thread
	Latency time.Duration

	at int64 // when, by futex.Now, which Waited and Latency end at; 0: now
}

// A hook holds a function, or none.
type hook struct {
	f atomic.Pointer[func(TraceEvent)]
}

func (h *hook) get() func(TraceEvent) {
	if p := h.f.Load(); p != nil {
		return *p
	}
	return nil
}

// set sets f and returns the change of the number of functions that are set.
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

var (
	traceNew, profileNew hook // for threads to come
	traceAll             atomic.Pointer[recordFunc]
)

// A recordFunc gets the events of all threads, beside their own functions, and
// when each was, by futex.Now. It is package timeline's.
type recordFunc = func(e TraceEvent, at int64)

func init() {
	park.SetHere(partyHere)
	trace.Register(trace.Hooks{
		Blocked: blocked, Released: released, Name: nameHere, Holder: holderSerial,
		Record: func(f any) { record(f.(recordFunc)) },
	})
}

// record sets the recordFunc; nil stands for none.
func record(f recordFunc) {
	p := &f
	if f == nil {
		p = nil
	}
	old := traceAll.Swap(p)
	switch {
	case old == nil && p != nil:
		trace.Add(1)
	case old != nil && p == nil:
		trace.Add(-1)
	}
}

// SetTrace sets the function that gets every event of threads that start from
// now on; nil stands for none. f runs on the thread of the event, before that
// continues. What f does itself is not traced. A panic of f is reported and has
// no other effect; f must not call runtime.Goexit or thread.Exit.
func SetTrace(f func(TraceEvent)) { traceNew.set(f) }

// Trace returns what SetTrace or SetTraceAll has set, nil for nothing.
func Trace() func(TraceEvent) { return traceNew.get() }

// SetProfile is SetTrace for TraceStart, TraceEnd and TraceResume alone. A
// thread may have both functions.
func SetProfile(f func(TraceEvent)) { profileNew.set(f) }

// Profile returns what SetProfile or SetProfileAll has set, nil for nothing.
func Profile() func(TraceEvent) { return profileNew.get() }

// SetTraceAll is SetTrace, and sets f for every live thread as well, from its
// next event on.
func SetTraceAll(f func(TraceEvent)) {
	SetTrace(f)
	for t := range Threads() {
		t.SetTrace(f)
	}
}

// SetProfileAll is SetProfile, and sets f for every live thread as well.
func SetProfileAll(f func(TraceEvent)) {
	SetProfile(f)
	for t := range Threads() {
		t.SetProfile(f)
	}
}

// SetTrace sets the function that gets every event of t from now on; nil stands
// for none. Before Start it takes precedence over the function SetTrace.
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

// takeHooks sets the functions for new threads on t, which starts, where t has
// none of its own. It reads those under t's lock: a SetTraceAll that removes
// them either comes to t afterwards or has changed them before.
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

// emit calls t's functions with e. It is called on t.
func (t *Thread) emit(e TraceEvent) {
	if !trace.Hooked() || !t.inHook.CompareAndSwap(false, true) {
		return
	}
	defer t.inHook.Store(false)
	waits.Hidden(func() { t.emitHidden(e) }) // a wait in a function must not end in place of t's
}

func (t *Thread) emitHidden(e TraceEvent) {
	e.Thread = t
	if e.Action == TraceStart || e.Action == TraceEnd || e.Action == TraceResume {
		defer t.callHook(&t.profile, e) // even if the trace function panics or calls runtime.Goexit
	}
	defer t.callHook(&t.trace, e)
	if f := traceAll.Load(); f != nil {
		if e.at == 0 {
			e.at = futex.Now()
		}
		t.callReported(func() { (*f)(e, e.at) })
	}
}

func (t *Thread) callHook(h *hook, e TraceEvent) {
	if f := h.get(); f != nil {
		t.callReported(func() { f(e) })
	}
}

// nameHere returns the name of the calling thread, "" for an ordinary goroutine
// and for a thread that package osthread has not seen.
func nameHere() string {
	if t, ok := self.Get(); ok {
		return t.Name()
	}
	return ""
}

// partyHere returns what the calling thread is to others' wakeups. It locks
// nothing: Conditions are notified under the registry's lock.
func partyHere() *park.Party {
	t, ok := self.Get()
	if !ok {
		if thread.Self() != mainThread.ident || !park.Locked() {
			return nil
		}
		t = mainThread
	}
	return t.party()
}

// party returns t's Party, which the first call makes.
func (t *Thread) party() *park.Party {
	if p := t.wakes.Load(); p != nil {
		return p
	}
	t.wakes.CompareAndSwap(nil, &park.Party{Thread: t})
	return t.wakes.Load()
}

// blocked emits that the caller is about to sleep on obj, and returns the
// function to call when it continues.
func blocked(obj any) (resume func()) {
	t := known()
	if t == nil {
		return func() {}
	}
	t.emit(TraceEvent{Action: TraceBlock, Object: obj})
	t.party().TakeWaker() // of a wakeup that no event had
	t.party().TakeSends()
	began := futex.Now()
	return func() { t.resumed(obj, began) }
}

// resumed emits that t, which has blocked on obj, continues.
func (t *Thread) resumed(obj any, began int64) {
	now := futex.Now()
	e := TraceEvent{Action: TraceResume, Object: obj, Waited: time.Duration(now - began), at: now}
	if by, at, ok := t.party().TakeWaker(); ok {
		e.Latency = time.Duration(max(now-at, 1))
		if joined, ok := obj.(*Thread); by != nil {
			e.Waker = by.Thread.(*Thread)
		} else if ok && joined.hasEnded() { // and wakes without its Party
			e.Waker = joined
		}
	}
	t.emit(e)
}

// released emits that the caller has woken a waiter for obj.
func released(obj any) {
	t := known()
	if t == nil {
		return
	}
	e := TraceEvent{Action: TraceRelease, Object: obj, at: futex.Now()}
	if began, ok := t.party().TakeSends(); ok {
		e.Waited = time.Duration(e.at - began)
	}
	t.emit(e)
}

// holderSerial returns the serial of the thread that holds obj, 0 if it is not
// known: the owner of an RLock, and in watch mode the holder of a lock that
// excludes all others.
func holderSerial(obj any) uint64 {
	if r, ok := obj.(*RLock); ok {
		serial, _ := r.ownerSerial()
		return serial
	}
	if watch.On && ident.SerialInSlot {
		return ident.Serial(watch.Holder(obj))
	}
	return 0
}
