package contender

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// A crew is the threads of one round. All threads are created before the round
// begins. The conductor, the goroutine that called run, takes two snapshots of
// their tallies while they work, then stops them and joins them. The sample is
// what they did between the snapshots.
//
// A tally is written only by its thread. The conductor reads ops, which is
// stored atomically, during the round, and the histogram after the thread has
// ended. Threads that wait for each other must end together: over starts that,
// and each kind's loop says how it does it.
type crew struct {
	spec  scenario.Spec
	round sample.Round
	state atomic.Uint32
	// counting is true between the snapshots; waits during warmup or after the
	// second snapshot are not counted.
	counting atomic.Bool
	void     bool // a thread could not start: do nothing; written before the gate opens
}

// A tally is the work of one thread, on its own cache lines.
type tally struct {
	_     [64]byte
	ops   atomic.Int64
	n     int64 // ops, including unpublished ones
	batch int64
	timed bool
	c     *crew
	waits sample.Hist
	_     [64]byte
}

// The states of a crew.
const (
	going uint32 = iota
	late         // the conductor has overslept: threads that see this yield
	stopped
)

// over reports whether the round has ended.
func (c *crew) over() bool {
	s := c.state.Load()
	return s != going && c.leave(s)
}

// leave is the slow path of over, not inlined, so that over costs one load.
//
//go:noinline
func (c *crew) leave(s uint32) bool {
	if s == late {
		runtime.Gosched()
	}
	return s == stopped
}

// watch makes sure that the conductor runs again after its sleep. Locked
// goroutines that wake each other through a channel can pass a P back and forth
// indefinitely, and Go's scheduler does not preempt them (Go 1.26: runnext has
// priority over the run queue, and each switch between threads starts a new
// time slice). The goroutines in that P's queue, the conductor among them,
// starve. The goroutine of a timer may starve likewise, so there are several
// timers.
func (c *crew) watch() (end func()) {
	var timers []*time.Timer
	limit := 100*time.Millisecond + 2*(c.round.Warm+c.round.Time)
	for range 5 {
		timers = append(timers, time.AfterFunc(limit, func() { c.state.CompareAndSwap(going, late) }))
		limit *= 2
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// timed reports whether waits are timed, which a lateness row always needs.
func (c *crew) timed() bool { return c.round.Timed || c.spec.Kind == scenario.Lateness }

// add publishes n operations.
func (t *tally) add(n int) {
	t.n += int64(n)
	t.ops.Store(t.n)
}

// step counts one operation and publishes once per batch.
func (t *tally) step() {
	t.n++
	if t.n%t.batch == 0 {
		t.ops.Store(t.n)
	}
}

var origin = time.Now()

// now returns a monotonic time in ns, 0 if waits are not timed.
func (t *tally) now() int64 {
	if !t.timed {
		return 0
	}
	return int64(time.Since(origin))
}

// since returns the time since now returned began, negative if waits are not
// timed or there was no wait.
func (t *tally) since(began int64) int64 {
	if began == 0 {
		return -1
	}
	return int64(time.Since(origin)) - began
}

// count counts a wait that since returned. Call it outside the section that was
// waited for.
func (t *tally) count(waited int64) {
	if t.timed && waited >= 0 && t.c.counting.Load() {
		t.waits.Add(waited)
	}
}

// waited counts a wait that began when now returned began.
func (t *tally) waited(began int64) { t.count(t.since(began)) }

// A spawner starts a thread or a goroutine that runs body. join waits for its
// end and returns its error.
type spawner func(body func()) (join func() error, err error)

func goroutine(body func()) (func() error, error) {
	done := make(chan struct{})
	go func() { defer close(done); body() }()
	return func() error { <-done; return nil }, nil
}

// locked starts a goroutine locked to its thread, which is how Go programs get
// a thread without this library.
func locked(body func()) (func() error, error) {
	return goroutine(func() {
		runtime.LockOSThread() // never unlocked: the thread exits with the goroutine
		body()
	})
}

func native(body func()) (func() error, error) { return start(body, nil) }
func pinned(body func()) (func() error, error) { return start(body, &thread.Attr{Pinned: true}) }

func start(body func(), attr *thread.Attr) (func() error, error) {
	t, err := thread.Start(body, attr)
	if err != nil {
		return nil, err
	}
	return t.Join, nil
}

// ours returns the spawner for the callers of this library, theirs the one for
// those of others.
func ours(s scenario.Spec) spawner {
	if s.Caller == scenario.Goroutine {
		return goroutine
	}
	return native
}

func theirs(s scenario.Spec) spawner {
	if s.Caller == scenario.Goroutine {
		return goroutine
	}
	return locked
}

// run makes n threads run body and returns what the first counted of them did
// between the snapshots.
func (c *crew) run(n, counted int, spawn spawner, body func(i int, t *tally)) (sample.Sample, error) {
	release, err := thread.Reserve(c.spec.Reserved)
	if err != nil {
		return sample.Sample{}, err
	}
	defer release()
	tallies := make([]tally, n)
	var joins []func() error
	var ready sync.WaitGroup
	gate := make(chan struct{})
	var failed error
	for i := range n {
		t := &tallies[i]
		t.batch, t.timed, t.c = int64(c.spec.Batch()), c.timed(), c
		ready.Add(1)
		join, err := spawn(func() {
			ready.Done()
			<-gate
			if !c.void {
				body(i, t)
			}
		})
		if err != nil {
			ready.Done()
			failed, c.void = fmt.Errorf("thread %d of %d: %w", i+1, n, err), true
			break
		}
		joins = append(joins, join)
	}
	ready.Wait()
	close(gate)
	var first, second snapshot
	if failed == nil {
		defer c.watch()()
		time.Sleep(c.round.Warm)
		c.state.CompareAndSwap(late, going)
		first = take(tallies[:counted])
		c.counting.Store(true)
		time.Sleep(c.round.Time)
		c.counting.Store(false)
		second = take(tallies[:counted])
	}
	c.state.Store(stopped)
	for _, join := range joins {
		failed = errors.Join(failed, join())
	}
	if failed != nil {
		return sample.Sample{}, failed
	}
	s := second.since(first)
	if c.timed() {
		s.Waits = new(sample.Hist)
		for i := range tallies[:counted] {
			s.Waits.Merge(&tallies[i].waits)
		}
	}
	return s, nil
}

// A snapshot is the state of a round at one time.
type snapshot struct {
	at    time.Time
	usage usage
	ops   []int64
}

func take(tallies []tally) snapshot {
	l := snapshot{ops: make([]int64, len(tallies))}
	for i := range tallies {
		l.ops[i] = tallies[i].ops.Load()
	}
	l.at, l.usage = time.Now(), used()
	return l
}

func (l snapshot) since(before snapshot) sample.Sample {
	s := sample.Sample{
		Elapsed:  l.at.Sub(before.at),
		CPU:      l.usage.cpu - before.usage.cpu,
		Switches: l.usage.switches - before.usage.switches,
	}
	if !l.usage.known {
		s.CPU, s.Switches = sample.Unknown, sample.Unknown
	}
	for i, ops := range l.ops {
		did := ops - before.ops[i]
		s.Ops += did
		if i == 0 || did < s.Least {
			s.Least = did
		}
		s.Most = max(s.Most, did)
	}
	if len(l.ops) == 1 {
		s.Least, s.Most = 0, 0
	}
	return s
}

// A usage is the process's use of the processors so far.
type usage struct {
	cpu      time.Duration
	switches int64
	known    bool
}
