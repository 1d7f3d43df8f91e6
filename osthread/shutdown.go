package osthread

import (
	"cmp"
	"context"
	"slices"
	"time"

	"example.com/thread/internal/firstthread"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
	"example.com/thread/osthread/internal/protect"
)

// A process ends in the order of Python's: the functions of AtShutdown, last
// registered first; the wait for all threads that are not daemons, including
// those that start meanwhile; the functions of AtExit, last registered first.
// Exit functions may start threads: then the wait begins again. One critical
// section of the registry's lock establishes that no thread can start and none
// is left to wait for.

var exits struct {
	begun      bool // under registry.mu, as the others
	atShutdown []func()
	atExit     []func()
	holds      map[*Thread]bool // of holdExit
}

func init() { wait.HoldExit = holdExit }

// holdExit makes Shutdown wait for thread, a *Thread, until release is called,
// once, even if thread has ended by then.
func holdExit(thread any) (release func()) {
	t := thread.(*Thread)
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if exits.holds == nil {
		exits.holds = map[*Thread]bool{}
	}
	exits.holds[t] = true
	return func() {
		registry.mu.Lock()
		defer registry.mu.Unlock()
		delete(exits.holds, t)
		registry.changed.NotifyAll()
	}
}

// heldUp reports whether Shutdown, called on caller, has to wait for a hold.
// The caller has registry.mu.
func heldUp(caller *Thread) bool {
	for t := range exits.holds {
		if t != caller && t.leaving.Load() == 0 {
			return true
		}
	}
	return false
}

// AtShutdown registers f to be called by Shutdown before it waits for threads,
// the function registered last first: to make threads end (Python:
// threading._register_atexit). It returns ErrShutdown once Shutdown has begun.
func AtShutdown(f func()) error { return addExit(&exits.atShutdown, f, &exits.begun) }

// AtExit registers f to be called by Shutdown after it has waited for threads,
// the function registered last first (Python: atexit). It returns ErrShutdown
// once Shutdown is over.
func AtExit(f func()) error { return addExit(&exits.atExit, f, &registry.closed) }

func addExit(list *[]func(), f func(), over *bool) error {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if *over {
		return ErrShutdown
	}
	*list = append(*list, f)
	return nil
}

// Shutdown ends what this package has begun. It calls the functions of
// AtShutdown, waits for every thread except daemons, dummies, the main thread
// and the caller, including threads that start meanwhile, and calls the
// functions of AtExit. If ctx ends first it returns the threads it still waits
// for, and ctx's cause; it may then be called again. Afterwards Start returns
// ErrShutdown, and a further Shutdown returns at once.
//
// A panic in one of the functions is reported, and the others are still called.
// The same holds for runtime.Goexit, in a function or in the hook that gets its
// panic: it ends the calling goroutine when Shutdown is over.
//
// On the first thread of a program with package mainthread, Shutdown runs what
// is asked for with mainthread.Do while it waits.
func Shutdown(ctx context.Context) (running []*Thread, err error) {
	l, canceled := park.Until(ctx) // not later: ctx may use this package itself
	left, inTime := shutdown(l, Current())
	if !inTime {
		return left, cmp.Or(canceled, l.Err(nil))
	}
	return nil, nil
}

// shutdown is Shutdown until l ends. It starts again if something that it calls
// ends its goroutine.
func shutdown(l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	again := func() { shutdown(l, caller) }
	protect.OnGoexit(again, func() { beginShutdown(caller) })
	// Two threads that call Shutdown do not wait for each other.
	caller.leaving.Add(1)
	defer caller.leaving.Add(-1)
	registry.mu.Lock()
	registry.changed.NotifyAll()
	registry.mu.Unlock()
	for {
		protect.OnGoexit(again, func() { left, inTime = awaitThreadsOnFirst(l, caller) })
		if !inTime {
			return left, false
		}
		protect.OnGoexit(again, func() { callLastFirst(caller, &exits.atExit) })
		if closeRegistry(caller) {
			return nil, true
		}
	}
}

