package executor

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorkerCircleOfTwoIsADeadlock(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	var inner error
	assert.NoError(t, a.Call(func() error {
		return b.Call(func() error {
			inner = a.Call(func() error { t.Error("called"); return nil })
			_, err := Call(a, value(1))
			assert.ErrorIs(t, err, ErrDeadlock)
			return nil
		})
	}))
	assert.ErrorIs(t, inner, ErrDeadlock)
	assert.NoError(t, a.Call(func() error { return b.Call(nil) }), "both are as before")
}

func TestWorkerLongCircleIsADeadlock(t *testing.T) {
	const n = 12
	ws := make([]*Worker, n)
	for i := range ws {
		ws[i] = newWorker(t)
	}
	var call func(i int) error
	call = func(i int) error {
		return ws[i%n].Call(func() error { return call(i + 1) })
	}
	assert.ErrorIs(t, call(0), ErrDeadlock)
}

// The call that closes the circle gets the error, and the others go on.
func TestWorkerSimultaneousCircleIsADeadlock(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	for range 200 {
		ended := make(chan error, 2)
		for _, w := range [][2]*Worker{{a, b}, {b, a}} {
			go func() { ended <- w[0].Call(func() error { return w[1].Call(nil) }) }()
		}
		first, second := <-ended, <-ended
		assert.False(t, first != nil && second != nil, "%v, %v", first, second)
		for _, err := range []error{first, second} {
			if err != nil {
				assert.ErrorIs(t, err, ErrDeadlock)
			}
		}
	}
}

func TestWorkerCallWithALimitIsNoDeadlock(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	assert.NoError(t, a.Call(func() error {
		return b.Call(func() error {
			assert.Equal(t, ErrBusy, a.TryCall(nil))
			assert.Equal(t, ErrTimeout, a.CallTimeout(nil, time.Millisecond))
			go func() {
				awaitBacklog(a, 1)
				cancel(errTest)
			}()
			assert.Equal(t, errTest, a.CallContext(ctx, nil))
			return nil
		})
	}))
	// And if the other side has one: it gives up.
	assert.ErrorIs(t, a.Call(func() error {
		return b.CallTimeout(func() error { return a.Call(nil) }, 5*time.Millisecond)
	}), ErrTimeout)
	assert.NoError(t, b.Call(nil))
}

func TestWorkerDrainedByShutdownIsNoDeadlock(t *testing.T) {
	for range 30 {
		a, err := NewWorker(nil)
		require.NoError(t, err)
		b, err := NewWorker(nil)
		require.NoError(t, err)
		release := occupyWorker(t, a)
		require.NoError(t, b.Go(func() {
			if err := a.Call(nil); err != nil {
				assert.ErrorIs(t, err, ErrShutdown)
			}
		}))
		a.ShutdownNow()
		release()
		assert.NoError(t, b.Close())
		assert.NoError(t, a.Close())
	}
}

func TestFutureResultInItsOwnTaskIsADeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2})
	other := must(t, e, value(1))
	_, err := other.Result()
	require.NoError(t, err)
	var own *Future[int]
	var start osthread.Event
	later := NewPromise[int]()
	own = must(t, e, func() (int, error) {
		start.Wait()
		_, err := own.Result()
		assert.ErrorIs(t, err, ErrDeadlock)
		_, err = own.ResultTimeout(time.Hour)
		assert.ErrorIs(t, err, ErrDeadlock)
		assert.ErrorIs(t, panicOf(func() { Wait(AllCompleted, own, other) }), ErrDeadlock)
		assert.ErrorIs(t, panicOf(func() { Wait(FirstCompleted, own) }), ErrDeadlock)
		done, _ := Wait(FirstCompleted, own, other)
		assert.Equal(t, []*Future[int]{other}, done)
		_, notDone, err := WaitContext(t.Context(), AllCompleted, other, own)
		assert.ErrorIs(t, err, ErrDeadlock)
		assert.Equal(t, []*Future[int]{own}, notDone)
		_, notDone = WaitTimeout(time.Millisecond, AllCompleted, own)
		assert.Len(t, notDone, 1, "timeout")
		go func() {
			awaitWatched(&later.Future().task)
			_ = later.SetResult(1)
		}()
		var order []*Future[int]
		assert.ErrorIs(t, panicOf(func() {
			for f := range AsCompleted(own, other, later.Future()) {
				order = append(order, f)
			}
		}), ErrDeadlock)
		assert.Equal(t, []*Future[int]{other, later.Future()}, order)
		for f, err := range AsCompletedContext(t.Context(), own, other) {
			if f == nil {
				assert.ErrorIs(t, err, ErrDeadlock)
			}
		}
		return 0, nil
	})
	start.Set()
	_, err = own.Result()
	assert.NoError(t, err)
}

