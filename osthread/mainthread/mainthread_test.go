package mainthread

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/osthread"
)

var began = thread.Self() // on the main goroutine

// onMain holds what children run on the main goroutine, by the names of their
// tests.
var onMain map[string]func()

func TestMain(m *testing.M) {
	if f := onMain[os.Getenv(leak.ChildEnv)]; f != nil {
		f()
		os.Exit(0)
	}
	os.Exit(RunTests(m))
}

// occupy makes the first thread busy until the function that it returns is
// called.
func occupy() (release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	Go(func() { close(in); <-out })
	<-in
	return sync.OnceFunc(func() { close(out) })
}

func awaitIdle() {
	for !box.Idle() {
		runtime.Gosched()
	}
}

func TestDoCallsOnTheFirstThread(t *testing.T) {
	assert.False(t, Is())
	why := errors.New("why")
	assert.Equal(t, why, Do(func() error {
		assert.Equal(t, began, thread.Self())
		assert.True(t, Is())
		assert.Same(t, osthread.Main(), osthread.Current())
		assert.NoError(t, Do(func() error { return nil }), "at once")
		assert.NoError(t, DoTimeout(func() error { return nil }, 0))
		return why
	}))
	th, err := osthread.Go(func() error { return Do(func() error { return nil }) })
	require.NoError(t, err)
	assert.NoError(t, th.Join())
}

func TestIsWhenTheFirstThreadIsAttached(t *testing.T) {
	assert.NoError(t, Do(func() error {
		_, err := thread.Attach()
		assert.NoError(t, err)
		assert.True(t, Is())
		assert.NoError(t, Do(func() error { return nil }))
		return thread.Detach()
	}))
}

func TestDoBringsPanicsBack(t *testing.T) {
	var p *osthread.PanicError
	assert.ErrorAs(t, Do(func() error { panic("oh") }), &p)
	assert.Equal(t, "oh", p.Value)
}

func TestDoThatGivesUp(t *testing.T) {
	release := occupy()
	defer release()
	never := func() error { t.Error("called"); return nil }
	assert.Equal(t, ErrBusy, TryDo(never))
	assert.Equal(t, ErrBusy, DoTimeout(never, -1))
	assert.Equal(t, osthread.ErrTimeout, DoTimeout(never, time.Millisecond))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	assert.Equal(t, context.DeadlineExceeded, DoContext(ctx, never))
	assert.Equal(t, context.DeadlineExceeded, DoContext(ctx, never))
	release()
	awaitIdle()
	assert.NoError(t, TryDo(func() error { return nil }))

	out := make(chan struct{})
	begun, giveUp := context.WithCancel(context.Background())
	assert.ErrorIs(t, DoContext(begun, func() error { giveUp(); <-out; return nil }), ErrRunning)
	close(out)
	later := make(chan struct{})
	assert.ErrorIs(t, DoTimeout(func() error { <-later; return nil }, 10*time.Millisecond), osthread.ErrTimeout)
	close(later)
}

func TestPollOnAnotherThread(t *testing.T) {
	for _, serve := range []func() (int, error){
		Poll, Wait,
		func() (int, error) { return WaitTimeout(time.Second) },
		func() (int, error) { return WaitContext(context.Background()) },
	} {
		_, err := serve()
		assert.Equal(t, ErrNotOwner, err)
	}
	assert.Equal(t, ErrNotOwner, Run(func() { t.Error("called") }))
	assert.ErrorIs(t, ErrNotOwner, osthread.ErrNotOwner)
	assert.ErrorIs(t, ErrStarted, osthread.ErrStarted)
	assert.Equal(t, ErrStarted, Do(func() error { return Run(func() { t.Error("called") }) }))
}

// A library's own event loop: it sleeps in the library, OnPost wakes it, and it
// polls.
func TestPollInAnEventLoop(t *testing.T) {
	events := make(chan string, 100)
	OnPost(func() { events <- "posted" })
	defer OnPost(nil)
	quit := make(chan struct{})
	Go(func() {
		for {
			select {
			case <-events:
				_, err := Poll()
				assert.NoError(t, err)
			case <-quit:
				return
			}
		}
	})
	var called atomic.Int32
	for range 10 {
		assert.NoError(t, Do(func() error { called.Add(1); return nil }))
	}
	close(quit)
	assert.EqualValues(t, 10, called.Load())
}

func TestWaitForms(t *testing.T) {
	assert.NoError(t, Do(func() error {
		n, err := Poll()
		assert.NoError(t, err)
		assert.Zero(t, n)
		n, err = WaitTimeout(time.Millisecond)
		assert.NoError(t, err)
		assert.Zero(t, n)
		n, err = WaitTimeout(0)
		assert.NoError(t, err)
		assert.Zero(t, n)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err = WaitContext(ctx)
		assert.Equal(t, context.DeadlineExceeded, err)
		_, err = WaitContext(ctx)
		assert.Equal(t, context.DeadlineExceeded, err)

		called := 0
		Go(func() {
			called++
			Go(func() { called++ }) // for the next
		})
		n, err = Wait()
		assert.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Equal(t, 1, called)
		for called < 2 {
			_, err = Wait()
			assert.NoError(t, err)
		}
		n, err = Poll()
		assert.Zero(t, n)
		return err
	}))
}

func TestRunReturnsAfterAllFunctions(t *testing.T) {
	reported := make(chan any, 1)
	osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) { reported <- e.Value })
	defer osthread.SetPanicHook(nil)
	assert.NoError(t, Do(func() error {
		run.Store(false) // as if the tests' own had ended
		defer run.Store(true)
		asked := 0
		assert.NoError(t, Run(func() {
			Go(func() { asked++ })
			Go(func() { asked++ })
		}))
		assert.Equal(t, 2, asked)
		assert.Equal(t, osthread.ErrGoexit, Run(runtime.Goexit))
		var p *osthread.PanicError
		assert.ErrorAs(t, Run(func() { panic("oh") }), &p)
		assert.Equal(t, "oh", <-reported)
		return nil
	}))
}

func TestDoManyCallers(t *testing.T) {
	count := 0 // the first thread's
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				assert.NoError(t, Do(func() error { count++; return nil }))
			}
		})
	}
	wg.Wait()
	assert.NoError(t, Do(func() error { assert.Equal(t, 8000, count); return nil }))
}

// A nil function does nothing or is a PanicError; nobody hangs.
func TestDoNilFunction(t *testing.T) {
	var p *osthread.PanicError
	reported := make(chan *osthread.PanicError, 2)
	osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) { reported <- e })
	defer osthread.SetPanicHook(nil)
	for range 2 {
		for _, do := range []func(func() error) error{Do, TryDo} {
			awaitIdle()
			if err := do(nil); err != nil {
				assert.ErrorAs(t, err, &p)
			}
		}
		Go(nil)
		OnPost(nil)
		assert.NoError(t, Do(func() error {
			if err := Do(nil); err != nil {
				assert.ErrorAs(t, err, &p)
			}
			return nil
		}))
	}
}
