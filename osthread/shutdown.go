package osthread

import (
	"cmp"
	"context"
	"slices"

	"example.com/thread/internal/firstthread"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
	"example.com/thread/osthread/internal/protect"
)

// The end of a process is Python's, in this order: what AtShutdown was given,
// the last first; the wait for all threads that are no daemons, also those that
// start meanwhile; what AtExit was given, the last first. Exit functions may
// start threads: then the wait begins again. The step after which no thread can
// start, and none that counts is there, is one under the registry's lock.

var exits struct {
	begun      bool // under registry.mu, as the others
	atShutdown []func()
	atExit     []func()
	holds      map[*Thread]bool // of holdExit
}

func init() { wait.HoldExit = holdExit }

// holdExit makes Shutdown wait for thread, a *Thread, until the function that
// it returns is called, once, even if thread is gone by then.
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

// heldUp reports whether Shutdown, called on caller, waits for a hold. The
// caller has registry.mu.
func heldUp(caller *Thread) bool {
	for t := range exits.holds {
		if t != caller && t.leaving.Load() == 0 {
			return true
		}
	}
	return false
}

// AtShutdown makes Shutdown call f before it waits for threads, the function
// given last first: to tell them to end (Python: threading._register_atexit).
// It returns ErrShutdown once Shutdown has begun.
func AtShutdown(f func()) error { return addExit(&exits.atShutdown, f, &exits.begun) }

// AtExit makes Shutdown call f after it has waited for threads, the function
// given last first (Python: atexit). It returns ErrShutdown once Shutdown is
// over.
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

// Shutdown ends what this package has begun: it calls the functions of
// AtShutdown, waits for every thread but daemons, dummies, the main thread and
// the caller, also for those that start meanwhile, and calls the functions of
// AtExit. If ctx ends first it returns the threads it still waits for, and
// ctx's cause; it may then be called again. Afterwards Start returns
// ErrShutdown, and a further call returns at once.
//
// A panic in one of the functions is reported and does not keep the others from
// running. Nor does runtime.Goexit, in one or in the hook that the panic is
// reported to: it ends the calling goroutine once Shutdown is over.
//
// On the first thread of a program with package mainthread, Shutdown calls what
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

// counting returns those of the living that count. The caller has registry.mu.
func counting(caller *Thread) (left []*Thread) {
	for t := range registry.alive {
		if counts(t, caller) {
			left = append(left, t)
		}
	}
	slices.SortFunc(left, func(a, b *Thread) int { return cmp.Compare(a.seq, b.seq) })
	return left
}

// awaitThreadsOnFirst is awaitThreads, which on the first thread calls what
// other threads ask for there: they might not end before.
func awaitThreadsOnFirst(l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	await := func() { left, inTime = awaitThreads(l, caller) }
	if firstthread.Serve == nil || !firstthread.Serve(await) {
		await()
	}
	return left, inTime
}

// awaitThreads waits until there is no thread left that counts, nor a hold, and
// those that there were are gone. If l ends first it returns those left.
func awaitThreads(l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	seen := map[*Thread]bool{}
	registry.mu.Lock()
	for left = counting(caller); len(left) > 0 || heldUp(caller); left = counting(caller) {
		for _, t := range left {
			seen[t] = true
		}
		if !registry.changed.wait("Wait", l) {
			left = counting(caller)
			registry.mu.Unlock()
			return left, false
		}
	}
	registry.mu.Unlock()
	for t := range seen {
		if t.leaving.Load() > 0 {
			continue
		}
		// How it ended is not Shutdown's business, and one whose start failed
		// has no end.
		if err := t.join(l); err != nil && l.Expired() && !isGone(t) {
			left = append(left, t)
		}
	}
	return left, len(left) == 0
}

// isGone reports whether the system's thread of t, which has started, has
// ended.
func isGone(t *Thread) bool {
	th, err := t.OSThread()
	return err != nil || th.JoinTimeout(0) != ErrTimeout
}

// callLastFirst takes the functions out of list, which is under registry.mu,
// and calls them.
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

// callReported calls f, and reports its panic as t's.
func (t *Thread) callReported(f func()) {
	if p, ok := protect.Run(func() error { f(); return nil }).(*PanicError); ok {
		t.report(p)
	}
}

// closeRegistry ends the time in which threads may start, if there is nothing
// left to wait for.
func closeRegistry(caller *Thread) bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	registry.closed = len(counting(caller)) == 0 && !heldUp(caller) && len(exits.atExit) == 0
	return registry.closed
}
