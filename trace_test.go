//go:build (cgo && linux && !android) || windows

package thread

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

	"example.com/thread/internal/ctest"
)

// The runtime unwinds every goroutine's stack when an execution trace begins
// and ends. In a child, since it would end the process if it met C's frames
// there.
func TestTracesAndProfilesBesideThreads(t *testing.T) {
	traces := 20
	if testing.Short() || raceEnabled || runtime.GOOS == "windows" {
		traces = 5
	}
	inChild(t, func() {
		for range 3 { // what they leave is there for good
			expect(runtime.Goexit, ErrGoexit)
			expect(func() { ctest.Back(func(int) { Exit() }) }, ErrExit)
		}
		end := severalThreads()
		for range traces {
			must(trace.Start(io.Discard))
			expect(func() {}, nil)
			trace.Stop()
		}

		recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
		must(recorder.Start())
		var cpu, all bytes.Buffer
		must(pprof.StartCPUProfile(&cpu))
		for range 3 {
			expect(runtime.Goexit, ErrGoexit)
			must(trace.Start(io.Discard))
			must(pprof.Lookup("goroutine").WriteTo(&all, 2))
			must(pprof.Lookup("threadcreate").WriteTo(&all, 1))
			must(pprof.WriteHeapProfile(&all))
			runtime.GC()
			trace.Stop()
			_, err := recorder.WriteTo(&all)
			must(err)
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
				_ = ParkTimeout(time.Microsecond) // there is no permit: ErrTimeout
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
	var all []*Thread
	var aliens []chan error
	started := func(start func(ready func())) {
		running := make(chan struct{})
		start(func() { close(running) })
		<-running
	}
	for _, body := range bodies {
		for _, pinned := range []bool{false, true} {
			started(func(ready func()) {
				th, err := Start(func() { body(ready) }, &Attr{Pinned: pinned})
				must(err)
				all = append(all, th)
			})
		}
	}
	for _, body := range bodies[:3] {
		started(func(ready func()) {
			done := make(chan error)
			aliens = append(aliens, done)
			go func() {
				done <- ctest.Aliens(1, func(int) { Current(); body(ready) })
			}()
		})
		started(func(ready func()) {
			done := make(chan error)
			aliens = append(aliens, done)
			go func() {
				_, err := Attach()
				must(err)
				body(ready)
				done <- Detach()
			}()
		})
	}
	return func() {
		quit.Store(true)
		close(leave)
		for _, th := range all {
			must(th.Join())
		}
		for _, done := range aliens {
			must(<-done)
		}
	}
}
