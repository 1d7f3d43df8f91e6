package executor

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/osthread"
)

func newWorker(t *testing.T) *Worker {
	t.Helper()
	w, err := NewWorker(&osthread.Attr{Name: "worker"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Shutdown(context.Background()) })
	return w
}

// occupyWorker makes w busy until the function that it returns is called.
func occupyWorker(t *testing.T, w *Worker) (release func()) {
	t.Helper()
	in, out := make(chan struct{}), make(chan struct{})
	require.NoError(t, w.Go(func() { close(in); <-out }))
	<-in
	return sync.OnceFunc(func() { close(out) })
}

func awaitBacklog(w *Worker, n int) {
	for w.Backlog() != n {
		runtime.Gosched()
	}
}

func awaitIdleWorker(w *Worker) {
	for !w.box.Idle() {
		runtime.Gosched()
	}
}

func TestWorkerCallsOnItsThread(t *testing.T) {
	w := newWorker(t)
	for range 3 {
		require.NoError(t, w.Call(func() error {
			assert.Same(t, w.Thread(), osthread.Current())
			assert.Equal(t, w.Thread().Ident(), thread.Self())
			return nil
		}))
	}
	why := errors.New("why")
	assert.Equal(t, why, w.Call(func() error { return why }))
	v, err := Call(w, func() (int, error) { return 7, why })
	assert.Equal(t, why, err)
	assert.Equal(t, 7, v)
	v, err = CallTimeout(w, func() (int, error) { return 8, nil }, time.Hour)
	assert.NoError(t, err)
	assert.Equal(t, 8, v)
	v, err = CallContext(context.Background(), w, func() (int, error) { return 9, nil })
	assert.NoError(t, err)
	assert.Equal(t, 9, v)
}

func TestWorkerOnItsOwnThreadCallsAtOnce(t *testing.T) {
	w := newWorker(t)
	depth := 0
	var dive func() error
	dive = func() error {
		if depth++; depth == 5 {
			return errors.New("deep")
		}
		return w.Call(dive)
	}
	assert.EqualError(t, w.Call(dive), "deep")
	require.NoError(t, w.Call(func() error {
		later := false
		assert.NoError(t, w.Go(func() { later = true }))
		assert.NoError(t, w.TryCall(func() error { return nil }))
		assert.NoError(t, w.CallTimeout(func() error { return nil }, -1))
		assert.False(t, later, "Go does not wait")
		var p *PanicError
		assert.ErrorAs(t, w.Call(func() error { panic("in") }), &p)
		assert.ErrorIs(t, w.Shutdown(context.Background()), osthread.ErrDeadlock)
		return nil
	}))
	assert.NoError(t, w.Thread().Join())
}

func TestWorkerCallsInOrder(t *testing.T) {
	w := newWorker(t)
	release := occupyWorker(t, w)
	var order []int
	for i := range 5 {
		require.NoError(t, w.Go(func() { order = append(order, i) }))
	}
	release()
	require.NoError(t, w.Call(func() error { return nil }))
	assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
}

func TestWorkerBringsPanicsBack(t *testing.T) {
	w := newWorker(t)
	var p *PanicError
	require.ErrorAs(t, w.Call(func() error { panic("oh") }), &p)
	assert.Equal(t, "oh", p.Value)
	assert.Contains(t, string(p.Stack), "TestWorkerBringsPanicsBack")
	v, err := Call(w, func() (int, error) { panic(p) })
	assert.ErrorAs(t, err, &p)
	assert.Zero(t, v)

	seen := make(chan string, 1)
	osthread.SetPanicHook(func(t *osthread.Thread, p *PanicError) { seen <- t.Name() + p.Value.(string) })
	defer osthread.SetPanicHook(nil)
	require.NoError(t, w.Go(func() { panic(" ah") }))
	assert.Equal(t, "worker ah", <-seen)
	assert.NoError(t, w.Call(func() error { return nil }))
}

func TestWorkerWhoseThreadIsEnded(t *testing.T) {
	for name, end := range map[string]func(){"Goexit": runtime.Goexit, "Exit": thread.Exit} {
		t.Run(name, func(t *testing.T) {
			w := newWorker(t)
			release := occupyWorker(t, w)
			waits := make(chan error)
			go func() { waits <- w.Call(func() error { end(); return nil }) }()
			awaitBacklog(w, 1)
			go func() { waits <- w.Call(func() error { return nil }) }()
			awaitBacklog(w, 2)
			release()
			ended := osthread.ErrGoexit
			if name == "Exit" {
				ended = osthread.ErrExit
			}
			assert.ElementsMatch(t, []error{ended, osthread.ErrShutdown}, []error{<-waits, <-waits})
			assert.Equal(t, ended, w.Thread().Join())
			assert.Equal(t, ended, w.Close())
			assert.Equal(t, osthread.ErrShutdown, w.Call(func() error { return nil }))
			assert.Equal(t, osthread.ErrShutdown, w.Go(func() {}))
		})
	}
}

