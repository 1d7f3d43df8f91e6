package osthread

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/firstthread"
	"example.com/thread/osthread/internal/protect"
)

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
