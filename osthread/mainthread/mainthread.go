// Package mainthread calls functions on the process's first thread, from
// anywhere. Cocoa, OpenGL window libraries and some other C libraries require
// that thread.
//
//	func main() {
//		mainthread.Run(app) // app runs on another goroutine and calls Do when it needs the first thread
//	}
//
//	func app() {
//		err := mainthread.Do(func() error { return window.Open() })
//		...
//	}
//
// A library with an event loop of its own runs the loop in place of [Run]. The
// loop calls [Poll] or [Wait], and [OnPost] helps to wake it.
//
// This package locks the main goroutine to the first thread when the program
// begins, with cgo and without, on all platforms. On systems where the first
// thread has no special role it is one thread that does not change. The package
// is not for Go libraries in C programs: there the first thread is the
// program's, and no function would ever be called.
//
// Since the main goroutine is locked, Go ends the process when next or stop of
// an iter.Pull that main called is called in another goroutine, and when main,
// or a function that [Do] calls, calls those of an iter.Pull made elsewhere.
// Pull the values on one side and pass them to the other.
package mainthread

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/fault"
	"example.com/thread/internal/firstthread"
	"example.com/thread/internal/park"
	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/inbox"
	"example.com/thread/osthread/internal/protect"
)

// internal/inbox hands functions to the first thread and their results back.
// The first thread lives as long as the process, and its goroutine never leaves
// it, so no other thread has its ident.
var (
	box   = inbox.Box{Busy: ErrBusy, Running: ErrRunning}
	first thread.Ident
	run   atomic.Bool
)

func init() {
	runtime.LockOSThread() // package initialization runs on the main goroutine, and that on the first thread
	first = thread.Self()
	firstthread.Serve = serve
}

var (
	// ErrBusy says that the first thread is not waiting for work.
	ErrBusy = errors.New("mainthread: main thread busy")
	// ErrRunning comes with the error of a call whose caller gave up while its
	// function ran. The function continues, and its result is lost.
	ErrRunning = errors.New("function still running")
	// ErrNotOwner says that the caller is not on the first thread. It is
	// osthread.ErrNotOwner.
	ErrNotOwner = fault.New("mainthread: caller not on the first thread", osthread.ErrNotOwner)
	// ErrStarted says that Run is running already. It is osthread.ErrStarted.
	ErrStarted = fault.New("mainthread: Run already running", osthread.ErrStarted)
)

// Is reports whether the caller is locked to the first thread.
func Is() bool { return thread.Self() == first }

// Run is for the main goroutine. It calls f in a new goroutine, calls the
// functions of Do and its variants meanwhile, and returns when f has ended and
// all functions added before have been called. It returns nil; the *PanicError
// of f, which has been reported like that of a thread's function (see
// osthread.SetPanicHook); ErrGoexit if f called runtime.Goexit. On any other
// thread than the first it returns ErrNotOwner, and below another Run
// ErrStarted, and f is not called. If a function of Do calls runtime.Goexit it
// ends the main goroutine, and Run does not return.
//
// Functions added later wait for another Run, Poll or Wait, possibly forever.
// To serve threads that outlive f until they end, call Run in osthread.RunMain
// on the main goroutine, or osthread.Shutdown there after Run:
//
//	func main() { err := osthread.RunMain(func() error { return mainthread.Run(app) }) }
func Run(f func()) error {
	if !Is() {
		return ErrNotOwner
	}
	if !run.CompareAndSwap(false, true) {
		return ErrStarted
	}
	defer run.Store(false)
	ended := osthread.ErrGoexit
	over := false // used by the first thread only
	go func() {
		defer func() {
			// It is the last in the queue, after all that f added.
			_ = box.Post(func() { over = true }) // the box is never closed
		}()
		ended = protect.Run(func() error { f(); return nil })
		if p, ok := ended.(*osthread.PanicError); ok {
			osthread.ReportPanic(p)
		}
	}()
	for !over {
		box.Next(park.Forever()).Run()
	}
	return ended
}

