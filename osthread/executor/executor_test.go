package executor

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errTest = errors.New("test")

func threadName() (string, error) { return osthread.Current().Name(), nil }

func TestOptionsDefaultsAreThoseOfPython(t *testing.T) {
	e := newExecutor(t, Options{})
	assert.Equal(t, min(32, runtime.GOMAXPROCS(0)+4), e.p.Threads)
	assert.Empty(t, e.Threads())
	name, err := must(t, e, threadName).Result()
	assert.NoError(t, err)
	assert.Regexp(t, `^Executor-\d+_0$`, name)
}

func TestExecutorThreadsAreNamedByPrefixAndNumber(t *testing.T) {
	e := newExecutor(t, Options{Threads: 3, Attr: &osthread.Attr{Name: "gl"}})
	defer fill(t, e, 3)()
	assert.Equal(t, "gl_0 gl_1 gl_2", names(e.Threads()))
}

func TestExecutorThreadsHaveTheAttributes(t *testing.T) {
	e := newExecutor(t, Options{Attr: &osthread.Attr{Daemon: true}})
	daemon, err := must(t, e, func() (bool, error) { return osthread.Current().Daemon(), nil }).Result()
	assert.NoError(t, err)
	assert.True(t, daemon)
	// A thread that submits hands nothing down.
	e = newExecutor(t, Options{})
	th := osthread.New(func() error {
		f, err := Submit(e, func() (bool, error) { return osthread.Current().Daemon(), nil })
		if err != nil {
			return err
		}
		daemon, err = f.Result()
		return err
	}, &osthread.Attr{Daemon: true})
	require.NoError(t, th.Start())
	assert.NoError(t, th.Join())
	assert.False(t, daemon)
}

func TestExecutorThreadsHaveTheStackSize(t *testing.T) {
	e, err := New(Options{Attr: &osthread.Attr{StackSize: 1 << 20}})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("pinned threads")
	}
	require.NoError(t, err)
	size, err := must(t, e, func() (int, error) { return thread.Current().StackSize(), nil }).Result()
	assert.NoError(t, err)
	assert.Equal(t, 1<<20, size)
	assert.NoError(t, e.Close())
}

func TestExecutorStartsAThreadOnlyIfNoneIsIdle(t *testing.T) {
	e := newExecutor(t, Options{Threads: 3})
	for range 100 {
		_, err := must(t, e, value(1)).Result()
		assert.NoError(t, err)
	}
	assert.Len(t, e.Threads(), 1, "a result that is there means a thread that is there")
	leave := fill(t, e, 2)
	assert.Len(t, e.Threads(), 2)
	leave()
	awaitResting(e.p, 2)
	defer fill(t, e, 2)()
	assert.Len(t, e.Threads(), 2)
}

// A thread is making its context; another, which has one, is idle.
func TestExecutorPrefersIdleThreadsToStartingOnes(t *testing.T) {
	var hold osthread.Event
	var starts atomic.Int32
	e := newExecutor(t, Options{Threads: 2, OnStart: func() error {
		if starts.Add(1) == 2 {
			hold.Wait()
		}
		return nil
	}})
	leave := fill(t, e, 1)
	f := must(t, e, value(1)) // has a second thread started
	await(func() bool { return starts.Load() == 2 })
	leave()
	_, err := f.Result()
	assert.NoError(t, err)
	awaitResting(e.p, 1)
	v, err := must(t, e, value(2)).Result()
	assert.NoError(t, err)
	assert.Equal(t, 2, v)
	hold.Set()
}

func TestExecutorReservesPlacesUntilItHasEnded(t *testing.T) {
	if runtime.GOARCH == "wasm" {
		t.Skip("GOMAXPROCS is 1")
	}
	before := runtime.GOMAXPROCS(0)
	e, err := New(Options{Threads: 3, Reserve: true})
	require.NoError(t, err)
	assert.Equal(t, before+3, runtime.GOMAXPROCS(0))
	must(t, e, value(1))
	require.NoError(t, e.Close())
	assert.Equal(t, before, runtime.GOMAXPROCS(0))
	require.NoError(t, e.Close(), "again")

	e, err = New(Options{Threads: 5000, Reserve: true})
	assert.ErrorIs(t, err, syscall.EINVAL)
	assert.Nil(t, e)
	assert.Equal(t, before, runtime.GOMAXPROCS(0))
}

func TestNewWithBadOptionsCreatesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want error
	}{
		{"threads", Options{Threads: -1}, ErrInvalid},
		{"backlog", Options{Backlog: -2}, ErrInvalid},
		{"policy", Options{Full: RunInCaller + 1}, ErrInvalid},
		{"idle", Options{IdleTimeout: -1}, ErrInvalid},
		{"affinity", Options{Attr: &osthread.Attr{Affinity: []int{}}}, syscall.EINVAL},
		{"priority", Options{Attr: &osthread.Attr{Priority: 1}}, syscall.EINVAL},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := New(c.o)
			assert.Nil(t, e)
			if !errors.Is(err, errors.ErrUnsupported) {
				assert.ErrorIs(t, err, c.want)
			}
			k, err := NewKeyed(c.o)
			assert.Nil(t, k)
			if !errors.Is(err, errors.ErrUnsupported) {
				assert.ErrorIs(t, err, c.want)
			}
		})
	}
	_, err := New(Options{Attr: &osthread.Attr{StackSize: 1}})
	assert.True(t, errors.Is(err, thread.ErrStackSize) || errors.Is(err, errors.ErrUnsupported), err)
	_, err = NewKeyed(Options{Reserve: true})
	assert.ErrorIs(t, err, ErrInvalid)
	_, err = NewKeyed(Options{IdleTimeout: 1})
	assert.ErrorIs(t, err, ErrInvalid)
}

func TestBacklogIsUnboundedByDefault(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	for range 1000 {
		must(t, e, value(1))
	}
	assert.Equal(t, 1000, e.Queued())
	leave()
}

func TestExecutorBeginsTasksInOrder(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	var order []int
	for i := range 100 {
		must(t, e, func() (int, error) { order = append(order, i); return 0, nil })
	}
	leave()
	assert.NoError(t, e.Close())
	assert.Len(t, order, 100)
	assert.True(t, slices.IsSorted(order))
}

func TestSubmitAfterShutdownReturnsErrShutdown(t *testing.T) {
	e := newExecutor(t, Options{})
	assert.NoError(t, e.Close())
	f, err := Submit(e, value(1))
	assert.Nil(t, f)
	assert.ErrorIs(t, err, ErrShutdown)
}

func TestExecutorShutdownRunsQueuedTasks(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	f := must(t, e, value(7))
	running, err := e.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	assert.Equal(t, e.Threads(), running)
	assert.Len(t, running, 1)
	leave()
	assert.NoError(t, e.Close())
	assert.NoError(t, e.Close(), "any number of times")
	v, err := f.TryResult()
	assert.NoError(t, err)
	assert.Equal(t, 7, v)
	assert.Empty(t, e.Threads())
}

func TestExecutorShutdownNowCancelsQueuedTasks(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	leave := fill(t, e, 1)
	f := must(t, e, value(7))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	running, err := e.ShutdownNow(ctx)
	assert.ErrorIs(t, err, errTest)
	assert.Len(t, running, 1)
	assert.True(t, f.Cancelled())
	leave()
	running, err = e.Shutdown(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, running)
}

func TestExecutorShutdownReturnsRunningThreads(t *testing.T) {
	e := newExecutor(t, Options{Threads: 3, Attr: &osthread.Attr{Name: "io"}})
	leave := fill(t, e, 2)
	running, err := e.ShutdownTimeout(time.Millisecond)
	assert.ErrorIs(t, err, ErrTimeout)
	assert.Equal(t, "io_0 io_1", names(running))
	leave()
	running, err = e.ShutdownTimeout(time.Hour)
	assert.NoError(t, err)
	assert.Empty(t, running)
}

func TestExecutorShutdownOnItsOwnThread(t *testing.T) {
	e := newExecutor(t, Options{})
	_, err := must(t, e, func() (int, error) { return 0, e.Close() }).Result()
	assert.ErrorIs(t, err, ErrDeadlock)
	_, err = Submit(e, value(1))
	assert.ErrorIs(t, err, ErrShutdown)
}

func TestExecutorThatIsGarbageEnds(t *testing.T) {
	f, p := func() (*Future[int], *pool) {
		e, err := New(Options{Threads: 1})
		require.NoError(t, err)
		return must(t, e, value(1)), e.p
	}()
	await(func() bool { runtime.GC(); return p.end.f.IsDone() })
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
}

