//go:build (cgo && linux) || windows

package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
)

// C code that ends a thread leaves a goroutine, so it has a process of its own.

// No deferred call of the thread's runs.
func TestPoolReplacesAThreadThatCCodeEnds(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		bad, err := Submit(e, func() (int, error) { ctest.PthreadExit(); return 1, nil })
		check(err)
		queued, err := Submit(e, value(2))
		check(err)
		fmt.Println(bad.Result())
		fmt.Println(queued.Result())
		check(e.Close())
	})
	assert.Equal(t, "0 thread: ended by C code\n2 <nil>\n", out)
}

func TestPoolWhoseOnStartIsEndedByCCodeIsBroken(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1, OnStart: func() error { ctest.PthreadExit(); return nil }})
		check(err)
		f, err := Submit(e, value(1))
		check(err)
		fmt.Println(f.Result())
		check(e.Close())
	})
	assert.Equal(t, "0 executor: broken: thread: ended by C code\n", out)
}

// Its callers hear of it, and so do those that come later.
func TestWorkerWhoseThreadCCodeEndsIsShutDown(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		w, err := NewWorker(nil)
		check(err)
		queued := make(chan error)
		fmt.Println(w.Call(func() error {
			go func() { queued <- w.Call(nil) }()
			for w.Backlog() == 0 {
				runtime.Gosched()
			}
			ctest.PthreadExit()
			return nil
		}))
		fmt.Println(<-queued)
		fmt.Println(w.Call(nil), w.Shutdown(context.Background()))
	})
	assert.Equal(t, "thread: ended by C code\nosthread: shut down\nosthread: shut down thread: ended by C code\n", out)
}

func TestExecutorCloseInACallbackOfATaskThatCCodeEnded(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		bad, err := Submit(e, func() (int, error) { ctest.PthreadExit(); return 1, nil })
		check(err)
		queued, err := Submit(e, value(2))
		check(err)
		closed := make(chan error)
		bad.OnDone(func(*Future[int]) { closed <- e.Close() })
		g.open.Set()
		fmt.Println(<-closed)
		fmt.Println(queued.Result())
		check(e.Close())
	})
	assert.Equal(t, "thread: deadlock: thread would wait for itself\n2 <nil>\n", out)
}

// A callback's thread that C code ends leaves the other callbacks to another
// one.
func TestCallbackWhoseThreadCCodeEnds(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		bad, err := Submit(e, func() (int, error) { runtime.Goexit(); return 1, nil })
		check(err)
		bad.OnDone(func(*Future[int]) { ctest.PthreadExit() })
		bad.OnDone(func(*Future[int]) { fmt.Println("second", e.Close()) })
		g.open.Set()
		check(e.Close())
	})
	assert.Equal(t, "second thread: deadlock: thread would wait for itself\n", out)
}

// A function that polls, and the function that it called, both end.
func TestWorkerThatPollsAndWhoseThreadCCodeEnds(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		w, err := NewWorker(nil)
		check(err)
		inner := make(chan error)
		fmt.Println(w.Call(func() error {
			go func() { inner <- w.Call(func() error { ctest.PthreadExit(); return nil }) }()
			_, err := w.Wait()
			return err
		}))
		fmt.Println(<-inner)
	})
	assert.Equal(t, "thread: ended by C code\nthread: ended by C code\n", out)
}

// The end of the process waits for the thread that follows.
func TestPoolExitWaitsForSuccessorsOfThreadsEndedByCCode(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		done := make([]*Future[int], 0, 40)
		check(runMain(func() error {
			for range 4 {
				e, err := New(Options{Threads: 1})
				check(err)
				for i := range 10 {
					f, err := Submit(e, func() (int, error) {
						if i%2 == 0 {
							ctest.PthreadExit()
						}
						return 1, nil
					})
					check(err)
					done = append(done, f)
				}
			}
			return nil
		}))
		n := 0
		for _, f := range done {
			v, err := f.TryResult()
			n += v
			if err != nil && !errors.Is(err, osthread.ErrPthreadExit) {
				fmt.Println(err)
			}
		}
		fmt.Println(n)
	})
	assert.Equal(t, "20\n", out)
}
