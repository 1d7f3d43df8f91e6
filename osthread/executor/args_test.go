package executor

import (
	"context"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// copyOf returns a copy that vet does not see.
func copyOf[T any](v *T) *T {
	c := new(T)
	reflect.ValueOf(c).Elem().Set(reflect.ValueOf(v).Elem())
	return c
}

func TestExecutorCopyOutlivesTheOriginal(t *testing.T) {
	e, k := func() (*Executor, *Keyed) {
		e, err := New(Options{Threads: 1})
		require.NoError(t, err)
		k, err := NewKeyed(Options{Threads: 1})
		require.NoError(t, err)
		return copyOf(e), copyOf(k)
	}()
	for range 5 {
		runtime.GC() // runs the cleanups of what is garbage, some time after
		ran := make(chan struct{})
		runtime.AddCleanup(new([16]byte), func(ran chan struct{}) { close(ran) }, ran)
		await(func() bool {
			runtime.GC()
			select {
			case <-ran:
				return true
			default:
				return false
			}
		})
	}
	_, err := must(t, e, value(1)).Result()
	assert.NoError(t, err)
	f, err := SubmitKey(k, 1, value(1))
	require.NoError(t, err)
	_, err = f.Result()
	assert.NoError(t, err)
	assert.NoError(t, e.Close())
	assert.NoError(t, k.Close())
}

func TestExecutorCopyIsReportedByVet(t *testing.T) {
	locker := reflect.TypeFor[interface {
		Lock()
		Unlock()
	}]()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[Executor](), reflect.TypeFor[Keyed](), reflect.TypeFor[Worker](),
	} {
		seen := false
		for i := range typ.NumField() {
			seen = seen || reflect.PointerTo(typ.Field(i).Type).Implements(locker)
		}
		assert.True(t, seen, "%v", typ)
	}
}

// What the caller does with its slices later is its own business.
func TestOptionsAttrIsCopiedAtTheCall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("affinity is Linux's here")
	}
	all, err := must(t, newExecutor(t, Options{Threads: 1}), affinity).Result()
	require.NoError(t, err)
	first := all[:1]
	attr := &osthread.Attr{Affinity: slices.Clone(first)}
	e := newExecutor(t, Options{Threads: 1, Attr: attr})
	k := newKeyed(t, Options{Threads: 1, Attr: attr})
	attr.Affinity[0] = 1 << 20
	got, err := must(t, e, affinity).Result()
	assert.NoError(t, err)
	assert.Equal(t, first, got)
	f, err := SubmitKey(k, 1, affinity)
	require.NoError(t, err)
	got, err = f.Result()
	assert.NoError(t, err)
	assert.Equal(t, first, got)
}

// affinity returns that of the calling thread.
func affinity() ([]int, error) {
	low, err := osthread.Current().OSThread()
	if err != nil {
		return nil, err
	}
	return low.Affinity()
}