// serve is firstthread.Serve.
func serve(f func()) bool {
	if !Is() {
		return false
	}
	over := false
	go func() {
		defer func() { _ = box.Post(func() { over = true }) }() // the box is never closed
		f()
	}()
	for !over {
		box.Next(park.Forever()).Run()
	}
	return true
}

// Do calls f on the first thread, after the functions added before, and returns
// what f returned, or a *PanicError if it panicked. It waits for Run, Poll or
// Wait if necessary, or for osthread.Shutdown on the first thread. On the first
// thread it calls f at once, so code there may call Do.
func Do(f func() error) error { return do(f, park.Unlimited()) }

// TryDo is Do that does nothing and returns ErrBusy unless the first thread is
// waiting for work, in Run or Wait.
func TryDo(f func() error) error {
	if Is() {
		return protect.Run(f)
	}
	return box.DoIfIdle(f, "main thread")
}

// DoTimeout is Do for at most d; past that it returns an error that is
// ErrTimeout. If f has begun by then the error is ErrRunning too: f continues,
// and may still use what it shares with the caller. With d <= 0 it is TryDo,
// which waits for f without a limit once f has begun. On the first thread d is
// ignored.
func DoTimeout(f func() error, d time.Duration) error {
	if d <= 0 {
		return TryDo(f)
	}
	return do(f, park.For(d))
}

// DoContext is DoTimeout until ctx is done, with ctx's cause in place of
// ErrTimeout.
func DoContext(ctx context.Context, f func() error) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return do(f, l)
}

// Go makes the first thread call f, after the functions added before, and does
// not wait for it, even on the first thread. A panic of f is reported like that
// of a thread's function.
func Go(f func()) {
	_ = box.Post(f) // the box is never closed
}

// Poll calls as many functions as are waiting when it begins, in order, and
// returns how many it called: fewer if callers have given up, or if one of the
// functions polled, too. It is for the event loop of a library on the first
// thread; elsewhere it returns ErrNotOwner. It does not sleep.
func Poll() (int, error) {
	if !Is() {
		return 0, ErrNotOwner
	}
	n := 0
	for most := box.Len(); n < most; n++ {
		c := box.TryNext()
		if c == nil { // called below another function that polls
			break
		}
		c.Run()
	}
	return n, nil
}

// Wait is Poll that sleeps until there is a function to call.
func Wait() (int, error) { return await(park.Unlimited()) }

// WaitTimeout is Wait for at most d.
func WaitTimeout(d time.Duration) (int, error) {
	if d <= 0 {
		return Poll()
	}
	return await(park.For(d))
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause.
func WaitContext(ctx context.Context) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	n, err := await(l)
	if n == 0 && err == nil && l.Canceled() {
		err = l.Err(nil)
	}
	return n, err
}

// OnPost makes f be called for each function that is added, by the caller that
// adds it, on any thread; nil stands for none. It is for waking a library's
// event loop, as glfwPostEmptyEvent does, so that it calls Poll.
func OnPost(f func()) { box.OnPost(f) }

// RunTests is for TestMain: it runs m in a new goroutine while it serves the
// first thread, so that tests may use that, and returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(mainthread.RunTests(m)) }
func RunTests(m interface{ Run() int }) (code int) {
	code = 2 // until the tests have ended
	if err := Run(func() { code = m.Run() }); err != nil {
		return 2
	}
	return code
}

func do(f func() error, l park.Limit) error {
	if Is() {
		return protect.Run(f)
	}
	return box.Do(f, l, "main thread")
}

func await(l park.Limit) (int, error) {
	if !Is() {
		return 0, ErrNotOwner
	}
	box.Await(l)
	n, err := Poll()
	if n == 0 && err == nil && l.Asked() {
		err = l.Err(nil)
	}
	return n, err
}