// A future that is done may end a wait for several even before its note has
// reached the waiter: the caller's own future among them makes no deadlock
// then.
func TestAsCompletedIsNoDeadlockWhileANoteIsOnItsWay(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	later := NewPromise[int]().Future()
	begun, leave := make(chan struct{}), make(chan struct{})
	own := must(t, e, func() (int, error) { close(begun); <-leave; return 0, nil })
	<-begun
	c, _ := collect([]*Future[int]{own, later})
	defer c.stop()
	c.want = 1
	later.state.Store(uint32(Finished)) // as publish does before it sends the note
	_, known := (*collectorWait)(c).Servers(nil)
	assert.False(t, known)
	c.note(1)
	c.want = 2
	threads, known := (*collectorWait)(c).Servers(nil)
	assert.True(t, known)
	assert.Len(t, threads, 1)
	close(leave)
}

func TestFutureResultOfATaskQueuedBehindIsADeadlock(t *testing.T) {
	for _, threads := range []int{1, 3} {
		e := newExecutor(t, Options{Threads: threads})
		leave := fill(t, e, threads)
		behind := make([]*Future[int], threads)
		tasks := make([]*Future[int], threads)
		for i := range tasks {
			tasks[i] = must(t, e, func() (int, error) { return behind[i].Result() })
		}
		for i := range behind {
			behind[i] = must(t, e, value(1))
		}
		leave()
		deadlocks := 0
		for _, f := range tasks {
			if _, err := f.Result(); err != nil {
				assert.ErrorIs(t, err, ErrDeadlock)
				deadlocks++
			}
		}
		assert.LessOrEqual(t, deadlocks, 1, "the last")
		if threads == 1 {
			assert.Equal(t, 1, deadlocks)
		}
		for _, f := range behind {
			_, err := f.Result()
			assert.NoError(t, err)
		}
	}
}

func TestWaitForAllTasksQueuedBehindIsADeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	var behind []*Future[int]
	f := must(t, e, func() (int, error) {
		assert.ErrorIs(t, panicOf(func() { Wait(AllCompleted, behind...) }), ErrDeadlock)
		assert.ErrorIs(t, panicOf(func() { Wait(FirstCompleted, behind...) }), ErrDeadlock)
		assert.ErrorIs(t, panicOf(func() {
			for range AsCompleted(behind...) {
			}
		}), ErrDeadlock)
		return 0, nil
	})
	for range 40 {
		behind = append(behind, must(t, e, value(1)))
	}
	leave()
	_, err := f.Result()
	assert.NoError(t, err)
}

func TestFutureResultBesideAFreeThreadIsNoDeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2})
	var behind *Future[int]
	var g gate
	f := must(t, e, func() (int, error) { g.open.Wait(); return behind.Result() })
	behind = must(t, e, value(7))
	g.open.Set()
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 7, v)
}

func TestPoolAndWorkerCircleIsADeadlock(t *testing.T) {
	e, k := newExecutor(t, Options{Threads: 1}), newKeyed(t, Options{Threads: 1})
	w := newWorker(t)
	inner, err := must(t, e, func() (error, error) {
		f, err := SubmitKey(k, 1, func() (error, error) {
			return nil, w.Call(func() error {
				f, err := Submit(e, value(1))
				if err != nil {
					return err
				}
				defer f.Cancel()
				_, err = f.Result()
				return err
			})
		})
		if err != nil {
			return nil, err
		}
		_, err = f.Result()
		return err, nil
	}).Result()
	assert.NoError(t, err)
	assert.ErrorIs(t, inner, ErrDeadlock)
}

func TestSubmitToTheOwnFullPoolIsADeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog})
	_, err := must(t, e, func() (int, error) {
		_, err := Submit(e, value(1))
		assert.ErrorIs(t, err, ErrDeadlock)
		_, err = SubmitTimeout(e, value(1), time.Millisecond)
		assert.ErrorIs(t, err, ErrFull)
		return 0, nil
	}).Result()
	assert.NoError(t, err)
}

