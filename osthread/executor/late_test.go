package executor

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ends are the ways in which a task can end but by returning.
var ends = []struct {
	name string
	end  func()
	want error
}{
	{"panic", func() { panic(errTest) }, errTest},
	{"Goexit", runtime.Goexit, ErrGoexit},
	{"Exit", thread.Exit, ErrExit},
}

// A callback that closes its pool has ErrDeadlock however the task has ended,
// and the work behind is done.
func TestExecutorCloseInACallbackOfATaskThatDidNotReturn(t *testing.T) {
	for _, c := range ends {
		for _, threads := range []int{1, 3} {
			t.Run(c.name, func(t *testing.T) {
				e := newExecutor(t, Options{Threads: threads})
				leave := fill(t, e, threads) // so that all is queued before anything ends
				bad := must(t, e, func() (int, error) { c.end(); return 0, nil })
				var behind []*Future[int]
				for range 5 {
					behind = append(behind, must(t, e, value(1)))
				}
				closed := make(chan error, 1)
				bad.OnDone(func(*Future[int]) { closed <- e.Close() })
				leave()
				assert.ErrorIs(t, <-closed, ErrDeadlock)
				_, err := bad.Result()
				assert.ErrorIs(t, err, c.want)
				for _, f := range behind {
					v, err := f.Result()
					assert.NoError(t, err)
					assert.Equal(t, 1, v)
				}
				running, err := e.Shutdown(t.Context())
				assert.NoError(t, err)
				assert.Empty(t, running)
			})
		}
	}
}

func TestExecutorCloseInACallbackOfABrokenPool(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *PanicError) {})
	defer osthread.SetPanicHook(nil)
	for name, end := range map[string]func() error{
		"error":  func() error { return errTest },
		"panic":  func() error { panic(errTest) },
		"Goexit": func() error { runtime.Goexit(); return nil },
		"Exit":   func() error { thread.Exit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var begin osthread.Event
			e := newExecutor(t, Options{Threads: 1, OnStart: func() error { begin.Wait(); return end() }})
			closed := make(chan error, 3)
			var queued []*Future[int]
			for range 3 {
				f := must(t, e, value(1))
				f.OnDone(func(*Future[int]) { closed <- e.Close() })
				queued = append(queued, f)
			}
			begin.Set()
			for _, f := range queued {
				_, err := f.Result()
				assert.ErrorIs(t, err, ErrBroken)
				assert.ErrorIs(t, <-closed, ErrDeadlock)
			}
			assert.NoError(t, e.Close())
		})
	}
}

func TestKeyedCloseInACallbackOfATaskThatDidNotReturn(t *testing.T) {
	k := newKeyed(t, Options{Threads: 2})
	var g gate
	_, err := SubmitKey(k, 1, g.run)
	require.NoError(t, err)
	bad, err := SubmitKey(k, 1, func() (int, error) { runtime.Goexit(); return 0, nil })
	require.NoError(t, err)
	closed := make(chan error, 1)
	bad.OnDone(func(*Future[int]) { closed <- k.Close() })
	g.open.Set()
	assert.ErrorIs(t, <-closed, ErrDeadlock)
	assert.NoError(t, k.Close())
}

// The thread's successor has started before the callback runs.
func TestCallbackOfATaskThatDidNotReturnMayWaitForItsPool(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	bad := must(t, e, func() (int, error) { runtime.Goexit(); return 0, nil })
	behind := must(t, e, value(7))
	got := make(chan int, 2)
	bad.OnDone(func(*Future[int]) {
		v, _ := behind.Result()
		got <- v
		f, err := Submit(e, value(8))
		if assert.NoError(t, err) {
			v, _ = f.Result()
			got <- v
		}
	})
	leave()
	assert.Equal(t, 7, <-got)
	assert.Equal(t, 8, <-got)
}

func TestExecutorCloseWaitsForCallbacksOfTasksThatDidNotReturn(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var in, out osthread.Event
	leave := fill(t, e, 1)
	bad := must(t, e, func() (int, error) { runtime.Goexit(); return 0, nil })
	bad.OnDone(func(*Future[int]) { in.Set(); out.Wait() })
	leave()
	in.Wait()
	_, err := e.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	out.Set()
	assert.NoError(t, e.Close())
}

