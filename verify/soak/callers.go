package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

// A caller is a kind of goroutine or thread. run has it run w.work, waits until
// it has ended, and checks its result.
type caller struct {
	name       string
	run        func(w *worker) error
	cancelable bool
	unwinds    bool // a panic of a canceled wait becomes its result
}

var callers = append([]caller{
	{name: "goroutine", run: onGoroutine},
	{name: "locked goroutine", run: onLocked},
	{name: "goroutine that takes its thread along", run: onLockedForGood},
	{name: "native thread", run: onNative, cancelable: true, unwinds: true},
	{name: "pinned thread", run: onPinned, cancelable: true, unwinds: true},
	{name: "attached thread", run: onAttached, cancelable: true},
	{name: "thread of thread.Start", run: onBare},
	{name: "thread of a Worker", run: onWorker},
	{name: "thread of a pool", run: onPool},
}, systemCallers...)

func onGoroutine(w *worker) error {
	w.work()
	return nil
}

func onLocked(w *worker) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w.work()
	return nil
}

func onLockedForGood(w *worker) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		w.work()
	}()
	<-done
	return nil
}

func onNative(w *worker) error { return w.start(w.attr()) }

func onPinned(w *worker) error { return w.start(&osthread.Attr{Name: w.use.name, Pinned: true}) }

// attr returns attributes at random, of those that the system has.
func (w *worker) attr() *osthread.Attr {
	switch w.rnd.IntN(3) {
	case 0:
		return nil
	case 1:
		a := &osthread.Attr{StackSize: (64 + w.rnd.IntN(1024)) << 10}
		if a.Check() == nil { // not where all threads are pinned
			return a
		}
	}
	return &osthread.Attr{Name: w.use.name, Daemon: w.rnd.IntN(2) == 0}
}

// start runs w.work on a thread, and checks what Join returns.
func (w *worker) start(a *osthread.Attr) error {
	result := fmt.Errorf("result %d", w.rnd.Int())
	joiner := &worker{round: w.round, rnd: newRand(w.rnd)} // the thread has w
	t, err := osthread.Start(func() error {
		w.work()
		return result
	}, a)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	err = joiner.join(t)
	if w.unwinds && w.noticed > 0 {
		if c := new(osthread.CanceledError); !errors.As(err, &c) && !errors.Is(err, errCause) &&
			!errors.Is(err, result) { // a call that returned the cause does not unwind
			return fmt.Errorf("the result of a canceled thread is %w", err)
		}
		return nil
	}
	if !errors.Is(err, result) {
		return fmt.Errorf("the thread's result is %w, want %w", err, result)
	}
	return nil
}

// join joins t in one of the shapes, until it has ended.
func (w *worker) join(t *osthread.Thread) (err error) {
	for {
		switch w.rnd.IntN(4) {
		case 0:
			return t.Join()
		case 1:
			err = t.JoinTimeout(time.Duration(w.rnd.IntN(20)) * time.Millisecond)
		case 2:
			ctx, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, errGaveUp)
			err = t.JoinContext(ctx)
			cancel()
		case 3:
			osthread.WaitAny(t)
			err = t.TryJoin()
		}
		if !errors.Is(err, osthread.ErrTimeout) && !errors.Is(err, errGaveUp) {
			return err
		}
	}
}

func onAttached(w *worker) error {
	if _, err := thread.Attach(); err != nil {
		return err
	}
	w.work()
	return thread.Detach()
}

func onBare(w *worker) error {
	t, err := thread.Start(w.work, &thread.Attr{Name: strings.Repeat("n", w.rnd.IntN(20))})
	if err != nil {
		return err
	}
	return t.Join()
}

func onWorker(w *worker) error {
	on, err := executor.NewWorker(nil)
	if err != nil {
		return err
	}
	call := on.Call(func() error { w.work(); return nil })
	return errors.Join(call, on.Shutdown(context.Background()))
}

func onPool(w *worker) error {
	pool, err := executor.New(executor.Options{Threads: 1 + w.rnd.IntN(3), IdleTimeout: time.Millisecond})
	if err != nil {
		return err
	}
	f, err := executor.Submit(pool, func() (int, error) { w.work(); return 42, nil })
	if err != nil {
		return err
	}
	if n, err := f.Result(); n != 42 || err != nil {
		return fmt.Errorf("the future has %d, %w", n, err)
	}
	return pool.Close()
}

// elsewhere starts f on a goroutine or a thread, and returns a function that
// waits for its end.
func elsewhere(r *round, rnd *rand.Rand, f func()) (join func()) {
	if rnd.IntN(3) == 0 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		return func() { <-done }
	}
	t, err := osthread.Start(func() error { f(); return nil }, &osthread.Attr{Pinned: rnd.IntN(4) == 0})
	if err != nil {
		r.fail("start: %v", err)
	}
	return func() {
		if err := t.Join(); err != nil {
			r.fail("join: %v", err)
		}
	}
}
