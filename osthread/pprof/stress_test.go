//go:build (cgo && linux && !android) || windows

package pprof_test

import (
	"context"
	"flag"
	"io"
	"os"
	"runtime"
	rpprof "runtime/pprof"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/pprof"
	"example.com/thread/osthread/queue"
)

var stress = flag.Duration("stress", 2*time.Second, "how long traces and profiles of all kinds are taken at once")

// stressEnv passes stress on to a child.
const stressEnv = "OSTHREAD_TEST_STRESS"

// A traffic is threads of all kinds that wait for each other in all ways.
type traffic struct {
	stop    atomic.Bool
	threads sync.WaitGroup
	steps   []func()
}

func newTraffic() *traffic {
	const short = 100 * time.Microsecond
	var (
		lock, shared osthread.Lock
		rlock        osthread.RLock
		rw           osthread.RWLock
		event        = &osthread.Event{AutoReset: true}
		sem          = osthread.NewSemaphore(2)
		cond         = osthread.NewCondition(&shared)
		q            = queue.New[int](4)
		native       thread.Lock
	)
	pool, err := executor.New(executor.Options{Threads: 2})
	testutil.Must(err)
	worker, err := executor.NewWorker(nil)
	testutil.Must(err)
	nothing := func() (int, error) { return 0, nil }
	t := &traffic{steps: []func(){
		func() { lock.Lock(); runtime.Gosched(); lock.Unlock() },
		func() { rlock.Lock(); runtime.Gosched(); rlock.Unlock() },
		func() { rw.Lock(); runtime.Gosched(); rw.Unlock() },
		func() { rw.RLock(); runtime.Gosched(); rw.RUnlock() },
		func() { native.Lock(); runtime.Gosched(); native.Unlock() },
		func() { sem.Acquire(1); runtime.Gosched(); sem.Release(1) },
		func() { event.Set() },
		func() { event.WaitTimeout(short) },
		func() { shared.Lock(); cond.WaitTimeout(short); shared.Unlock() },
		func() { shared.Lock(); cond.NotifyAll(); shared.Unlock() },
		func() { _ = q.PutTimeout(1, short) },
		func() { _, _ = q.GetTimeout(short) },
		func() {
			if osthread.WaitAnyTimeout(short, event, sem) == 1 {
				sem.Release(1)
			}
		},
		func() {
			f, err := executor.Submit(pool, nothing)
			testutil.Must(err)
			_, _ = f.Result()
		},
		func() { _ = worker.CallTimeout(func() error { return nil }, short) },
		func() {
			th, err := osthread.Go(func() error { return nil })
			testutil.Must(err)
			testutil.Must(th.Join())
		},
	}}
	t.threads.Go(func() { // ends last
		for !t.stop.Load() {
			event.WaitTimeout(time.Millisecond)
		}
	})
	t.start()
	return t
}

// start starts two callers of each kind.
func (t *traffic) start() {
	t.threads.Go(func() { testutil.Must(ctest.Aliens(2, func(i int) { thread.Current(); t.run(i) })) })
	for i := range 2 {
		t.threads.Go(func() { t.run(i) })
		t.threads.Go(func() {
			_, err := thread.Attach()
			testutil.Must(err)
			defer thread.Detach()
			t.run(i)
		})
		for _, pinned := range []bool{false, true} {
			attr := &osthread.Attr{}
			attr.Pinned = pinned
			th, err := osthread.Start(func() error { t.run(i); return nil }, attr)
			testutil.Must(err)
			t.threads.Go(func() { testutil.Must(th.Join()) })
		}
	}
}

func (t *traffic) run(from int) {
	for i := from * 7; !t.stop.Load(); i++ {
		t.steps[i%len(t.steps)]()
	}
}

func (t *traffic) end() {
	t.stop.Store(true)
	t.threads.Wait()
}

func TestTracesBesideThreadsOfAllKinds(t *testing.T) {
	traces := 100
	if testing.Short() || buildinfo.Race || runtime.GOOS == "windows" {
		traces = 20
	}
	leak.InChild(t, func() {
		all := newTraffic()
		for range traces {
			testutil.Must(trace.Start(io.Discard))
			runtime.Gosched()
			trace.Stop()
		}
		all.end()
	})
}

func TestTracesAndProfilesAtOnce(t *testing.T) {
	d := *stress
	if text := os.Getenv(stressEnv); text != "" {
		var err error
		d, err = time.ParseDuration(text)
		testutil.Must(err)
	} else {
		t.Setenv(stressEnv, d.String())
	}
	leak.InChild(t, func() {
		runtime.SetMutexProfileFraction(1)
		runtime.SetBlockProfileRate(1000)
		pprof.SetWaitProfileRate(1)
		all := newTraffic()
		recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
		testutil.Must(recorder.Start())
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		var takers sync.WaitGroup
		repeat := func(f func()) {
			takers.Go(func() {
				for ctx.Err() == nil {
					f()
				}
			})
		}
		repeat(func() {
			testutil.Must(trace.Start(io.Discard))
			new(osthread.Event).WaitTimeout(10 * time.Millisecond)
			trace.Stop()
		})
		repeat(func() {
			_, err := recorder.WriteTo(io.Discard)
			testutil.Must(err)
		})
		repeat(func() {
			runtime.SetCPUProfileRate(1000) // which StartCPUProfile reports that it keeps
			testutil.Must(rpprof.StartCPUProfile(io.Discard))
			new(osthread.Event).WaitTimeout(50 * time.Millisecond)
			rpprof.StopCPUProfile()
		})
		repeat(func() {
			for _, name := range []string{"goroutine", "mutex", "block", "threadcreate", "heap"} {
				testutil.Must(rpprof.Lookup(name).WriteTo(io.Discard, 0))
			}
			testutil.Must(rpprof.Lookup("goroutine").WriteTo(io.Discard, 2))
			testutil.Must(pprof.WriteWaitProfile(io.Discard))
		})
		takers.Wait()
		recorder.Stop()
		all.end()
	})
}