func TestFullBacklogRejects(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: 2, Full: Reject})
	leave := fill(t, e, 1)
	defer leave()
	must(t, e, value(1))
	f := must(t, e, value(2))
	for _, submit := range []func() (*Future[int], error){
		func() (*Future[int], error) { return Submit(e, value(3)) },
		func() (*Future[int], error) { return TrySubmit(e, value(3)) },
		func() (*Future[int], error) { return SubmitTimeout(e, value(3), time.Hour) },
		func() (*Future[int], error) { return SubmitContext(t.Context(), e, value(3)) },
	} {
		f, err := submit()
		assert.Nil(t, f)
		assert.ErrorIs(t, err, ErrFull)
	}
	assert.True(t, f.Cancel())
	must(t, e, value(3)) // has the place
}

func TestNoBacklogAcceptsOneTaskPerThread(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2, Backlog: NoBacklog, Full: Reject})
	leave := fill(t, e, 2)
	_, err := Submit(e, value(1))
	assert.ErrorIs(t, err, ErrFull)
	leave()
	awaitResting(e.p, 2)
	leave = fill(t, e, 2)
	_, err = Submit(e, value(1))
	assert.ErrorIs(t, err, ErrFull)
	leave()
}

func TestNoBacklogHandsTasksToIdleThreads(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog})
	leave := fill(t, e, 1)
	result := make(chan int)
	go func() {
		f, err := Submit(e, value(5))
		assert.NoError(t, err)
		v, err := f.Result()
		assert.NoError(t, err)
		result <- v
	}()
	awaitSubmitters(e.p, 1)
	leave()
	assert.Equal(t, 5, <-result)
}

func TestFullBacklogBlocks(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: 1})
	leave := fill(t, e, 1)
	inBacklog := must(t, e, value(0))
	var order []int
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			f, err := Submit(e, func() (int, error) { order = append(order, i); return i, nil })
			if assert.NoError(t, err) {
				_, err = f.Result()
				assert.NoError(t, err)
			}
		})
		awaitSubmitters(e.p, i+1)
	}
	f, err := TrySubmit(e, value(1))
	assert.Nil(t, f)
	assert.ErrorIs(t, err, ErrFull)
	_, err = SubmitTimeout(e, value(1), 0)
	assert.ErrorIs(t, err, ErrFull)
	_, err = SubmitTimeout(e, value(1), time.Millisecond)
	assert.ErrorIs(t, err, ErrFull)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		awaitSubmitters(e.p, 4)
		cancel(errTest)
	}()
	_, err = SubmitContext(ctx, e, value(1))
	assert.ErrorIs(t, err, errTest)
	_, err = SubmitContext(ctx, e, value(1))
	assert.ErrorIs(t, err, errTest)
	assert.True(t, inBacklog.Cancel(), "makes a place")
	awaitSubmitters(e.p, 2)
	leave()
	wg.Wait()
	assert.Equal(t, []int{0, 1, 2}, order)
}

// An asking is a context that asks something whenever it is asked itself.
type asking struct {
	context.Context
	ask func()
}

func (a asking) Done() <-chan struct{} {
	a.ask()
	return a.Context.Done()
}

func TestSubmitContextMayUseItsExecutor(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog})
	defer fill(t, e, 1)()
	inner, cancel := context.WithCancelCause(t.Context())
	_, err := SubmitContext(asking{inner, func() {
		e.Queued()
		cancel(errTest)
	}}, e, value(1))
	assert.ErrorIs(t, err, errTest)
}

func TestExecutorShutdownRefusesBlockedSubmitters(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog})
	leave := fill(t, e, 1)
	ended := make(chan error)
	go func() {
		_, err := Submit(e, value(1))
		ended <- err
	}()
	awaitSubmitters(e.p, 1)
	_, err := e.TryShutdown()
	assert.ErrorIs(t, err, ErrTimeout)
	assert.ErrorIs(t, <-ended, ErrShutdown)
	leave()
}

func TestFullBacklogRunsInTheCaller(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog, Full: RunInCaller})
	defer fill(t, e, 1)()
	caller := osthread.New(func() error {
		f, err := Submit(e, threadName)
		if err != nil {
			return err
		}
		assert.True(t, f.IsDone())
		name, err := f.Result()
		assert.Equal(t, "caller", name)
		assert.NoError(t, err)
		f2, err := Submit(e, func() (int, error) { panic(errTest) })
		if err != nil {
			return err
		}
		_, err = f2.Result()
		assert.ErrorIs(t, err, errTest)
		_, err = TrySubmit(e, threadName)
		assert.ErrorIs(t, err, ErrFull)
		_, err = Submit(e, func() (int, error) { runtime.Goexit(); return 0, nil })
		t.Error("unreachable", err)
		return nil
	}, &osthread.Attr{Name: "caller"})
	require.NoError(t, caller.Start())
	assert.ErrorIs(t, caller.Join(), ErrGoexit)
}

