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

// A crew is the threads of one round. They are made first and begin together;
// at two times the conductor, which is the goroutine that called run, looks at
// their tallies while they work on; then it tells them to stop and waits for
// their end. What they did between the two looks is the sample.
//
// A tally is written by its thread alone and read by the conductor: ops by
// atomic stores, the histogram after the thread's end. Threads that wait for
// each other must end together; over only starts that, and each kind's loop
// says how.
type crew struct {
	spec  scenario.Spec
	round sample.Round
	state atomic.Uint32
	// counting is true between the looks: what is waited for before, while the
	// threads find their processors, or after, is not counted.
	counting atomic.Bool
	void     bool // the crew is not complete: do nothing; written before the gate opens
}

// A tally is what one thread did, on cache lines of its own.
type tally struct {
	_     [64]byte
	ops   atomic.Int64
	n     int64 // ops, those not yet published among them
	batch int64
	timed bool
	c     *crew
	waits sample.Hist
	_     [64]byte
}

// The states of a crew.
const (
	going uint32 = iota
	late         // the conductor has not come back from a sleep: those who see it let others run
	stopped
)

// over reports whether it is time to end.
func (c *crew) over() bool {
	s := c.state.Load()
	return s != going && c.leave(s)
}

// leave is over when something is to be done, apart so that over costs a load.
//
//go:noinline
func (c *crew) leave(s uint32) bool {
	if s == late {
		runtime.Gosched()
	}
	return s == stopped
}

// watch sees to it that the conductor, who sleeps while others work, gets to
// run again: locked goroutines that wake each other by a channel hand a
// processor around for as long as they please, and Go's scheduler does not
// count that as time (Go 1.26: runnext comes before the run queue, and each
// switch between threads begins a new slice), so others in that processor's
// queue, the conductor among them, starve. The same may happen to who is to
// tell of it; thus there are some.
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

// timed reports whether waits are; of a lateness row they are the question.
func (c *crew) timed() bool { return c.round.Timed || c.spec.Kind == scenario.Lateness }

// add publishes n operations.
func (t *tally) add(n int) {
	t.n += int64(n)
	t.ops.Store(t.n)
}

// step counts one operation and publishes now and then.
func (t *tally) step() {
	t.n++
	if t.n%t.batch == 0 {
		t.ops.Store(t.n)
	}
}

var origin = time.Now()

// now returns ns since some time in the past; 0 where waits are not timed.
func (t *tally) now() int64 {
	if !t.timed {
		return 0
	}
	return int64(time.Since(origin))
}

// since returns how long ago now returned began; less than 0 where waits are
// not timed, or nobody waited.
func (t *tally) since(began int64) int64 {
	if began == 0 {
		return -1
	}
	return int64(time.Since(origin)) - began
}

// count counts a wait that since returned. It stands outside of the section
// that was waited for.
func (t *tally) count(waited int64) {
	if t.timed && waited >= 0 && t.c.counting.Load() {
		t.waits.Add(waited)
	}
}

// waited counts a wait that began when now returned began.
func (t *tally) waited(began int64) { t.count(t.since(began)) }

// A spawner has a thread, or a goroutine, run body. join waits for its end and
// what it leaves.
type spawner func(body func()) (join func() error, err error)

func goroutine(body func()) (func() error, error) {
	done := make(chan struct{})
	go func() { defer close(done); body() }()
	return func() error { <-done; return nil }, nil
}

// locked is a goroutine with a thread of its own, as one has it without this
// library.
func locked(body func()) (func() error, error) {
	return goroutine(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
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

// ours returns what runs the callers of this library, theirs those of others.
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

// run has n threads run body and returns what the first counted of them did
// between the looks.
func (c *crew) run(n, counted int, spawn spawner, body func(i int, t *tally)) (sample.Sample, error) {
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
	var first, second look
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

// A look is the state of a round at one time.
type look struct {
	at    time.Time
	usage usage
	ops   []int64
}

func take(tallies []tally) look {
	l := look{ops: make([]int64, len(tallies))}
	for i := range tallies {
		l.ops[i] = tallies[i].ops.Load()
	}
	l.at, l.usage = time.Now(), used()
	return l
}

func (l look) since(before look) sample.Sample {
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

// A usage is what the process has had of the processors.
type usage struct {
	cpu      time.Duration
	switches int64
	known    bool
}