func TestExecutorZeroValues(t *testing.T) {
	var e Executor
	_, err := Submit(&e, value(1))
	assert.ErrorIs(t, err, ErrShutdown)
	_, err = TrySubmit(&e, value(1))
	assert.ErrorIs(t, err, ErrShutdown)
	for _, err := range Map(&e, 0, slices.Values([]int{1}), func(int) (int, error) { return 1, nil }) {
		assert.ErrorIs(t, err, ErrShutdown)
	}
	assert.NoError(t, e.Close())
	_, err = e.ShutdownNow(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, e.Threads())
	assert.Zero(t, e.Queued())
	assert.Equal(t, "Executor(none, 0 threads, 0 queued)", e.String())

	var k Keyed
	_, err = SubmitKey(&k, 1, value(1))
	assert.ErrorIs(t, err, ErrShutdown)
	assert.NoError(t, k.Close())
	_, err = k.ShutdownNow(t.Context())
	assert.NoError(t, err)
	assert.Empty(t, k.Threads())
	assert.Equal(t, "Keyed(none, 0 threads, 0 queued)", k.String())

	var w Worker
	assert.ErrorIs(t, w.Call(nil), ErrShutdown)
	assert.ErrorIs(t, w.TryCall(nil), ErrShutdown)
	assert.ErrorIs(t, w.CallTimeout(nil, time.Hour), ErrShutdown)
	assert.ErrorIs(t, w.CallTimeout(nil, 0), ErrShutdown)
	assert.ErrorIs(t, w.CallContext(t.Context(), nil), ErrShutdown)
	assert.ErrorIs(t, w.Go(nil), ErrShutdown)
	_, err = w.Poll()
	assert.ErrorIs(t, err, ErrNotOwner)
	_, err = w.Wait()
	assert.ErrorIs(t, err, ErrNotOwner)
	w.OnPost(nil)
	assert.Nil(t, w.Thread())
	assert.Zero(t, w.Backlog())
	assert.Zero(t, w.ShutdownNow())
	assert.NoError(t, w.Close())
	assert.Equal(t, "Worker(none)", w.String())

	var f Future[int]
	assert.Equal(t, "Future(pending)", f.String())
	_, err = f.TryResult()
	assert.ErrorIs(t, err, ErrTimeout)
	called := make(chan struct{})
	f.OnDone(func(*Future[int]) { close(called) })
	waits := make(chan error)
	go func() {
		_, err := f.Result()
		waits <- err
	}()
	awaitWaiters(&f.task, 1)
	assert.True(t, f.Cancel())
	assert.ErrorIs(t, <-waits, ErrCancelled)
	<-called

	var p Promise[int]
	assert.Equal(t, "Promise(pending)", p.String())
	go func() {
		_, err := p.Future().Result()
		waits <- err
	}()
	awaitWaiters(&p.f.task, 1)
	assert.NoError(t, p.SetResult(1))
	assert.NoError(t, <-waits)
	var cancelled Promise[int]
	assert.True(t, cancelled.Future().Cancel())
	assert.ErrorIs(t, cancelled.SetResult(1), ErrCancelled)
}

// A nil function does nothing, wherever one is given.
func TestExecutorNilFunctionDoesNothing(t *testing.T) {
	e, k, w := newExecutor(t, Options{Threads: 1}), newKeyed(t, Options{Threads: 1}), newWorker(t)
	result := func(f *Future[int], err error) {
		t.Helper()
		require.NoError(t, err)
		v, err := f.Result()
		assert.NoError(t, err)
		assert.Zero(t, v)
		f.OnDone(nil)
	}
	result(Submit[int](e, nil))
	result(TrySubmit[int](e, nil))
	result(SubmitTimeout[int](e, nil, time.Hour))
	result(SubmitContext[int](t.Context(), e, nil))
	result(SubmitKey[int, int](k, 1, nil))
	n := 0
	for v, err := range Map[int, int](e, 0, slices.Values([]int{1, 2}), nil) {
		assert.NoError(t, err)
		assert.Zero(t, v)
		n++
	}
	assert.Equal(t, 2, n)
	assert.NoError(t, w.Call(nil))
	assert.NoError(t, w.CallTimeout(nil, time.Hour))
	assert.NoError(t, w.CallContext(t.Context(), nil))
	assert.NoError(t, w.Go(nil))
	for range 2 { // elsewhere, and on its thread
		v, err := Call[int](w, nil)
		assert.NoError(t, err)
		assert.Zero(t, v)
		_, err = CallTimeout[int](w, nil, time.Hour)
		assert.NoError(t, err)
		_, err = CallContext[int](t.Context(), w, nil)
		assert.NoError(t, err)
	}
	assert.NoError(t, w.Call(func() error { _, err := Call[int](w, nil); return err }))
	assert.NoError(t, RunIsolated(nil))
	p := NewPromise[int]()
	p.Future().OnDone(nil)
	assert.NoError(t, p.SetError(nil))
}

