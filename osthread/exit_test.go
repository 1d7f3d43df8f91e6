//go:build linux || windows

package osthread

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/wait"
)

// What ends a process is tried in one.

// exitIfFailed reports failed assertions to a child's parent.
func exitIfFailed(t *testing.T) {
	if t.Failed() {
		fmt.Println("failed")
		os.Exit(1)
	}
}

// runMainRetrying is RunMain until the first thread is found: on a busy
// machine that may take longer than RunMain searches.
func runMainRetrying(f func() error) error {
	for {
		if err := RunMain(f); err != ErrMainBusy {
			return err
		}
	}
}

func TestRunMainEndsAsPythonDoes(t *testing.T) {
	out := leak.InChild(t, func() {
		say := func(s string) func() { return func() { fmt.Println(s) } }
		err := runMainRetrying(func() error {
			assert.Same(t, Main(), Current())
			assert.Equal(t, Main().NativeID(), thread.NativeID())
			assert.NoError(t, AtExit(say("exit 1")))
			assert.NoError(t, AtExit(func() { panic("in between") }))
			assert.NoError(t, AtExit(say("exit 2")))
			assert.NoError(t, AtShutdown(say("shutdown 1")))
			assert.NoError(t, AtShutdown(say("shutdown 2")))
			mainEnds := New(func() error {
				assert.NoError(t, Main().Join())
				say("main has ended")()
				late, err := Go(func() error { say("started while main waits")(); return nil })
				assert.NoError(t, err)
				return late.Join()
			}, nil)
			assert.NoError(t, mainEnds.Start())
			daemon := New(func() error { select {} }, &Attr{Daemon: true})
			assert.NoError(t, daemon.Start())
			return nil
		})
		assert.NoError(t, err)
		assert.ErrorIs(t, New(nil, nil).Start(), ErrShutdown)
		assert.ErrorIs(t, AtExit(func() {}), ErrShutdown)
		assert.ErrorIs(t, AtShutdown(func() {}), ErrShutdown)
		assert.ErrorIs(t, RunMain(nil), ErrStarted)
		left, err := Shutdown(context.Background())
		assert.NoError(t, err)
		assert.Empty(t, left)
		exitIfFailed(t)
	})
	for _, s := range []string{
		"main has ended", "started while main waits", "shutdown 2\nshutdown 1", "exit 2",
		"Panic in thread MainThread: in between",
	} {
		assert.Contains(t, out, s)
	}
	assert.Less(t, strings.Index(out, "shutdown 1"), strings.Index(out, "exit 2"))
	assert.Less(t, strings.Index(out, "started while"), strings.Index(out, "exit 2"))
	assert.Less(t, strings.Index(out, "exit 2"), strings.Index(out, "exit 1"))
}

func TestRunMainReturnsHowItsFunctionEnded(t *testing.T) {
	leak.InChild(t, func() {
		err := runMainRetrying(func() error { panic(errWhy) })
		assert.ErrorIs(t, err, errWhy)
		assert.False(t, Main().Alive())
		assert.ErrorIs(t, Main().Join(), errWhy)
		exitIfFailed(t)
	})
}

func TestRunMainWithoutTheFirstThread(t *testing.T) {
	leak.InChild(t, func() {
		var taken, free Event
		go func() {
			_ = onFirstThread(func() { taken.Set(); free.Wait() })
		}()
		taken.Wait()
		assert.ErrorIs(t, RunMain(func() error { return nil }), ErrMainBusy)
		free.Set()
		exitIfFailed(t)
	})
}

func TestShutdownReturnsRunningThreads(t *testing.T) {
	leak.InChild(t, func() {
		var e Event
		stuck := start(t, func() error { e.Wait(); return nil })
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		left, err := Shutdown(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []*Thread{stuck}, left)
		assert.NoError(t, New(nil, nil).Start(), "it is not over")
		e.Set()
		left, err = Shutdown(context.Background())
		assert.NoError(t, err)
		assert.Empty(t, left)
		assert.ErrorIs(t, New(nil, nil).Start(), ErrShutdown)
		exitIfFailed(t)
	})
}

// A context that uses the registry, as one does that logs the thread's name.
type registryUser struct{ context.Context }

func (c registryUser) use() {
	NumThread()
	if err := New(nil, nil).Start(); err != nil {
		panic(err)
	}
}

func (c registryUser) Err() error            { c.use(); return c.Context.Err() }
func (c registryUser) Done() <-chan struct{} { c.use(); return c.Context.Done() }
func (c registryUser) Value(key any) any     { c.use(); return c.Context.Value(key) }

func TestShutdownUsesItsContextOutsideTheRegistry(t *testing.T) {
	leak.InChild(t, func() {
		var e Event
		stuck := start(t, func() error { e.Wait(); return nil })
		ctx, cancel := context.WithCancel(context.Background())
		assert.NoError(t, AtShutdown(cancel))
		left, err := Shutdown(registryUser{ctx})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Contains(t, left, stuck)
		e.Set()
		_, err = Shutdown(context.Background())
		assert.NoError(t, err)
		exitIfFailed(t)
	})
}

