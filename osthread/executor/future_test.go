package executor

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFutureStates(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	g.begun.Wait()
	assert.Equal(t, Running, f.State())
	assert.True(t, f.Running())
	assert.False(t, f.IsDone())
	pending := must(t, e, value(1))
	assert.Equal(t, "Future(pending)", pending.String())
	cancelled := must(t, e, value(1))
	assert.True(t, cancelled.Cancel())
	assert.Equal(t, Cancelled, cancelled.State())
	g.open.Set()
	_, err := pending.Result()
	assert.NoError(t, err)
	assert.Equal(t, Finished, pending.State())
	assert.False(t, pending.Running())
	assert.Equal(t, "unknown", State(9).String())
}

func TestFutureCancel(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	running := must(t, e, g.run)
	g.begun.Wait()
	pending := must(t, e, func() (int, error) { t.Error("a cancelled function ran"); return 0, nil })
	assert.False(t, running.Cancel(), "running")
	assert.True(t, pending.Cancel(), "pending")
	assert.True(t, pending.Cancel(), "cancelled")
	assert.True(t, pending.IsDone())
	assert.Equal(t, 0, e.Queued())
	_, err := pending.Result()
	assert.ErrorIs(t, err, ErrCancelled)
	g.open.Set()
	_, err = running.Result()
	assert.NoError(t, err)
	assert.False(t, running.Cancel(), "finished")
	assert.False(t, running.Cancelled())
}

func TestFutureResult(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	g.begun.Wait()
	_, err := f.TryResult()
	assert.ErrorIs(t, err, ErrTimeout)
	_, err = f.ResultTimeout(-1)
	assert.ErrorIs(t, err, ErrTimeout)
	_, err = f.ResultTimeout(time.Millisecond)
	assert.ErrorIs(t, err, ErrTimeout)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		awaitWaiters(&f.task, 1)
		cancel(errTest)
	}()
	_, err = f.ResultContext(ctx)
	assert.ErrorIs(t, err, errTest)
	go func() {
		awaitWaiters(&f.task, 1)
		g.open.Set()
	}()
	v, err := f.ResultTimeout(1<<63 - 1)
	assert.NoError(t, err)
	assert.Zero(t, v)
	_, err = f.ResultContext(ctx)
	assert.ErrorIs(t, err, errTest, "a context that is done comes first")
	w, err := must(t, e, func() (string, error) { return "both", errTest }).Result()
	assert.ErrorIs(t, err, errTest)
	assert.Equal(t, "both", w)
}

func TestFutureResultReachesEveryWaiter(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			_, err := f.Result()
			assert.NoError(t, err)
		})
		th, err := osthread.Go(func() error { _, err := f.Result(); return err })
		require.NoError(t, err)
		wg.Go(func() { assert.NoError(t, th.Join()) })
	}
	wg.Go(func() { <-f.Done() })
	awaitWaiters(&f.task, 6)
	g.open.Set()
	wg.Wait()
}

func TestFutureResultInTheTaskItself(t *testing.T) {
	e := newExecutor(t, Options{})
	self := make(chan *Future[int], 1)
	f := must(t, e, func() (int, error) { return (<-self).Result() })
	self <- f
	_, err := f.Result()
	assert.ErrorIs(t, err, ErrDeadlock)
}

func TestFutureResultOfAPanic(t *testing.T) {
	e := newExecutor(t, Options{})
	_, err := must(t, e, func() (int, error) { panic(errTest) }).Result()
	var p *PanicError
	require.ErrorAs(t, err, &p)
	assert.Equal(t, errTest, p.Value)
	assert.Contains(t, string(p.Stack), "TestFutureResultOfAPanic")
}

func TestFutureDone(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	done := f.Done()
	assert.Equal(t, done, f.Done())
	select {
	case <-done:
		t.Error("done before its end")
	default:
	}
	pending := must(t, e, value(1))
	pendingDone := pending.Done()
	pending.Cancel()
	<-pendingDone
	g.open.Set()
	<-done
	<-f.Done()
	<-must(t, e, value(1)).Done()
}

func TestFutureOnDone(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
	var g gate
	f := must(t, e, g.run)
	var order []int
	var on []string
	for i := range 3 {
		f.OnDone(func(got *Future[int]) {
			assert.Same(t, f, got)
			assert.True(t, f.IsDone())
			order = append(order, i)
			on = append(on, osthread.Current().Name())
		})
	}
	g.open.Set()
	_, err := must(t, e, value(1)).Result() // after the callbacks
	assert.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2}, order)
	assert.Equal(t, []string{"pool_0", "pool_0", "pool_0"}, on)
	called := false
	f.OnDone(func(*Future[int]) { called = true })
	assert.True(t, called, "at once, if done")
}

func TestFutureOnDoneOfACancelledFutureRunsInTheCanceller(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	defer leave()
	f := must(t, e, value(1))
	called := false
	f.OnDone(func(f *Future[int]) { called = f.Cancelled() })
	assert.True(t, f.Cancel())
	assert.True(t, called)
}

