package executor

import (
	"context"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var _ io.Closer = (*Worker)(nil)

// A loop as C has it: it sleeps until it is woken, and comes by its callback
// then.
type loop struct{ wake chan struct{} }

func (l *loop) post() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func TestWorkerServesCallsInAnEventLoop(t *testing.T) {
	w := newWorker(t)
	l := &loop{wake: make(chan struct{}, 1)}
	w.OnPost(l.post)
	ended := make(chan error, 1)
	require.NoError(t, w.Go(func() {
		for range l.wake {
			if _, err := w.Poll(); err != nil {
				ended <- err
				return
			}
		}
	}))
	for i := range 100 {
		v, err := Call(w, func() (int, error) {
			assert.Same(t, w.Thread(), osthread.Current())
			return i, w.Call(nil) // on its thread
		})
		assert.NoError(t, err)
		assert.Equal(t, i, v)
	}
	var p *PanicError
	assert.ErrorAs(t, w.Call(func() error { panic(errTest) }), &p, "the loop goes on")
	assert.NoError(t, w.CallTimeout(nil, time.Hour))
	assert.NoError(t, w.Shutdown(t.Context()), "wakes the loop, too")
	assert.ErrorIs(t, <-ended, ErrShutdown)
}

func TestWorkerWaitIn(t *testing.T) {
	w := newWorker(t)
	served := make(chan int, 1)
	require.NoError(t, w.Go(func() {
		n := 0
		for {
			k, err := w.Wait()
			n += k
			if err != nil {
				assert.ErrorIs(t, err, ErrShutdown)
				served <- n
				return
			}
		}
	}))
	await(w.box.Idle)
	assert.NoError(t, w.TryCall(nil), "it waits for work")
	for range 10 {
		assert.NoError(t, w.Call(nil))
	}
	assert.NoError(t, w.Close())
	assert.Equal(t, 11, <-served)
}

func TestWorkerPollForms(t *testing.T) {
	w := newWorker(t)
	_, err := w.Poll()
	assert.Equal(t, ErrNotOwner, err)
	_, err = w.Wait()
	assert.Equal(t, ErrNotOwner, err)
	_, err = w.WaitTimeout(time.Hour)
	assert.Equal(t, ErrNotOwner, err)
	_, err = w.WaitContext(t.Context())
	assert.Equal(t, ErrNotOwner, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	assert.NoError(t, w.Call(func() error {
		n, err := w.Poll()
		assert.Zero(t, n)
		assert.NoError(t, err)
		n, err = w.WaitTimeout(0)
		assert.Zero(t, n)
		assert.NoError(t, err)
		n, err = w.WaitTimeout(time.Millisecond)
		assert.Zero(t, n)
		assert.NoError(t, err)
		called := 0
		for range 3 {
			assert.NoError(t, w.Go(func() { called++ }))
		}
		n, err = w.WaitContext(ctx)
		assert.Equal(t, 3, n)
		assert.Equal(t, 3, called)
		assert.NoError(t, err)
		// One of the functions polls, too.
		assert.NoError(t, w.Go(func() {
			n, err := w.Poll()
			assert.Equal(t, 1, n)
			assert.NoError(t, err)
		}))
		assert.NoError(t, w.Go(func() { called++ }))
		n, err = w.Poll()
		assert.Equal(t, 1, n)
		assert.NoError(t, err)
		assert.Equal(t, 4, called)
		go func() {
			await(w.box.Idle)
			cancel(errTest)
		}()
		_, err = w.WaitContext(ctx)
		assert.ErrorIs(t, err, errTest)
		_, err = w.WaitContext(ctx)
		assert.ErrorIs(t, err, errTest, "a context that is done comes first")
		return nil
	}))
}

// Both the function that polls and the one that it has called end.
func TestWorkerPolledFunctionThatCallsGoexit(t *testing.T) {
	w := newWorker(t)
	inner := make(chan error, 1)
	err := w.Call(func() error {
		go func() { inner <- w.Call(func() error { runtime.Goexit(); return nil }) }()
		_, err := w.Wait()
		return err
	})
	assert.ErrorIs(t, err, ErrGoexit)
	assert.ErrorIs(t, <-inner, ErrGoexit)
	assert.ErrorIs(t, w.Close(), ErrGoexit)
}

func TestWorkerOnPostThatPanics(t *testing.T) {
	seen := make(chan any, 1)
	osthread.SetPanicHook(func(_ *osthread.Thread, p *PanicError) { seen <- p.Value })
	defer osthread.SetPanicHook(nil)
	w := newWorker(t)
	w.OnPost(func() { panic(errTest) })
	assert.NoError(t, w.Call(nil))
	assert.Equal(t, errTest, <-seen)
	w.OnPost(nil)
}

func TestWorkerStartsAndStops(t *testing.T) {
	var events []string
	w, err := NewWorkerWith(WorkerOptions{
		Attr:    &osthread.Attr{Name: "gl"},
		OnStart: func() error { events = append(events, "start "+osthread.Current().Name()); return nil },
		OnStop:  func() { events = append(events, "stop") },
	})
	require.NoError(t, err)
	assert.NoError(t, w.Call(func() error { events = append(events, "call"); return nil }))
	assert.Equal(t, "Worker(gl, 0 queued)", w.String())
	assert.NoError(t, w.Close())
	assert.Equal(t, []string{"start gl", "call", "stop"}, events)
}

func TestWorkerStopsHoweverAFunctionEnds(t *testing.T) {
	for _, c := range ends {
		t.Run(c.name, func(t *testing.T) {
			stopped := make(chan struct{}, 1)
			w, err := NewWorkerWith(WorkerOptions{OnStop: func() { stopped <- struct{}{} }})
			require.NoError(t, err)
			assert.Error(t, w.Call(func() error { c.end(); return nil }))
			_ = w.Close()
			<-stopped
		})
	}
}

func TestWorkerWhoseOnStartFails(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *PanicError) {})
	defer osthread.SetPanicHook(nil)
	for _, c := range append(ends, struct {
		name string
		end  func()
		want error
	}{"error", nil, errTest}) {
		t.Run(c.name, func(t *testing.T) {
			var stopped atomic.Bool
			w, err := NewWorkerWith(WorkerOptions{
				OnStart: func() error {
					if c.end != nil {
						c.end()
					}
					return errTest
				},
				OnStop: func() { stopped.Store(true) },
			})
			assert.Nil(t, w)
			assert.ErrorIs(t, err, ErrBroken)
			assert.ErrorIs(t, err, c.want)
			assert.False(t, stopped.Load())
		})
	}
}

