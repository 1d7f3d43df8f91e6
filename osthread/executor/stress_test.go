package executor

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A tracked is a submission: what became of its function and of its future.
type tracked struct {
	f    *Future[int]
	runs atomic.Int32
	done atomic.Int32 // callbacks
}

// Submits, cancels, tasks that end badly, idle timeouts and a shutdown, all at
// once: each accepted task runs once or is cancelled, and its future says
// which.
func TestEveryTaskRunsOnceOrIsCancelled(t *testing.T) {
	for _, o := range []Options{
		{Threads: 1},
		{Threads: 3},
		{Threads: 2, Backlog: 3},
		{Threads: 2, Backlog: NoBacklog, Full: Reject},
		{Threads: 2, Backlog: 1, Full: RunInCaller},
		{Threads: 2, Backlog: 2, IdleTimeout: time.Nanosecond},
	} {
		for round := range 4 {
			stress(t, o, round%2 == 0)
		}
	}
}

func stress(t *testing.T, o Options, now bool) {
	const submitters, each = 4, 60
	var started, stopped atomic.Int32
	o.OnStart = func() error { started.Add(1); return nil }
	o.OnStop = func() { stopped.Add(1) }
	e, err := New(o)
	require.NoError(t, err)
	all := make([][]*tracked, submitters)
	var wg sync.WaitGroup
	for s := range submitters {
		wg.Go(func() {
			for i := range each {
				if k := submitTracked(t, e, s*each+i); k != nil {
					all[s] = append(all[s], k)
				}
			}
		})
	}
	if now {
		wg.Go(func() {
			for e.p.returning.Load() == 0 && rand.IntN(200) > 0 {
				runtime.Gosched()
			}
			_, err := e.ShutdownNow(t.Context())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.NoError(t, e.Close())
	assert.Empty(t, e.Threads())
	assert.Equal(t, started.Load(), stopped.Load())
	for _, ks := range all {
		for _, k := range ks {
			k.check(t)
		}
	}
}

func submitTracked(t *testing.T, e *Executor, n int) *tracked {
	k := new(tracked)
	f, err := Submit(e, func() (int, error) {
		k.runs.Add(1)
		switch {
		case n%23 == 0:
			panic(errTest)
		case n%29 == 0 && e.p.Full != RunInCaller:
			runtime.Goexit()
		case n%31 == 0 && e.p.Full != RunInCaller:
			thread.Exit()
		case n%5 == 0:
			runtime.Gosched()
		}
		return n, nil
	})
	if err != nil {
		assert.True(t, errors.Is(err, ErrShutdown) || errors.Is(err, ErrFull), err)
		assert.Zero(t, k.runs.Load())
		return nil
	}
	k.f = f
	f.OnDone(func(*Future[int]) { k.done.Add(1) })
	if n%3 == 0 {
		f.Cancel()
	}
	if n%7 == 0 {
		_, _ = f.Result()
	}
	return k
}

func (k *tracked) check(t *testing.T) {
	_, err := k.f.TryResult()
	assert.True(t, k.f.IsDone())
	assert.EqualValues(t, 1, k.done.Load())
	if k.f.Cancelled() {
		assert.ErrorIs(t, err, ErrCancelled)
		assert.Zero(t, k.runs.Load())
		return
	}
	assert.EqualValues(t, 1, k.runs.Load())
	assert.True(t, err == nil || errors.Is(err, errTest) || errors.Is(err, ErrGoexit) || errors.Is(err, ErrExit), err)
}

// A submitter whose time is up and a place that is given to it at the same
// moment.
func TestApplicantsAreServedOrGone(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1, Backlog: 1})
	var accepted, ran atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				f, err := SubmitTimeout(
					e,
					func() (int, error) { ran.Add(1); return 0, nil },
					time.Duration(rand.IntN(20))*time.Microsecond,
				)
				if err != nil {
					assert.ErrorIs(t, err, ErrFull)
					continue
				}
				accepted.Add(1)
				if rand.IntN(2) == 0 {
					_, err := f.Result()
					assert.NoError(t, err)
				}
			}
		})
	}
	wg.Wait()
	assert.NoError(t, e.Close())
	assert.Equal(t, accepted.Load(), ran.Load())
	assert.Zero(t, e.p.returning.Load())
	assert.Zero(t, e.p.starting)
	assert.Zero(t, e.p.threads)
}

// Callers are threads and goroutines.
func TestThreadsSubmitToEachOther(t *testing.T) {
	a, b := newExecutor(t, Options{Threads: 2}), newExecutor(t, Options{Threads: 2})
	var threads []*osthread.Thread
	for range 3 {
		th, err := osthread.Go(func() error {
			for i := range 100 {
				f, err := Submit(a, func() (int, error) {
					f, err := Submit(b, value(i))
					if err != nil {
						return 0, err
					}
					return f.Result()
				})
				if err != nil {
					return err
				}
				if v, err := f.Result(); err != nil || v != i {
					t.Errorf("got %d, %v, want %d", v, err, i)
				}
			}
			return nil
		})
		require.NoError(t, err)
		threads = append(threads, th)
	}
	for _, th := range threads {
		assert.NoError(t, th.Join())
	}
}