// The function runs on the thread of the submitter.
func TestRunInCallerTaskThatWaitsForItselfIsADeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog, Full: RunInCaller})
	w := newWorker(t)
	defer fill(t, e, 1)()
	other := NewPromise[*Future[int]]()
	assert.NoError(t, w.Call(func() error {
		_, err := Submit(e, func() (int, error) {
			p := NewPromise[int]()
			go func() { _ = p.SetResult(1) }()
			return p.Future().Result()
		})
		_ = other.SetResult(nil)
		return err
	}))
}

// A pool whose threads come and go is no deadlock.
func TestPoolReplacingAThreadIsNoDeadlock(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2, IdleTimeout: time.Nanosecond})
	for range 60 {
		f := must(t, e, func() (int, error) {
			inner, err := Submit(e, func() (int, error) { panic(errTest) })
			if err != nil {
				return 0, err
			}
			_, err = inner.Result()
			assert.ErrorIs(t, err, errTest)
			inner, err = Submit(e, func() (int, error) { runtime.Goexit(); return 0, nil })
			if err != nil {
				return 0, err
			}
			_, err = inner.Result()
			assert.ErrorIs(t, err, ErrGoexit)
			return 0, nil
		})
		_, err := f.Result()
		assert.NoError(t, err)
	}
}

// TryCall waits for the function that it has called, as Call does.
func TestWorkerTryCallInACircle(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	await(b.box.Idle)
	assert.NoError(t, a.Call(func() error {
		return b.TryCall(func() error {
			assert.ErrorIs(t, a.Call(nil), ErrDeadlock)
			return nil
		})
	}))
}

// A TryCall that will find the other busy is nothing that one waits for.
func TestWorkerTryCallOfABusyWorkerIsNoDeadlock(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	var calling, called sync.WaitGroup
	for range 50 {
		calling.Add(2)
		called.Add(2)
		var err error
		go func() {
			defer called.Done()
			assert.NoError(t, a.Call(func() error {
				calling.Done()
				calling.Wait()
				assert.Equal(t, ErrBusy, b.TryCall(nil))
				return nil
			}))
		}()
		go func() {
			defer called.Done()
			assert.NoError(t, b.Call(func() error {
				calling.Done()
				calling.Wait()
				err = a.Call(nil)
				return nil
			}))
		}()
		called.Wait()
		assert.NoError(t, err)
	}
}

func TestExecutorCloseInACircleIsADeadlock(t *testing.T) {
	a, b := newWorker(t), newWorker(t)
	e := newExecutor(t, Options{Threads: 2})
	k := newKeyed(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	for name, end := range map[string]func() error{"Worker": b.Close, "Executor": e.Close, "Keyed": k.Close} {
		// The one that is closed waits for the one that closes.
		assert.NoError(t, a.Call(func() error {
			assert.ErrorIs(t, within(t, name, a, b, e, k, end), ErrDeadlock, name)
			return nil
		}))
	}
	leave()
}

// within returns what end does in a function that waits for the one that name
// says, which waits for a's.
func within(t *testing.T, name string, a, b *Worker, e *Executor, k *Keyed, end func() error) (err error) {
	t.Helper()
	inner := newWorker(t)
	nested := func() error { return inner.Call(func() error { err = end(); return nil }) }
	switch name {
	case "Worker":
		assert.NoError(t, b.Call(nested))
	case "Executor":
		_, ended := must(t, e, func() (int, error) { return 0, nested() }).Result()
		assert.NoError(t, ended)
	case "Keyed":
		f, ended := SubmitKey(k, 1, func() (int, error) { return 0, nested() })
		require.NoError(t, ended)
		_, ended = f.Result()
		assert.NoError(t, ended)
	}
	return err
}

// The other way round: the close waits first, and the call is refused.
func TestWorkerCallDuringClose(t *testing.T) {
	for name, closed := range map[string]func() (io.Closer, func(func() error)){
		"Worker": func() (io.Closer, func(func() error)) {
			b := newWorker(t)
			return b, func(f func() error) { assert.NoError(t, b.Go(func() { _ = f() })) }
		},
		"Executor": func() (io.Closer, func(func() error)) {
			e := newExecutor(t, Options{Threads: 1})
			return e, func(f func() error) { must(t, e, func() (int, error) { return 0, f() }) }
		},
	} {
		a := newWorker(t)
		c, run := closed()
		var g gate
		called := make(chan error, 1)
		run(func() error { _, _ = g.run(); called <- a.Call(nil); return nil })
		g.begun.Wait()
		assert.NoError(t, a.Call(func() error {
			go func() {
				await(a.host.Waits)
				g.open.Set()
			}()
			return c.Close()
		}), name)
		assert.ErrorIs(t, <-called, ErrDeadlock, name)
	}
}