func TestShutdownWithAContextThatPanics(t *testing.T) {
	leak.InChild(t, func() {
		var e Event
		stuck := start(t, func() error { e.Wait(); return nil })
		assert.Error(t, panicOf(func() { _, _ = Shutdown(struct{ context.Context }{}) }))
		assert.NoError(t, New(nil, nil).Start(), "the registry is free")
		e.Set()
		assert.NoError(t, stuck.Join())
		_, err := Shutdown(context.Background())
		assert.NoError(t, err)
		exitIfFailed(t)
	})
}

func TestShutdownWithADoneContext(t *testing.T) {
	leak.InChild(t, func() {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errWhy)
		var e Event
		stuck := start(t, func() error { e.Wait(); return nil })
		left, err := Shutdown(ctx)
		assert.ErrorIs(t, err, errWhy)
		assert.Equal(t, []*Thread{stuck}, left)
		e.Set()
		assert.NoError(t, stuck.Join())
		left, err = Shutdown(ctx)
		assert.NoError(t, err)
		assert.Empty(t, left)
		exitIfFailed(t)
	})
}

// A start that fails while Shutdown waits holds nobody up.
func TestShutdownAmongStartsThatFail(t *testing.T) {
	leak.InChild(t, func() {
		var e Event
		th := start(t, func() error {
			for !e.IsSet() {
				assert.ErrorIs(t, New(nil, &Attr{Affinity: []int{1000}}).Start(), syscall.EINVAL)
			}
			return nil
		})
		time.AfterFunc(20*time.Millisecond, e.Set)
		left, err := Shutdown(context.Background())
		assert.NoError(t, err)
		assert.Empty(t, left)
		assert.NoError(t, th.Join())
		exitIfFailed(t)
	})
}

// One line gives Go's crash back.
func TestPanicHookThatCrashes(t *testing.T) {
	out, err := leak.Child(t, func() {
		SetPanicHook(func(_ *Thread, e *PanicError) { go panic(e) })
		th := start(t, func() error { panic("oh") })
		_ = th.Join()
		select {}
	})
	assert.Error(t, err)
	assert.Regexp(t, `panic in thread "Thread-\d+ \(.*\)": oh`, out)
}

// Its end is RunMain's, which needs the thread that the caller holds.
func TestMainCannotBeJoinedOnItsOwnThread(t *testing.T) {
	leak.InChild(t, func() {
		joined := errors.New("not on the first thread")
		held := func() {
			_, err := thread.Attach()
			joined = errors.Join(err, Main().Join())
		}
		if err := onFirstThread(held); err != nil {
			panic(err)
		}
		if !errors.Is(joined, ErrDeadlock) {
			panic(joined)
		}
	})
}

// A hold is waited for as a thread is, and no longer than the context says.
func TestShutdownWaitsForHoldsUntilItsContextIsDone(t *testing.T) {
	out := leak.InChild(t, func() {
		runtime.LockOSThread() // or Current is another thread later
		own := wait.HoldExit(Current())
		defer own() // the caller's is not waited for
		release := wait.HoldExit(New(func() error { return nil }, nil))
		ctx, cancel := context.WithCancelCause(context.Background())
		_ = AtShutdown(func() { cancel(errors.New("late")) })
		running, err := Shutdown(ctx)
		fmt.Println(len(running), err)
		th, err := Go(func() error { release(); return nil }) // nothing is closed yet
		fmt.Println(th.Join(), err)
		_, err = Shutdown(context.Background())
		fmt.Println(err)
		_, err = Go(func() error { return nil })
		fmt.Println(err)
	})
	assert.Equal(t, "0 late\n<nil> <nil>\n<nil>\nosthread: shut down\n", out)
}

func TestLocalDestructor(t *testing.T) {
	out := leak.InChild(t, func() {
		var reported []any
		SetPanicHook(func(_ *Thread, e *PanicError) { reported = append(reported, e.Value) })
		var locals [4]Local[int]
		got := make(chan string, 10)
		for i := range locals {
			locals[i].Destructor = func(v int) {
				got <- fmt.Sprint(i, v, Current().Name())
				switch i {
				case 1:
					panic("destructor")
				case 2:
					runtime.Goexit()
				}
			}
		}
		th := New(func() error {
			for i := range locals {
				locals[i].Set(10 * i)
			}
			locals[0].Set(7)
			return errWhy
		}, &Attr{Name: "holder"})
		if err := th.Start(); err != nil {
			panic(err)
		}
		err := th.Join()
		close(got)
		var all []string
		for s := range got {
			all = append(all, s)
		}
		fmt.Println(err, all, reported, NumThread())
	})
	assert.Equal(t, errWhy.Error()+" [0 7holder 1 10holder 2 20holder 3 30holder] [destructor] 1\n", out)
}
