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
// does at the end of a program. It is what main should consist of. Without it
// the process ends when main returns, whatever threads run. RunMain returns
// what f returned, a *PanicError, which has been reported, or ErrGoexit if f or
// an exit function called runtime.Goexit.
//
// While f runs Current returns Main. When f has ended, joins of Main return.
// RunMain does not run f and returns ErrStarted if it was called before, and
// ErrMainBusy if it cannot get the first thread within some seconds, because a
// goroutine is locked to it or it is in a long system call or in C code. After
// ErrMainBusy RunMain may be called again. As the first call in main it runs f
// at once.
//
// Package mainthread locks the main goroutine to the first thread. In a program
// with that package RunMain must be called on the main goroutine, and f may be
//
//	func() error { return mainthread.Run(app) }
//
// On another goroutine, as in app, RunMain returns ErrMainBusy at once. While
// Shutdown waits it runs what threads ask for with mainthread.Do.
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

// also returns err and second, joined in one line.
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

// Bounds of the search for the first thread: by goroutines that the caller
// yields to, by goroutines that hold one thread each, and by goroutines that
// move from thread to thread.
const (
	mostWays = 64
	mostHeld = 64
	mostTime = 2 * time.Second
)

// onFirstThread runs f on the process's first thread, in a new goroutine, which
// f may end by runtime.Goexit.
//
// The calling goroutine is on that thread if it is main and has not blocked
// yet. When it waits for a new goroutine, the thread runs that goroutine next,
// unless the caller is locked to the thread: then f has to run in the caller.
//
// Otherwise the first thread may be idle: the runtime gives it to the next
// goroutine that needs a thread, once the other idle threads are held. Or it
// runs other goroutines: then a goroutine that yields repeatedly gets onto it.
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

// runMain runs f as the main thread, on it. *end says how f ended, even if f,
// an exit function or a hook calls runtime.Goexit, and all other steps are
// still done.
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
	t.beginWaits()
	defer func() { *end = also(*end, thread.Detach()) }()
	defer self.Clear()
	defer func() { t.finish(*end) }()
	defer beginShutdown(t)
	t.runReported(f, end)
}