func TestIdleTimeoutEndsThreads(t *testing.T) {
	var stopped atomic.Int32
	e := newExecutor(t, Options{Threads: 2, IdleTimeout: time.Nanosecond, OnStop: func() { stopped.Add(1) }})
	fill(t, e, 2)()
	await(func() bool { return len(e.Threads()) == 0 })
	assert.EqualValues(t, 2, stopped.Load())
	for i := range 100 {
		v, err := must(t, e, value(i)).Result()
		assert.NoError(t, err)
		assert.Equal(t, i, v)
	}
}

func TestOnStartAndOnStopRunOnEachThread(t *testing.T) {
	var mu sync.Mutex
	started, stopped := map[string]int{}, map[string]int{}
	count := func(m map[string]int) {
		mu.Lock()
		defer mu.Unlock()
		m[osthread.Current().Name()]++
	}
	e := newExecutor(t, Options{
		Threads: 2, Attr: &osthread.Attr{Name: "x"},
		OnStart: func() error { count(started); return nil },
		OnStop:  func() { count(stopped) },
	})
	fill(t, e, 2)()
	assert.NoError(t, e.Close())
	assert.Equal(t, map[string]int{"x_0": 1, "x_1": 1}, started)
	assert.Equal(t, started, stopped)
}

func TestPoolWhoseOnStartFailsIsBroken(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *PanicError) {})
	defer osthread.SetPanicHook(nil)
	for _, c := range []struct {
		name    string
		onStart func() error
		want    error
	}{
		{"error", func() error { return errTest }, errTest},
		{"panic", func() error { panic(errTest) }, errTest},
		{"Goexit", func() error { runtime.Goexit(); return nil }, ErrGoexit},
		{"Exit", func() error { thread.Exit(); return nil }, ErrExit},
	} {
		t.Run(c.name, func(t *testing.T) {
			var begin osthread.Event
			stopped := false
			e := newExecutor(t, Options{
				Threads: 1, Backlog: 2,
				OnStart: func() error { begin.Wait(); return c.onStart() },
				OnStop:  func() { stopped = true },
			})
			queued := []*Future[int]{must(t, e, value(1)), must(t, e, value(2)), must(t, e, value(3))}
			submitter := make(chan error)
			go func() {
				_, err := Submit(e, value(4))
				submitter <- err
			}()
			awaitSubmitters(e.p, 1)
			begin.Set()
			for _, f := range queued {
				_, err := f.Result()
				assert.ErrorIs(t, err, ErrBroken)
				assert.ErrorIs(t, err, c.want)
			}
			assert.ErrorIs(t, <-submitter, ErrBroken)
			_, err := Submit(e, value(1))
			assert.ErrorIs(t, err, ErrBroken)
			assert.ErrorIs(t, err, c.want)
			assert.NoError(t, e.Close())
			assert.False(t, stopped)
		})
	}
}

func TestPoolThatBreaksFinishesRunningTasks(t *testing.T) {
	var first atomic.Bool
	e := newExecutor(t, Options{Threads: 2, OnStart: func() error {
		if first.CompareAndSwap(false, true) {
			return nil
		}
		return errTest
	}})
	var g gate
	f := must(t, e, g.run)
	g.begun.Wait()
	_, err := must(t, e, value(1)).Result()
	assert.ErrorIs(t, err, ErrBroken)
	g.open.Set()
	_, err = f.Result()
	assert.NoError(t, err)
	await(func() bool { return len(e.Threads()) == 0 })
}

func TestPoolThreadThatCannotBeStarted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the attribute that fails is Linux's")
	}
	e := newExecutor(t, Options{Attr: &osthread.Attr{Affinity: []int{1023}}})
	for range 3 {
		f, err := Submit(e, value(1))
		assert.Nil(t, f)
		assert.ErrorIs(t, err, syscall.EINVAL)
	}
	assert.Empty(t, e.Threads())
	k, err := NewKeyed(Options{Attr: &osthread.Attr{Affinity: []int{1023}}})
	require.NoError(t, err)
	_, err = SubmitKey(k, "a", value(1))
	assert.ErrorIs(t, err, syscall.EINVAL)
	assert.NoError(t, k.Close())
}

