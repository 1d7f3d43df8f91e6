//go:build unix || windows

package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
)

// runMain is osthread.RunMain until the first thread is found: on a busy
// machine that may take longer than RunMain searches.
func runMain(f func() error) error {
	for {
		if err := osthread.RunMain(f); err != osthread.ErrMainBusy {
			return err
		}
	}
}

// The children have no testing to report to.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func TestPoolExitRunsQueuedTasksFirst(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the second that a child would wait for reports
	out := leak.InChild(t, func() {
		check(runMain(func() error {
			e, err := New(Options{Threads: 1})
			if err != nil {
				return err
			}
			for i := range 3 {
				if _, err := Submit(e, func() (int, error) { fmt.Println("task", i); return 0, nil }); err != nil {
					return err
				}
			}
			return nil
		}))
		_, err := New(Options{})
		fmt.Println(err)
		k, err := NewKeyed(Options{})
		fmt.Println(k, err)
	})
	assert.Equal(t, "task 0\ntask 1\ntask 2\nosthread: shut down\n<nil> osthread: shut down\n", out)
}

// The thread is replaced when it is gone, after osthread has seen the last of
// it.
func TestPoolExitWaitsForReplacedThreads(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the second that a child would wait for reports
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		g.begun.Wait()
		var futures []*Future[int]
		for i := range 20 {
			f, err := Submit(e, func() (int, error) { panic(i) })
			check(err)
			futures = append(futures, f)
		}
		check(osthread.AtShutdown(func() { g.open.Set() }))
		_, err = osthread.Shutdown(context.Background())
		check(err)
		for i, f := range futures {
			var e *PanicError
			if _, err := f.TryResult(); !errors.As(err, &e) || e.Value != i || e.Thread == "" {
				fmt.Println(i, err)
			}
		}
	})
	assert.Empty(t, out)
}

func TestPoolExitDoesNotWaitForDaemons(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the second that a child would wait for reports
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1, Attr: &osthread.Attr{Daemon: true}})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		g.begun.Wait()
		_, err = osthread.Shutdown(context.Background())
		check(err)
		f, err := Submit(e, func() (int, error) { return 1, nil })
		check(err)
		g.open.Set()
		fmt.Println(f.Result())
	})
	assert.Equal(t, "1 <nil>\n", out)
}

func TestPoolExitReturnsThreadsOfStuckTasks(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the second that a child would wait for reports
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1, Attr: &osthread.Attr{Name: "stuck"}})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		g.begun.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		check(osthread.AtShutdown(cancel))
		running, err := osthread.Shutdown(ctx)
		fmt.Println(len(running), running[0].Name(), err)
		_, err = Submit(e, g.run)
		fmt.Println(err)
		g.open.Set()
		_, err = osthread.Shutdown(context.Background())
		check(err)
	})
	assert.Equal(t, "1 stuck_0 context canceled\nosthread: shut down\n", out)
}

// The callback runs on a thread that the end of the process waits for, and that
// may itself be the one that ends it.
func TestPoolExitInACallbackOfATaskThatDidNotReturn(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		e, err := New(Options{Threads: 1})
		check(err)
		var g gate
		_, err = Submit(e, g.run)
		check(err)
		bad, err := Submit(e, func() (int, error) { runtime.Goexit(); return 0, nil })
		check(err)
		done := make(chan struct{})
		bad.OnDone(func(*Future[int]) {
			running, err := osthread.Shutdown(context.Background())
			fmt.Println(len(running), err)
			close(done)
		})
		g.open.Set()
		<-done
		check(e.Close())
	})
	assert.Equal(t, "0 <nil>\n", out)
}

func TestPoolExitWaitsForCallbacksOfTasksThatDidNotReturn(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		check(runMain(func() error {
			e, err := New(Options{Threads: 1})
			check(err)
			var g gate
			_, err = Submit(e, g.run)
			check(err)
			for i := range 3 {
				bad, err := Submit(e, func() (int, error) { runtime.Goexit(); return 0, nil })
				check(err)
				bad.OnDone(func(f *Future[int]) {
					_, err := f.TryResult()
					fmt.Println(i, err, e.Close())
				})
			}
			g.open.Set()
			return nil
		}))
	})
	const line = " thread: body called runtime.Goexit thread: deadlock: thread would wait for itself"
	assert.ElementsMatch(t, []string{"0" + line, "1" + line, "2" + line, ""}, strings.Split(out, "\n"))
}

// A callback that never ends does not outlast a context.
func TestPoolExitHonorsItsContextDuringACallback(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	out := leak.InChild(t, func() {
		var begin, begun osthread.Event
		e, err := New(
			Options{
				Threads: 1,
				Attr:    &osthread.Attr{Name: "stuck"},
				OnStart: func() error { begin.Wait(); return errTest },
			},
		)
		check(err)
		p := NewPromise[int]()
		f, err := Submit(e, value(1))
		check(err)
		f.OnDone(func(*Future[int]) { begun.Set(); _, _ = p.Future().Result() })
		begin.Set()
		begun.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		check(osthread.AtShutdown(cancel))
		running, err := osthread.Shutdown(ctx)
		fmt.Println(len(running), running[0].Name(), err)
		check(p.SetResult(1))
		_, err = osthread.Shutdown(context.Background())
		check(err)
	})
	assert.Equal(t, "1 stuck_0 done context canceled\n", out)
}