func TestWorkerAndRunIsolatedThreadNames(t *testing.T) {
	w, err := NewWorker(nil)
	require.NoError(t, err)
	assert.Regexp(t, `^worker-\d+$`, w.Thread().Name())
	assert.NoError(t, w.Close())
	assert.NoError(t, RunIsolated(func() error {
		assert.Regexp(t, `^isolated-\d+$`, osthread.Current().Name())
		return nil
	}))
}

func TestWorkerErrRunningIsOneLine(t *testing.T) {
	w := newWorker(t)
	out := make(chan struct{})
	err := w.CallTimeout(func() error { <-out; return nil }, time.Millisecond)
	close(out)
	if assert.Error(t, err) {
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestWorkerIsNoDaemonUnlessItIsAskedTo(t *testing.T) {
	th := osthread.New(func() error {
		w, err := NewWorker(nil)
		if err != nil {
			return err
		}
		assert.False(t, w.Thread().Daemon())
		return w.Close()
	}, &osthread.Attr{Daemon: true})
	require.NoError(t, th.Start())
	assert.NoError(t, th.Join())
}

// A call whose caller's context is done is no end of the server's.
func TestWorkerWaitContextBesideACallThatIsGivenUp(t *testing.T) {
	w := newWorker(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 50 {
		assert.NoError(t, w.Call(func() error {
			given, giveUp := context.WithCancelCause(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				assert.Equal(t, errTest, w.CallContext(given, nil))
				assert.NoError(t, w.Go(func() {})) // if the other is gone before the server looks
			}()
			await(func() bool { return w.Backlog() == 1 })
			giveUp(errTest)
			_, err := w.WaitContext(ctx)
			assert.NoError(t, err)
			<-ended
			_, err = w.Poll()
			return err
		}))
	}
}

// What OnPost's function wakes may be gone when the loop has ended.
func TestWorkerOnPostIsCalledOnceForTheEnd(t *testing.T) {
	w := newWorker(t)
	var posts atomic.Int32
	w.OnPost(func() { posts.Add(1) })
	assert.NoError(t, w.Close())
	assert.EqualValues(t, 1, posts.Load())
	assert.NoError(t, w.Close())
	assert.Zero(t, w.ShutdownNow())
	assert.ErrorIs(t, w.Go(nil), ErrShutdown)
	assert.EqualValues(t, 1, posts.Load())
}
