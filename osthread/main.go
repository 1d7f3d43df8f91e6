package osthread

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"example.com/thread"
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
func AtShutdown(f func()) error {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if exits.begun {
		return ErrShutdown
	}
	exits.atShutdown = append(exits.atShutdown, f)
	return nil
}

// AtExit makes Shutdown call f after it has waited for threads, the function
// given last first (Python: atexit). It returns ErrShutdown once Shutdown is
// over.
func AtExit(f func()) error {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.closed {
		return ErrShutdown
	}
	exits.atExit = append(exits.atExit, f)
	return nil
}

// RunMain runs f on the process's first thread, and then Shutdown, as Python
// does at the end of a program. It is what main should consist of; without it
// Go's rule holds: the process ends when main returns, whatever threads run. It
// returns what f returned, a *PanicError, which has been reported, or ErrGoexit
// if f, or an exit function, called runtime.Goexit.
//
// While f runs Current is Main, and when f has ended those who joined Main go
// on. It does not run f and returns ErrStarted if it was called before, and
// ErrMainBusy if for some seconds the first thread is not to be had, because a
// goroutine is locked to it, or it is in a long system call or C code; then
// RunMain may be called again. If it is the first that main does, it runs at
// once.
//
// Package mainthread holds the main goroutine on the first thread: in a program
// with it RunMain must be called on the main goroutine, and f may be
//
//	func() error { return mainthread.Run(app) }
//
// Elsewhere, as in app, RunMain returns ErrMainBusy at once. While Shutdown
// waits it calls what threads ask for with mainthread.Do.
//
// Where f has to run on the calling goroutine, since that is locked to the
// first thread, a runtime.Goexit cannot be undone: RunMain then ends the
// process with status 2 after Shutdown, as Go ends one whose goroutines have
// all ended.
func RunMain(f func() error) (ended error) {
	registry.mu.Lock()
	ran := mainRan
	mainRan = true
	registry.mu.Unlock()
	if ran {
		return ErrStarted
	}
	busy := onFirstThread(func() {
		down := ErrGoexit // until Shutdown returns
		defer func() { ended = also(ended, down) }()
		defer func() { _, down = Shutdown(context.Background()) }() // even if f calls runtime.Goexit
		runMain(f, &ended)
	})
	if busy != nil {
		registry.mu.Lock()
		mainRan = false
		registry.mu.Unlock()
		return busy
	}
	return ended
}

// also returns err, and second with it, in one line.
func also(err, second error) error {
	switch {
	case second == nil, errors.Is(err, second):
		return err
	case err == nil:
		return second
	default:
		return fmt.Errorf("%w; %w", err, second)
	}
}

var mainRan bool // under registry.mu

// How long the first thread is looked for: by goroutines that the calling one
// makes way for, by others that hold one thread each, and by others that go
// from thread to thread.
const (
	mostWays = 8
	mostHeld = 64
	mostTime = 2 * time.Second
)

// onFirstThread runs f on the process's first thread, in a goroutine of its
// own, which f may end by runtime.Goexit.
//
// The calling goroutine is there already if it is main and has not waited for
// anything yet. When it waits for one that it has made the thread runs that
// next, unless the caller is locked to the thread: then f has to run in the
// caller.
//
// Else the first thread may be idle: then the runtime gives it to the next
// goroutine that has none, once the other idle ones are held. Or it runs other
// goroutines: then one that yields again and again comes by.
func onFirstThread(f func()) error {
	var claimed atomic.Bool
	done := make(chan struct{})
	run := func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if thread.Self() == mainThread.ident && claimed.CompareAndSwap(false, true) {
			defer close(done)
			f()
		}
	}
	held := firstthread.Serve != nil
	for range mostWays {
		if held || thread.Self() != mainThread.ident {
			break
		}
		tried := make(chan struct{})
		go func() {
			defer close(tried)
			run()
		}()
		<-tried
		if claimed.Load() {
			return nil
		}
	}
	protect.OnGoexit(func() {
		fmt.Fprintln(os.Stderr, "osthread: RunMain:", ErrGoexit)
		os.Exit(2)
	}, run)
	switch {
	case claimed.Load():
		return nil
	case held:
		return ErrMainBusy
	}
	hold, tried := make(chan struct{}), make(chan struct{})
	defer close(hold)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !claimed.Load() {
				if thread.Self() == mainThread.ident {
					run()
				}
				runtime.Gosched()
			}
		}()
	}
	for held := 0; held < mostHeld && !claimed.Load(); held++ {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			tried <- struct{}{}
			if run(); !claimed.Load() {
				<-hold
			}
		}()
		<-tried
	}
	late := time.NewTimer(mostTime)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-late.C:
		if claimed.CompareAndSwap(false, true) {
			return ErrMainBusy
		}
		<-done
		return nil
	}
}

// runMain runs f as the main thread, on it. How that ended is in end even if f,
// an exit function or a hook calls runtime.Goexit, and the rest is done.
func runMain(f func() error, end *error) {
	th, err := thread.Attach()
	if err != nil {
		*end = err
		return
	}
	t := mainThread
	_ = self.Set(t) // it fails only where there is no thread
	t.mu.Lock()
	t.osThread = th
	t.mu.Unlock()
	t.takeHooks()
	defer func() { *end = also(*end, thread.Detach()) }()
	defer self.Clear()
	defer func() { t.finish(*end) }()
	defer beginShutdown(t)
	t.runReported(f, end)
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
	l, canceled := park.Until(ctx) // no later: ctx may use this package itself
	// What waits below asks this one, which is the standard library's.
	own, cancel := context.WithCancel(context.Background())
	defer cancel()
	if canceled != nil {
		cancel()
	} else {
		defer l.AfterDone(cancel)()
	}
	left, inTime := shutdown(own, l, Current())
	if !inTime {
		return left, cmp.Or(canceled, l.Err(nil))
	}
	return nil, nil
}

// shutdown is Shutdown until ctx, which is the standard library's and l's, is
// done. It begins again if something that it calls ends its goroutine.
func shutdown(ctx context.Context, l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	again := func() { shutdown(ctx, l, caller) }
	protect.OnGoexit(again, func() { beginShutdown(caller) })
	// Two threads that call Shutdown do not wait for each other.
	caller.leaving.Add(1)
	defer caller.leaving.Add(-1)
	registry.mu.Lock()
	registry.changed.NotifyAll()
	registry.mu.Unlock()
	for {
		protect.OnGoexit(again, func() { left, inTime = awaitThreadsOnFirst(ctx, l, caller) })
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
func awaitThreadsOnFirst(ctx context.Context, l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
	await := func() { left, inTime = awaitThreads(ctx, l, caller) }
	if firstthread.Serve == nil || !firstthread.Serve(await) {
		await()
	}
	return left, inTime
}

// awaitThreads waits until there is no thread left that counts, nor a hold, and
// those that there were are gone. If l, which is ctx's, ends first it returns
// those left.
func awaitThreads(ctx context.Context, l park.Limit, caller *Thread) (left []*Thread, inTime bool) {
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
		if err := t.JoinContext(ctx); err != nil && ctx.Err() != nil && !isGone(t) {
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
