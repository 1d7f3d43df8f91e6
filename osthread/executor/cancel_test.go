package executor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

// canceled runs wait on a thread, which is canceled once it waits and begun is
// set, and returns its error.
func canceled(t *testing.T, cause error, begun *osthread.Event, wait func() error) error {
	t.Helper()
	th, err := osthread.Go(func() error {
		err := wait()
		assert.NoError(t, osthread.Canceled(), "it came twice")
		return err
	})
	require.NoError(t, err)
	await(func() bool { _, ok := th.Waiting(); return ok && begun.IsSet() })
	th.Cancel(cause)
	return th.Join()
}

// unwound calls f, which returns no error, and returns the cause if that ended
// its wait.
func unwound(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = v.(*osthread.CanceledError)
		}
	}()
	f()
	return nil
}

func TestCancelEndsAWaitForAFuture(t *testing.T) {
	var g gate
	e := newExecutor(t, Options{Threads: 1})
	f := must(t, e, g.run)
	g.begun.Wait()
	for name, wait := range map[string]func() error{
		"Result": func() error { _, err := f.Result(); return err },
		"Wait":   func() error { return unwound(func() { Wait(AllCompleted, f) }) },
		"WaitTimeout": func() error {
			return unwound(func() { WaitTimeout(osthread.TimeoutMax, AllCompleted, f) })
		},
		"WaitContext": func() error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			_, _, err := WaitContext(ctx, AllCompleted, f)
			return err
		},
		"AsCompleted": func() error {
			return unwound(func() {
				for range AsCompleted(f) {
				}
			})
		},
		"AsCompletedTimeout": func() (err error) {
			for _, err = range AsCompletedTimeout(osthread.TimeoutMax, f) {
			}
			return err
		},
		"Close": e.Close,
	} {
		t.Run(name, func(t *testing.T) {
			cause := errors.New("cause")
			assert.ErrorIs(t, canceled(t, cause, &g.begun, wait), cause)
		})
	}
	g.open.Set()
	_, err := f.Result()
	assert.NoError(t, err)
}

// A Submit that is canceled while it waits for room submits nothing.
func TestCancelEndsSubmit(t *testing.T) {
	var g gate
	e := newExecutor(t, Options{Threads: 1, Backlog: -1})
	f := must(t, e, g.run)
	g.begun.Wait()
	cause := errors.New("cause")
	assert.ErrorIs(t, canceled(t, cause, &g.begun, func() error {
		_, err := Submit(e, func() (int, error) { t.Error("it ran"); return 0, nil })
		return err
	}), cause)
	g.open.Set()
	_, err := f.Result()
	assert.NoError(t, err)
}

// A call that has not begun is not made; one that has goes on without its
// caller.
func TestCancelEndsCall(t *testing.T) {
	w, err := NewWorker(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.Shutdown(context.Background())) }()
	var g gate
	cause := errors.New("cause")
	err = canceled(t, cause, &g.begun, func() error {
		return w.Call(func() error { _, err := g.run(); return err })
	})
	assert.ErrorIs(t, err, cause)
	assert.ErrorIs(t, err, ErrRunning)
	err = canceled(t, cause, &g.begun, func() error {
		return w.Call(func() error { t.Error("it ran"); return nil })
	})
	assert.ErrorIs(t, err, cause)
	assert.NotErrorIs(t, err, ErrRunning)
	g.open.Set()
}

// A function of a pool or a worker that waits is ended by a Cancel of its
// thread, and the thread goes on.
func TestCancelOfAPoolsThreadEndsItsFunction(t *testing.T) {
	cause := errors.New("cause")
	var never osthread.Event
	threads := make(chan *osthread.Thread, 1)
	e := newExecutor(t, Options{Threads: 1})
	f := must(t, e, func() (int, error) {
		threads <- osthread.Current()
		never.Wait()
		return 1, nil
	})
	th := <-threads
	await(func() bool { w, ok := th.Waiting(); return ok && w.Object == &never })
	th.Cancel(cause)
	_, err := f.Result()
	assert.Equal(t, cause, err)
	v, err := must(t, e, value(2)).Result()
	assert.NoError(t, err)
	assert.Equal(t, 2, v)

	w, err := NewWorker(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.Shutdown(context.Background())) }()
	call := make(chan error, 1)
	go func() { call <- w.Call(func() error { never.Wait(); return nil }) }()
	await(func() bool { s, ok := w.Thread().Waiting(); return ok && s.Object == &never })
	w.Thread().Cancel(cause)
	assert.Equal(t, cause, <-call)
	assert.NoError(t, w.Call(func() error { return nil }))
}

// The wait for work of a canceled thread goes on; a worker's own Wait ends.
func TestCancelOfAnIdleThread(t *testing.T) {
	cause := errors.New("cause")
	w, err := NewWorker(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.Shutdown(context.Background())) }()
	await(func() bool { _, ok := w.Thread().Waiting(); return ok })
	w.Thread().Cancel(cause)
	assert.Equal(t, cause, w.Call(func() error {
		n, err := w.Wait()
		assert.Zero(t, n)
		return err
	}))
	assert.NoError(t, w.Call(func() error { return nil }))
}

// The same when the Cancel comes while the worker sleeps in Wait, which on one
// processor it does in the scheduler.
func TestCancelEndsWorkersWait(t *testing.T) {
	w, err := NewWorker(nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.Shutdown(context.Background())) }()
	testCancelEndsWait(t, w)
}

func testCancelEndsWait(t *testing.T, w *Worker) {
	cause := errors.New("cause")
	waits := make(chan bool)
	ended := make(chan error, 1)
	go func() {
		ended <- w.Call(func() error {
			close(waits)
			n, err := w.Wait()
			assert.Zero(t, n)
			return err
		})
	}()
	<-waits
	await(w.box.Idle)
	w.Thread().Cancel(cause)
	assert.Equal(t, cause, <-ended)
	assert.NoError(t, w.Call(func() error { return nil }))
}

// An idle timeout is no wait of a task: the thread stays, and the Cancel is for
// the next task.
func TestCancelOfAnIdlePoolThreadIsForItsNextTask(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, IdleTimeout: osthread.TimeoutMax})
	self := func() (*osthread.Thread, error) { return osthread.Current(), nil }
	th, err := must(t, e, self).Result()
	require.NoError(t, err)
	await(func() bool { w, ok := th.Waiting(); return ok && w.Object == "task" })
	cause := errors.New("cause")
	th.Cancel(cause)
	next, err := must(t, e, func() (*osthread.Thread, error) {
		return osthread.Current(), new(osthread.Event).WaitContext(context.Background())
	}).Result()
	assert.Equal(t, cause, err)
	assert.Same(t, th, next)
}

// A submitter whose context is done before there is room submits nothing, even
// if a thread is free before the submitter runs.
func TestSubmitContextDoneBeforeRoomRunsNothing(t *testing.T) {
	for round := range 50 {
		e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog})
		var g gate
		running := must(t, e, g.run)
		g.begun.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		ran := false
		submitter, err := osthread.Go(func() error {
			_, err := SubmitContext(ctx, e, func() (int, error) { ran = true; return 0, nil })
			return err
		})
		require.NoError(t, err)
		awaitSubmitters(e.pool(), 1)
		await(func() bool { _, asleep := submitter.Waiting(); return asleep })
		cancel()
		g.open.Set()
		require.ErrorIs(t, submitter.Join(), context.Canceled, "round %d", round)
		_, err = running.Result()
		require.NoError(t, err)
		require.NoError(t, e.Close())
		require.False(t, ran, "round %d", round)
	}
}