// counts reports whether Shutdown, called on caller, waits for t.
func counts(t, caller *Thread) bool {
	return t.origin == created && t != caller && !t.Daemon() && t.leaving.Load() == 0
}

// beginShutdown calls the functions of AtShutdown, as caller.
func beginShutdown(caller *Thread) {
	registry.mu.Lock()
	exits.begun = true
	registry.mu.Unlock()
	callLastFirst(caller, &exits.atShutdown)
}

// counting returns the live threads that count. The caller has registry.mu.
func counting(caller *Thread) (left []*Thread) {
	for t := range registry.alive {
		if counts(t, caller) {
			left = append(left, t)
		}
	}
	slices.SortFunc(left, func(a, b *Thread) int { return cmp.Compare(a.seq, b.seq) })
	return left
}

// awaitThreadsOnFirst is awaitThreads, which on the first thread runs what
// other threads ask for there, since they might not end otherwise.
func awaitThreadsOnFirst(l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	await := func() { left, inTime = awaitThreads(l, caller) }
	if firstthread.Serve == nil || !firstthread.Serve(await) {
		await()
	}
	return left, inTime
}

// awaitThreads waits until no thread that counts and no hold is left, and the
// threads that counted are gone. If l ends first it returns those left.
func awaitThreads(l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	seen := map[*Thread]bool{}
	registry.mu.Lock()
	for left = counting(caller); len(left) > 0 || heldUp(caller); left = counting(caller) {
		for _, t := range left {
			seen[t] = true
		}
		if check := slice(l); registry.changed.wait("Wait", &check) {
			continue
		}
		if l.Expired() {
			left = counting(caller)
			registry.mu.Unlock()
			return left, false
		}
		registry.mu.Unlock()
		for _, t := range left {
			t.endIfGone()
		}
		registry.mu.Lock()
	}
	registry.mu.Unlock()
	for t := range seen {
		if t.leaving.Load() > 0 {
			continue
		}
		// The result is not of interest here, and a thread that failed to start
		// has none. A Cancel must not end this: err would be dropped, and the
		// thread is about to be gone.
		if err := t.join(l.Unasked()); err != nil && l.Expired() && !isGone(t) {
			left = append(left, t)
		}
	}
	return left, len(left) == 0
}

// lostCheck is how often Shutdown asks whether the threads that it waits for
// exist: C code may have ended one by a system call, which runs nothing on it.
const lostCheck = time.Second

// slice returns l, but at most lostCheck. A bubble of testing/synctest, where
// the clock is before 0, would go through its hours in no time.
func slice(l park.Limit) park.Limit {
	if futex.Now() < 0 {
		return l
	}
	return l.AtMost(lostCheck)
}

// isGone reports whether the system thread of t, which has started, is gone.
func isGone(t *Thread) bool {
	th, err := t.OSThread()
	return err != nil || th.JoinTimeout(0) != ErrTimeout
}

// callLastFirst takes the functions out of list, which is under registry.mu,
// and calls them, last first.
func callLastFirst(caller *Thread, list *[]func()) {
	for {
		registry.mu.Lock()
		last := len(*list) - 1
		if last < 0 {
			registry.mu.Unlock()
			return
		}
		f := (*list)[last]
		*list = (*list)[:last]
		registry.mu.Unlock()
		protect.OnGoexit(func() { callLastFirst(caller, list) }, func() { caller.callReported(f) })
	}
}

// callReported calls f and reports its panic as t's.
func (t *Thread) callReported(f func()) {
	if p, ok := protect.Run(func() error { f(); return nil }).(*PanicError); ok {
		t.report(p)
	}
}

// closeRegistry makes further starts fail if nothing is left to wait for, and
// reports whether it did.
func closeRegistry(caller *Thread) bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	registry.closed = len(counting(caller)) == 0 && !heldUp(caller) && len(exits.atExit) == 0
	return registry.closed
}
