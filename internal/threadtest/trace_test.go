//go:build (cgo && linux && !android) || windows

package threadtest

import (
	"bytes"
	"io"
	"iter"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync/atomic"
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// The runtime unwinds every goroutine's stack when an execution trace begins
// and ends. In a child, since it would end the process if it met C's frames
// there.
func TestThreadDuringTracesAndProfiles(t *testing.T) {
	traces := 20
	if testing.Short() || buildinfo.Race || runtime.GOOS == "windows" {
		traces = 5
	}
	leak.InChild(t, func() {
		for range 3 { // what they leave is there for good
			expectEnd(runtime.Goexit, thread.ErrGoexit)
			expectEnd(func() { ctest.Back(func(int) { thread.Exit() }) }, thread.ErrExit)
		}
		end := severalThreads()
		for range traces {
			testutil.Must(trace.Start(io.Discard))
			expectEnd(func() {}, nil)
			trace.Stop()
		}

		recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
		testutil.Must(recorder.Start())
		var cpu, all bytes.Buffer
		testutil.Must(pprof.StartCPUProfile(&cpu))
		for range 3 {
			expectEnd(runtime.Goexit, thread.ErrGoexit)
			testutil.Must(trace.Start(io.Discard))
			testutil.Must(pprof.Lookup("goroutine").WriteTo(&all, 2))
			testutil.Must(pprof.Lookup("threadcreate").WriteTo(&all, 1))
			testutil.Must(pprof.WriteHeapProfile(&all))
			runtime.GC()
			trace.Stop()
			_, err := recorder.WriteTo(&all)
			testutil.Must(err)
		}
		pprof.StopCPUProfile()
		recorder.Stop()
		end()
		runtime.GC()
	})
}

// severalThreads starts threads of each kind that wait, compute, and run
// coroutines, below C as well, and returns what ends them.
func severalThreads() (end func()) {
	var quit atomic.Bool
	leave := make(chan struct{})
	bodies := []func(ready func()){
		func(ready func()) { ready(); <-leave },
		func(ready func()) { ctest.Back(func(int) { ready(); <-leave }) },
		func(ready func()) {
			ready()
			for !quit.Load() {
				runtime.Gosched()
			}
		},
		func(ready func()) {
			ready()
			for !quit.Load() {
				_ = thread.ParkTimeout(time.Microsecond) // there is no permit: ErrTimeout
			}
		},
		func(ready func()) { // waits within the coroutine
			next, stop := iter.Pull(func(func(int) bool) { ready(); <-leave })
			next()
			stop()
		},
		func(ready func()) { // and beside it
			next, stop := iter.Pull(func(yield func(int) bool) {
				for n := 0; yield(n); n++ {
				}
			})
			ready()
			for !quit.Load() {
				next()
			}
			stop()
		},
	}
	var all []*thread.Thread
	var aliens []chan error
	started := func(start func(ready func())) {
		running := make(chan struct{})
		start(func() { close(running) })
		<-running
	}
	for _, body := range bodies {
		for _, pinned := range []bool{false, true} {
			started(func(ready func()) {
				th, err := thread.Start(func() { body(ready) }, &thread.Attr{Pinned: pinned})
				testutil.Must(err)
				all = append(all, th)
			})
		}
	}
	for _, body := range bodies[:3] {
		started(func(ready func()) {
			done := make(chan error)
			aliens = append(aliens, done)
			go func() {
				done <- ctest.Aliens(1, func(int) { thread.Current(); body(ready) })
			}()
		})
		started(func(ready func()) {
			done := make(chan error)
			aliens = append(aliens, done)
			go func() {
				_, err := thread.Attach()
				testutil.Must(err)
				body(ready)
				done <- thread.Detach()
			}()
		})
	}
	return func() {
		quit.Store(true)
		close(leave)
		for _, th := range all {
			testutil.Must(th.Join())
		}
		for _, done := range aliens {
			testutil.Must(<-done)
		}
	}
}