func TestWorkerCallThatTimesOutBeforeItBegins(t *testing.T) {
	w := newWorker(t)
	release := occupyWorker(t, w)
	defer release()
	never := func() error { t.Error("called"); return nil }
	assert.Equal(t, ErrBusy, w.TryCall(never))
	assert.Equal(t, ErrTimeout, w.CallTimeout(never, 0), "never begun")
	assert.Equal(t, osthread.ErrTimeout, w.CallTimeout(never, time.Millisecond))
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	waits := make(chan error)
	go func() { waits <- w.CallContext(ctx, never) }()
	awaitBacklog(w, 1)
	cancel(why)
	assert.Equal(t, why, <-waits)
	assert.Equal(t, why, w.CallContext(ctx, never))
	assert.Zero(t, w.Backlog())
	release()
	awaitIdleWorker(w)
	assert.NoError(t, w.TryCall(func() error { return nil }))
}

func TestWorkerCallThatTimesOutWhileItRuns(t *testing.T) {
	w := newWorker(t)
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan struct{})
	v, err := CallContext(ctx, w, func() (int, error) { cancel(); <-out; return 1, nil })
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, ErrRunning)
	assert.Zero(t, v)
	close(out)
	assert.NoError(t, w.Call(func() error { return nil }))
	out = make(chan struct{})
	err = w.CallTimeout(func() error { <-out; return nil }, 5*time.Millisecond)
	assert.ErrorIs(t, err, osthread.ErrTimeout)
	close(out)
}

func TestWorkerAndNoFunction(t *testing.T) {
	w := newWorker(t)
	assert.NoError(t, w.Go(nil))
	assert.NoError(t, w.Call(nil))
	assert.NoError(t, w.Call(func() error { return w.Call(nil) }))
}

func TestWorkerShutdown(t *testing.T) {
	w := newWorker(t)
	release := occupyWorker(t, w)
	var done atomic.Bool
	require.NoError(t, w.Go(func() { done.Store(true) }))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Equal(t, context.Canceled, w.Shutdown(ctx))
	assert.Equal(t, osthread.ErrShutdown, w.Call(func() error { return nil }))
	assert.Equal(t, osthread.ErrShutdown, w.TryCall(func() error { return nil }))
	release()
	assert.NoError(t, w.Shutdown(context.Background()))
	assert.True(t, done.Load(), "what was asked before is done")
	assert.NoError(t, w.Shutdown(context.Background()))
}

func TestWorkerShutdownNow(t *testing.T) {
	w := newWorker(t)
	release := occupyWorker(t, w)
	require.NoError(t, w.Go(func() { t.Error("called") }))
	waits := make(chan error)
	go func() { waits <- w.Call(func() error { t.Error("called"); return nil }) }()
	awaitBacklog(w, 2)
	assert.Equal(t, 2, w.ShutdownNow())
	assert.Equal(t, osthread.ErrShutdown, <-waits)
	assert.Zero(t, w.ShutdownNow())
	release()
	assert.NoError(t, w.Shutdown(context.Background()))
}

// Calls of all kinds by goroutines and threads, with and without timeouts: each
// function is called exactly if its caller was not refused.
func TestWorkerLosesNothing(t *testing.T) {
	w := newWorker(t)
	body := func(seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		for range 2000 {
			var called atomic.Int32
			f := func() error { called.Add(1); return nil }
			var err error
			timeout := time.Duration(r.IntN(30)) * time.Microsecond
			switch r.IntN(5) {
			case 0:
				err = w.TryCall(f)
			case 1:
				err = w.CallTimeout(f, timeout)
			case 2:
				ctx, stop := context.WithTimeout(context.Background(), timeout)
				err = w.CallContext(ctx, f)
				stop()
			case 3:
				err = w.Go(f2(f))
				if !assert.NoError(t, w.Call(func() error { return nil })) || called.Load() != 1 {
					t.Error("Go's was not called before")
				}
			default:
				err = w.Call(f)
			}
			switch {
			case err == nil && called.Load() != 1:
				t.Error("not called")
			case err != nil && !errors.Is(err, ErrRunning) && called.Load() != 0:
				t.Errorf("called in spite of %v", err)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { body(uint64(i)) })
		th, err := osthread.Go(func() error { body(uint64(10 + i)); return nil })
		require.NoError(t, err)
		defer func() { assert.NoError(t, th.Join()) }()
	}
	wg.Wait()
}

func f2(f func() error) func() { return func() { _ = f() } }

// A round trip to a worker, and what Go's thread libraries have instead: a
// channel of functions into a goroutine with LockOSThread, and one for the
// reply.
func BenchmarkCall(b *testing.B) {
	work := 0
	kinds := func(b *testing.B, name string, call func()) {
		b.Run("from=goroutine/"+name, func(b *testing.B) {
			for b.Loop() {
				call()
			}
		})
		b.Run("from=thread/"+name, func(b *testing.B) {
			if _, err := thread.Attach(); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = thread.Detach() }()
			for b.Loop() {
				call()
			}
		})
	}
	w, err := NewWorker(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = w.Shutdown(context.Background()) }()
	f := func() error { work++; return nil }
	kinds(b, "worker", func() { _ = w.Call(f) })

	functions := make(chan func())
	defer close(functions)
	go func() {
		runtime.LockOSThread()
		for f := range functions {
			f()
		}
	}()
	kinds(b, "channels", func() {
		reply := make(chan error, 1)
		functions <- func() { reply <- f() }
		<-reply
	})
}