// More threads cannot be made, but there is one.
func TestPoolUsesItsThreadsIfNoneCanBeStarted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the attribute that fails is Linux's")
	}
	e := newExecutor(t, Options{Threads: 3})
	leave := fill(t, e, 1)
	e.p.Attr.Affinity = []int{1023}
	f := must(t, e, value(1))
	assert.Len(t, e.Threads(), 1)
	leave()
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
}

func TestPoolReplacesThreadsOfTasksThatDoNotReturn(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func()
		want error
	}{
		{"panic", func() { panic(errTest) }, errTest},
		{"Goexit", runtime.Goexit, ErrGoexit},
		{"Exit", thread.Exit, ErrExit},
		{"nil panic", func() { panic(nil) }, new(runtime.PanicNilError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var starts, stops atomic.Int32
			e := newExecutor(t, Options{
				Threads: 1,
				OnStart: func() error {
					assert.Equal(t, stops.Load(), starts.Load(), "before its predecessor's OnStop")
					starts.Add(1)
					return nil
				},
				OnStop: func() { stops.Add(1) },
			})
			var g gate
			must(t, e, g.run)
			bad := must(t, e, func() (int, error) { c.end(); return 1, nil })
			queued := must(t, e, value(2))
			g.open.Set()
			v, err := bad.Result()
			assert.Zero(t, v)
			if _, isNil := c.want.(*runtime.PanicNilError); isNil {
				var nilPanic *runtime.PanicNilError
				assert.ErrorAs(t, err, &nilPanic)
			} else {
				assert.ErrorIs(t, err, c.want)
			}
			v, err = queued.Result()
			assert.NoError(t, err)
			assert.Equal(t, 2, v)
			assert.EqualValues(t, 2, starts.Load(), "the thread has been replaced")
			assert.NoError(t, e.Close())
			assert.EqualValues(t, 2, stops.Load())
		})
	}
}

func TestSubmitWhileAThreadEnds(t *testing.T) {
	var stopping, stop osthread.Event
	var once sync.Once
	e := newExecutor(t, Options{Threads: 1, OnStop: func() { once.Do(func() { stopping.Set(); stop.Wait() }) }})
	must(t, e, func() (int, error) { panic(errTest) })
	stopping.Wait()
	f := must(t, e, value(1))
	assert.False(t, f.IsDone())
	stop.Set()
	v, err := f.Result()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
}

func TestExecutorString(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Attr: &osthread.Attr{Name: "db"}})
	leave := fill(t, e, 1)
	must(t, e, value(1))
	assert.Equal(t, "Executor(db, 1 threads, 1 queued)", e.String())
	leave()
}

func TestSubmitContextThatIsDoneFirstSubmitsNothing(t *testing.T) {
	for range 50 {
		e := newExecutor(t, Options{Threads: 1, Backlog: 1})
		leave := fill(t, e, 1)
		in := must(t, e, value(1))
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan error)
		go func() {
			_, err := SubmitContext(ctx, e, value(2))
			got <- err
		}()
		awaitSubmitters(e.p, 1)
		cancel()
		require.True(t, in.Cancel(), "makes a place in the backlog, where it would stay")
		require.ErrorIs(t, <-got, context.Canceled)
		leave()
		require.NoError(t, e.Close())
	}
}

// A trace function that ends the goroutine, which it must not.
func TestSubmitWhoseTraceFunctionCallsGoexitSubmitsNothing(t *testing.T) {
	for _, action := range []osthread.Action{osthread.TraceBlock, osthread.TraceResume} {
		e := newExecutor(t, Options{Threads: 1, Backlog: 1})
		leave := fill(t, e, 1)
		in := must(t, e, value(1))
		var ran atomic.Bool
		th := osthread.New(func() error {
			_, err := Submit(e, func() (int, error) { ran.Store(true); return 0, nil })
			return err
		}, nil)
		th.SetTrace(func(ev osthread.TraceEvent) {
			if ev.Action == action {
				runtime.Goexit()
			}
		})
		require.NoError(t, th.Start())
		if action == osthread.TraceResume {
			awaitSubmitters(e.p, 1)
			require.True(t, in.Cancel(), "makes a place in the backlog, where it stays")
		}
		require.ErrorIs(t, th.Join(), osthread.ErrGoexit)
		leave()
		require.NoError(t, e.Close())
		require.False(t, ran.Load())
	}
}