// destructors of thread.Key run when the thread has no values any more.
func TestExecutorCloseInADestructor(t *testing.T) {
	var e *Executor
	closed := make(chan error, 1)
	key := thread.Key[int]{Destructor: func(int) { closed <- e.Close() }}
	e = newExecutor(t, Options{Threads: 1})
	_, err := must(t, e, func() (int, error) { return 0, key.Set(1) }).Result()
	require.NoError(t, err)
	_, err = e.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	assert.ErrorIs(t, <-closed, ErrDeadlock)
}

func TestFutureResultOfTheOwnTaskInADestructor(t *testing.T) {
	var own *Future[int]
	got := make(chan error, 1)
	key := thread.Key[int]{Destructor: func(int) {
		_, err := own.Result()
		got <- err
	}}
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	own = must(t, e, func() (int, error) { _ = key.Set(1); runtime.Goexit(); return 0, nil })
	leave()
	assert.ErrorIs(t, <-got, ErrDeadlock)
}

func TestWorkerShutdownInADestructor(t *testing.T) {
	w := newWorker(t)
	got := make(chan error, 2)
	key := thread.Key[int]{Destructor: func(int) {
		got <- w.Close()
		got <- w.Call(func() error { return errTest }) // on its own thread: at once
	}}
	require.NoError(t, w.Call(func() error { return key.Set(1) }))
	require.NoError(t, w.Shutdown(t.Context()))
	assert.ErrorIs(t, <-got, ErrDeadlock)
	assert.ErrorIs(t, <-got, errTest)
}

func TestExecutorCloseInOnStop(t *testing.T) {
	var e *Executor
	closed := make(chan error, 1)
	e = newExecutor(t, Options{Threads: 1, OnStop: func() { closed <- e.Close() }})
	_, err := must(t, e, value(1)).Result()
	require.NoError(t, err)
	_, err = e.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	assert.ErrorIs(t, <-closed, ErrDeadlock)
}

func TestOnStopThatDoesNotReturn(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *PanicError) {})
	defer osthread.SetPanicHook(nil)
	for _, c := range ends {
		t.Run(c.name, func(t *testing.T) {
			e := newExecutor(t, Options{Threads: 1, OnStop: c.end})
			leave := fill(t, e, 1)
			bad := must(t, e, func() (int, error) { panic(errTest) })
			behind := must(t, e, value(1))
			leave()
			_, err := bad.Result()
			assert.ErrorIs(t, err, errTest)
			_, err = behind.Result()
			assert.NoError(t, err)
			assert.NoError(t, e.Close())
		})
	}
}

// Each of these ends the goroutine, or thread, that finishes the future; none
// keeps the others from being called.
func TestFutureOnDoneFunctionsThatDoNotReturn(t *testing.T) {
	fail := func() { panic(errTest) }
	for _, c := range []struct {
		name string
		hook func(*osthread.Thread, *PanicError)
		end  func()
	}{
		{"panic", func(*osthread.Thread, *PanicError) {}, fail},
		{"panic, and the hook panics", func(*osthread.Thread, *PanicError) { panic(errTest) }, fail},
		{"panic, and the hook calls Goexit", func(*osthread.Thread, *PanicError) { runtime.Goexit() }, fail},
		{"Goexit", func(*osthread.Thread, *PanicError) {}, runtime.Goexit},
	} {
		t.Run(c.name, func(t *testing.T) {
			osthread.SetPanicHook(c.hook)
			defer osthread.SetPanicHook(nil)
			for _, by := range []string{"goroutine", "thread", "successor"} {
				p := NewPromise[int]()
				var e *Executor
				f, finish := p.Future(), func() { go func() { _ = p.SetResult(1) }() }
				if by != "goroutine" {
					e = newExecutor(t, Options{Threads: 1})
					leave := fill(t, e, 1)
					f = must(t, e, func() (int, error) {
						if by == "successor" {
							runtime.Goexit()
						}
						return 1, nil
					})
					finish = leave
				}
				done := make(chan struct{}, 3)
				for range 3 {
					f.OnDone(func(*Future[int]) { done <- struct{}{}; c.end() })
				}
				waits := make(chan struct{})
				go func() {
					Wait(AllCompleted, f)
					for range AsCompleted(f) {
					}
					close(waits)
				}()
				awaitWatched(&f.task)
				finish()
				<-waits
				for range 3 {
					<-done
				}
				if e != nil {
					assert.NoError(t, e.Close())
				}
			}
		})
	}
}

