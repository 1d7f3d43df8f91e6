package main

import (
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// A storm disturbs the loads of a round: blow is called again and again, with
// pauses of up to pause. It is called on a native thread if native is set.
type storm struct {
	name   string
	pause  time.Duration
	blow   func(r *round, rnd *rand.Rand)
	calm   func() // restores what blow has changed; may be nil
	native bool
}

var portableStorms = []storm{
	{name: "garbage collection", pause: 10 * time.Millisecond, blow: collect},
	{name: "GOMAXPROCS", pause: 50 * time.Millisecond, blow: changeProcs, calm: restoreProcs},
	{name: "CPU profile", pause: 100 * time.Millisecond, blow: profile},
	{name: "execution trace", pause: 100 * time.Millisecond, blow: traceAll},
	{name: "low memory", pause: 20 * time.Millisecond, blow: lowMemory, calm: enoughMemory},
	{name: "Thread.Cancel", pause: 2 * time.Millisecond, blow: cancelOne},
	{name: "inspect", pause: 50 * time.Millisecond, blow: takeSnapshot},
}

// allStorms returns the storms that s.storms matches.
func (s *soak) allStorms() ([]storm, error) {
	all := append(append([]storm(nil), portableStorms...), systemStorms...)
	return matching(s.storms, all, func(s storm) string { return s.name })
}

// begin starts the storms, until end.
func (r *round) begin(storms []storm) (end func()) {
	stop := make(chan struct{})
	var ended sync.WaitGroup
	for _, s := range storms {
		rnd := newRand(r.rnd)
		ended.Go(func() {
			body := func() { r.storm(s, rnd, stop) }
			if !s.native {
				body()
				return
			}
			t, err := osthread.Start(func() error { body(); return nil }, &osthread.Attr{Name: s.name})
			r.must(err)
			r.must(t.Join())
		})
	}
	return func() {
		close(stop)
		ended.Wait()
	}
}

func (r *round) storm(s storm, rnd *rand.Rand, stop <-chan struct{}) {
	n := r.tally.of(key{"storm", s.name, "times"})
	if s.calm != nil {
		defer s.calm()
	}
	for {
		s.blow(r, rnd)
		n.Add(1)
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rnd.Int64N(int64(s.pause)))):
		}
	}
}

func collect(*round, *rand.Rand) { runtime.GC() }

// procs is what GOMAXPROCS was in the beginning.
var procs = runtime.GOMAXPROCS(0)

func changeProcs(_ *round, rnd *rand.Rand) { runtime.GOMAXPROCS(1 + rnd.IntN(2*procs)) }

func restoreProcs() { runtime.GOMAXPROCS(procs) }

func profile(_ *round, rnd *rand.Rand) {
	if pprof.StartCPUProfile(io.Discard) == nil { // a test may have one
		time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
		pprof.StopCPUProfile()
	}
}

func traceAll(_ *round, rnd *rand.Rand) {
	if trace.Start(io.Discard) == nil { // a test may have one
		time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
		trace.Stop()
	}
}

// lowMemory has the collector run nearly all the time, on a ballast.
func lowMemory(_ *round, rnd *rand.Rand) {
	debug.SetMemoryLimit(32 << 20)
	ballast := make([][]byte, 1+rnd.IntN(32))
	for i := range ballast {
		ballast[i] = make([]byte, 1<<20)
		for j := 0; j < len(ballast[i]); j += 4096 {
			ballast[i][j] = 1
		}
	}
	runtime.KeepAlive(ballast)
}

func enoughMemory() {
	debug.SetMemoryLimit(1<<63 - 1)
	debug.FreeOSMemory()
}

func cancelOne(r *round, _ *rand.Rand) { r.victims.cancel() }

// takeSnapshot takes a snapshot of what the threads are doing, and none of that
// is a deadlock.
func takeSnapshot(r *round, _ *rand.Rand) {
	if s := inspect.Deadlocks(); s != nil && len(s.Deadlocks) != 0 {
		r.fail("inspect has found a deadlock: %+v", s.Deadlocks)
	}
	inspect.Take()
}