func TestFutureOnDonePanicIsReported(t *testing.T) {
	var reported atomic.Int32
	osthread.SetPanicHook(func(th *osthread.Thread, p *PanicError) {
		assert.ErrorIs(t, p, errTest)
		if reported.Add(1) == 1 {
			assert.Equal(t, "pool_0", th.Name())
		}
	})
	defer osthread.SetPanicHook(nil)
	e := newExecutor(t, Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
	var g gate
	f := must(t, e, g.run)
	last := make(chan bool, 1)
	f.OnDone(func(*Future[int]) { panic(errTest) })
	f.OnDone(func(*Future[int]) { last <- true })
	g.open.Set()
	assert.True(t, <-last)
	assert.EqualValues(t, 1, reported.Load())
	f.OnDone(func(*Future[int]) { panic(errTest) })
	assert.EqualValues(t, 2, reported.Load())
}

func TestFutureOnDoneGoexitSkipsNoCallback(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	last := make(chan bool, 1)
	f.OnDone(func(*Future[int]) { runtime.Goexit() })
	f.OnDone(func(*Future[int]) { last <- true })
	queued := must(t, e, value(1))
	g.open.Set()
	assert.True(t, <-last)
	_, err := queued.Result()
	assert.NoError(t, err)
}

// The thread is gone already: it is not the thread that calls them.
func TestFutureOnDoneOfATaskThatCalledGoexit(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
	var g gate
	must(t, e, g.run)
	f := must(t, e, func() (int, error) { runtime.Goexit(); return 0, nil })
	last := make(chan bool, 1)
	f.OnDone(func(*Future[int]) { runtime.Goexit() })
	f.OnDone(func(*Future[int]) { last <- true })
	queued := must(t, e, threadName)
	g.open.Set()
	assert.True(t, <-last)
	name, err := queued.Result()
	assert.NoError(t, err)
	assert.Equal(t, "pool_0", name, "the number is free")
}

// A callback may use the pool: the thread that runs it is not counted on.
func TestFutureOnDoneThatClosesThePool(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2})
	var g gate
	f := must(t, e, g.run)
	got := make(chan int, 1)
	f.OnDone(func(*Future[int]) {
		v, err := must(t, e, value(3)).Result()
		assert.NoError(t, err)
		got <- v
	})
	g.open.Set()
	assert.Equal(t, 3, <-got)
}

func TestPromise(t *testing.T) {
	p := NewPromise[int]()
	f := p.Future()
	assert.Equal(t, Pending, f.State())
	assert.NoError(t, p.SetRunning())
	assert.ErrorIs(t, p.SetRunning(), ErrInvalidState)
	assert.False(t, f.Cancel())
	assert.NoError(t, p.SetResult(4))
	assert.ErrorIs(t, p.SetResult(5), ErrInvalidState, "a second time")
	assert.ErrorIs(t, p.SetError(errTest), ErrInvalidState)
	assert.ErrorIs(t, p.SetRunning(), ErrInvalidState)
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 4, v)

	p = NewPromise[int]()
	assert.NoError(t, p.SetError(errTest), "from pending")
	_, err = p.Future().Result()
	assert.ErrorIs(t, err, errTest)

	p = NewPromise[int]()
	assert.True(t, p.Future().Cancel())
	assert.ErrorIs(t, p.SetRunning(), ErrCancelled)
	assert.ErrorIs(t, p.SetResult(1), ErrCancelled)
	_, err = p.Future().Result()
	assert.ErrorIs(t, err, ErrCancelled)
}

func TestPromiseIsKeptOnceAndWakesItsWaiters(t *testing.T) {
	for range 200 {
		p := NewPromise[int]()
		var kept, cancelled atomic.Int32
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				if p.SetResult(i) == nil {
					kept.Add(1)
				}
			})
		}
		wg.Go(func() {
			if p.Future().Cancel() {
				cancelled.Add(1)
			}
		})
		_, err := p.Future().Result()
		wg.Wait()
		assert.EqualValues(t, 1, kept.Load()+cancelled.Load())
		assert.Equal(t, cancelled.Load() == 1, errors.Is(err, ErrCancelled))
	}
}

// What is traced sees waits for futures.
func TestFutureWaitsAreTraced(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	f := must(t, e, g.run)
	var blocked atomic.Pointer[any]
	th := osthread.New(func() error { _, err := f.Result(); return err }, nil)
	th.SetTrace(func(ev osthread.TraceEvent) {
		if ev.Action == osthread.TraceBlock {
			blocked.Store(&ev.Object)
		}
	})
	require.NoError(t, th.Start())
	awaitWaiters(&f.task, 1)
	g.open.Set()
	assert.NoError(t, th.Join())
	assert.Equal(t, any(f), *blocked.Load())
}

func TestFutureResultContextThatIsDoneFirst(t *testing.T) {
	for range 100 {
		p := NewPromise[int]()
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan error)
		go func() {
			_, err := p.Future().ResultContext(ctx)
			got <- err
		}()
		awaitWaiters(&p.f.task, 1)
		cancel()
		require.NoError(t, p.SetResult(1))
		require.ErrorIs(t, <-got, context.Canceled)
	}
}