// A chain in which each callback finishes the next future takes a bounded
// stack.
func TestFutureOnDoneChainIsBounded(t *testing.T) {
	const n = 20_001
	done := make(chan struct{})
	deepest := 0
	var next func(i int)
	next = func(i int) {
		if i == n {
			close(done)
			return
		}
		if i%5000 == 0 {
			deepest = max(deepest, runtime.Callers(0, make([]uintptr, 1<<16)))
		}
		p := NewPromise[int]()
		p.Future().OnDone(func(*Future[int]) { next(i + 1) })
		_ = p.SetResult(i)
	}
	next(0)
	<-done
	assert.Less(t, deepest, 1<<15)
}

func TestFutureOnDoneManyGoexits(t *testing.T) {
	p := NewPromise[int]()
	const n = 20_000
	called := make(chan struct{}, n)
	for range n {
		p.Future().OnDone(func(*Future[int]) { called <- struct{}{}; runtime.Goexit() })
	}
	go func() { _ = p.SetResult(1) }()
	for range n {
		<-called
	}
}

// Concurrent callbacks are no chain: each runs where its future is finished.
func TestFutureOnDoneFlatCallbacksStayOnTheirThread(t *testing.T) {
	hold := make(chan struct{})
	begun := make(chan struct{})
	for range uninspected + 10 {
		p := NewPromise[int]()
		p.Future().OnDone(func(*Future[int]) { begun <- struct{}{}; <-hold })
		go func() { _ = p.SetResult(1) }()
	}
	for range uninspected + 10 {
		<-begun
	}
	called := false
	p := NewPromise[int]()
	p.Future().OnDone(func(*Future[int]) { called = true })
	_ = p.SetResult(1)
	assert.True(t, called)
	close(hold)
}

// A pool that replaces a thread is not full.
func TestBacklogHasRoomForAReplacedThread(t *testing.T) {
	for range 50 {
		e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog, Full: Reject})
		_, err := must(t, e, func() (int, error) { panic(errTest) }).Result()
		assert.ErrorIs(t, err, errTest)
		_, err = must(t, e, func() (int, error) { runtime.Goexit(); return 0, nil }).Result()
		assert.ErrorIs(t, err, ErrGoexit)
		_, err = must(t, e, value(1)).Result()
		assert.NoError(t, err)
	}
}

func TestBacklogHasRoomForAThreadPastItsIdleTimeout(t *testing.T) {
	var stopping, stop osthread.Event
	e := newExecutor(t, Options{
		Threads: 1, Backlog: NoBacklog, Full: Reject, IdleTimeout: time.Nanosecond,
		OnStop: func() { stopping.Set(); stop.Wait() },
	})
	_, err := must(t, e, value(1)).Result()
	require.NoError(t, err)
	stopping.Wait()
	f := must(t, e, value(2))
	_, err = Submit(e, value(3))
	assert.ErrorIs(t, err, ErrFull, "one place a thread")
	stop.Set()
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 2, v)
}

func TestMapContinuesAfterAPanicWithoutABacklog(t *testing.T) {
	for range 50 {
		e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog, Full: Reject})
		n, failed := 0, 0
		for _, err := range Map(e, 1, func(yield func(int) bool) {
			for i := 0; i < 10 && yield(i); i++ {
			}
		}, func(i int) (int, error) {
			if i == 4 {
				panic(errTest)
			}
			return i, nil
		}) {
			n++
			if err != nil {
				assert.ErrorIs(t, err, errTest)
				failed++
			}
		}
		assert.Equal(t, 10, n)
		assert.Equal(t, 1, failed)
	}
}

// osthread.Shutdown on the thread of such a callback does not wait for itself.
func TestExecutorShutdownHonorsItsContextDuringACallback(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	var hold osthread.Event
	bad := must(t, e, func() (int, error) { runtime.Goexit(); return 0, nil })
	begun := make(chan struct{})
	bad.OnDone(func(*Future[int]) { close(begun); hold.Wait() })
	leave()
	<-begun
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	_, err := e.Shutdown(ctx)
	assert.ErrorIs(t, err, errTest)
	hold.Set()
	_, err = e.Shutdown(t.Context())
	assert.NoError(t, err)
	assert.False(t, errors.Is(err, ErrTimeout))
}