// Whatever the numbers are, there is a typed error, or it works.
func TestExecutorExtremeArguments(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		ok   bool
	}{
		{"threads MinInt", Options{Threads: math.MinInt}, false},
		{"threads MaxInt", Options{Threads: math.MaxInt}, false},
		{"threads too many", Options{Threads: maxThreads + 1}, false},
		{"threads most", Options{Threads: maxThreads}, true},
		{"backlog MinInt", Options{Backlog: math.MinInt}, false},
		{"backlog MaxInt", Options{Backlog: math.MaxInt}, true},
		{"idle timeout MinInt64", Options{IdleTimeout: math.MinInt64}, false},
		{"policy 255", Options{Full: 255}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := New(c.o)
			if !c.ok {
				assert.ErrorIs(t, err, ErrInvalid)
				_, err = NewKeyed(c.o)
				assert.ErrorIs(t, err, ErrInvalid)
				return
			}
			require.NoError(t, err)
			_, err = must(t, e, value(1)).Result()
			assert.NoError(t, err)
			assert.NoError(t, e.Close())
			k, err := NewKeyed(c.o)
			require.NoError(t, err)
			for key := range 3 {
				f, err := SubmitKey(k, key, value(1))
				require.NoError(t, err)
				_, err = f.Result()
				assert.NoError(t, err)
			}
			assert.Len(t, k.Threads(), min(3, len(k.pools())))
			assert.NoError(t, k.Close())
		})
	}
	e, err := New(Options{IdleTimeout: math.MaxInt64, Threads: 1})
	require.NoError(t, err)
	w := newWorker(t)
	p := NewPromise[int]()
	f := p.Future()
	never := func() error { t.Error("called"); return nil }
	for _, d := range []time.Duration{math.MinInt64, -1, 0} {
		_, err = f.ResultTimeout(d)
		assert.ErrorIs(t, err, ErrTimeout)
		_, notDone := WaitTimeout(d, AllCompleted, f)
		assert.Len(t, notDone, 1)
		for _, err := range AsCompletedTimeout(d, f) {
			assert.ErrorIs(t, err, ErrTimeout)
		}
		assert.ErrorIs(t, w.CallTimeout(never, d), ErrTimeout)
		_, err = CallTimeout(w, func() (int, error) { return 0, never() }, d)
		assert.ErrorIs(t, err, ErrTimeout)
		_, err = SubmitTimeout(e, value(1), d) // a thread has room
		assert.NoError(t, err)
		assert.NoError(t, w.Call(func() error { _, err := w.WaitTimeout(d); return err }))
	}
	require.NoError(t, p.SetResult(1))
	_, err = f.ResultTimeout(math.MaxInt64)
	assert.NoError(t, err)
	assert.NoError(t, w.CallTimeout(nil, math.MaxInt64))
	running, err := e.ShutdownTimeout(math.MaxInt64)
	assert.NoError(t, err)
	assert.Empty(t, running)
	for range AsCompleted[*Future[int]]() {
		t.Error("nothing is done")
	}
	for _, ahead := range []int{-1, math.MinInt} {
		assert.ErrorIs(
			t,
			panicOf(func() { Map(e, ahead, slices.Values([]int{1}), func(int) (int, error) { return 0, nil }) }),
			ErrInvalid,
		)
	}
	for range Map(e, math.MaxInt, slices.Values([]int{}), func(int) (int, error) { return 0, nil }) {
		t.Error("no values")
	}
	assert.ErrorIs(t, panicOf(func() { Wait(255, f) }), ErrInvalid)
	assert.Equal(t, "unknown", State(math.MaxUint32).String())
}

func TestExecutorNilContextPanicsAndChangesNothing(t *testing.T) {
	e, w := newExecutor(t, Options{Threads: 1}), newWorker(t)
	var none context.Context
	for _, f := range []func(){
		func() { _, _ = SubmitContext(none, e, value(1)) },
		func() { _ = w.CallContext(none, nil) },
		func() { _, _ = e.Shutdown(none) },
		func() { _, _ = NewPromise[int]().Future().ResultContext(none) },
	} {
		assert.Panics(t, f)
	}
	assert.NoError(t, w.Call(nil))
}
