package contender

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

// A target is an object that callers wait for, as one contender has it. A nil
// function is a wait that the contender does not have.
type target struct {
	wait        func()
	waitContext func(context.Context)
	waitTimeout func(time.Duration)
	notify      func() // lets all callers proceed
}

// does reports whether the contender has what op needs.
func (h target) does(op string) bool {
	switch op {
	case "notify":
		return h.wait != nil
	case "cancel":
		return h.waitContext != nil
	case "timeout":
		return h.waitTimeout != nil
	}
	return false
}

// A maker makes targets of a contender, each for n callers.
type maker struct {
	name   string
	ours   bool
	target func(n int) target
}

// waiters returns the contenders of a row of waiters.
func waiters(s scenario.Spec) (cs []Contender) {
	for _, m := range makers[s.Object] {
		if !m.target(1).does(s.Op) {
			continue
		}
		spawn := theirs(s)
		if m.ours {
			spawn = ours(s)
		}
		cs = append(cs, Contender{m.name, m.ours, func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
			return trials(s, r, spawn, m.target)
		}})
	}
	return cs
}

var makers = map[string][]maker{
	"lock": {
		{Baseline, true, func(int) target {
			var l osthread.Lock
			l.Lock()
			return target{
				wait: func() {
					l.Lock()
					//lint:ignore SA2001 the empty section is what is measured
					l.Unlock()
				},
				waitContext: func(ctx context.Context) {
					if l.LockContext(ctx) == nil {
						l.Unlock()
					}
				},
				waitTimeout: func(d time.Duration) {
					if l.LockTimeout(d) {
						l.Unlock()
					}
				},
				notify: l.Unlock,
			}
		}},
		{"sync", false, func(int) target {
			var l sync.Mutex
			l.Lock()
			return target{
				wait: func() {
					l.Lock()
					//lint:ignore SA2001 the empty section is what is measured
					l.Unlock()
				},
				notify: l.Unlock,
			}
		}},
		{"channel", false, func(int) target {
			l := make(chan struct{}, 1)
			l <- struct{}{}
			h := channelTarget(func(done <-chan struct{}) {
				select {
				case l <- struct{}{}:
					<-l
				case <-done:
				}
			})
			h.wait, h.notify = func() { l <- struct{}{}; <-l }, func() { <-l }
			return h
		}},
	},
	"condition": {
		{Baseline, true, func(int) target {
			l := new(osthread.Lock)
			c := osthread.NewCondition(l)
			return target{
				wait:        func() { osthread.With(l, c.Wait) },
				waitContext: func(ctx context.Context) { osthread.With(l, func() { _ = c.WaitContext(ctx) }) },
				waitTimeout: func(d time.Duration) { osthread.With(l, func() { c.WaitTimeout(d) }) },
				notify:      func() { osthread.With(l, c.NotifyAll) },
			}
		}},
		{"sync.Cond", false, func(int) target {
			l := new(sync.Mutex)
			c := sync.NewCond(l)
			return target{
				wait:   func() { osthread.With(l, c.Wait) },
				notify: func() { osthread.With(l, c.Broadcast) },
			}
		}},
		{"channel", false, closed},
	},
	"event": {
		{Baseline, true, func(int) target {
			var e osthread.Event
			return target{
				wait:        e.Wait,
				waitContext: func(ctx context.Context) { _ = e.WaitContext(ctx) },
				waitTimeout: func(d time.Duration) { e.WaitTimeout(d) },
				notify:      e.Set,
			}
		}},
		{"channel", false, closed},
	},
	"semaphore": {
		{Baseline, true, func(n int) target {
			s := osthread.NewSemaphore(0)
			return target{
				wait:        func() { s.Acquire(1) },
				waitContext: func(ctx context.Context) { _ = s.AcquireContext(ctx, 1) },
				waitTimeout: func(d time.Duration) { s.AcquireTimeout(1, d) },
				notify:      func() { s.Release(n) },
			}
		}},
		{"x/sync", false, func(n int) target {
			s := semaphore.NewWeighted(int64(n))
			ctx := context.Background() // never done, so that Acquire cannot fail
			_ = s.Acquire(ctx, int64(n))
			return target{
				wait:        func() { _ = s.Acquire(ctx, 1) },
				waitContext: func(ctx context.Context) { _ = s.Acquire(ctx, 1) },
				waitTimeout: func(d time.Duration) {
					ctx, cancel := context.WithTimeout(ctx, d)
					defer cancel()
					_ = s.Acquire(ctx, 1)
				},
				notify: func() { s.Release(int64(n)) },
			}
		}},
		{"channel", false, sent},
	},
	"queue": {
		{Baseline, true, func(n int) target {
			q := queue.New[struct{}](0)
			return target{
				wait:        func() { _, _ = q.Get() }, // fails only after a shutdown
				waitContext: func(ctx context.Context) { _, _ = q.GetContext(ctx) },
				waitTimeout: func(d time.Duration) { _, _ = q.GetTimeout(d) },
				notify: func() {
					for range n {
						_ = q.Put(struct{}{})
					}
				},
			}
		}},
		{"channel", false, sent},
	},
	"future": {
		{Baseline, true, func(int) target {
			p := executor.NewPromise[int]()
			f := p.Future()
			return target{
				wait:        func() { _, _ = f.Result() },
				waitContext: func(ctx context.Context) { _, _ = f.ResultContext(ctx) },
				waitTimeout: func(d time.Duration) { _, _ = f.ResultTimeout(d) },
				notify:      func() { p.SetResult(1) },
			}
		}},
		{"channel", false, closed},
	},
}

// closed waits for a channel to be closed.
func closed(int) target {
	ch := make(chan struct{})
	h := channelTarget(func(done <-chan struct{}) {
		select {
		case <-ch:
		case <-done:
		}
	})
	h.wait, h.notify = func() { <-ch }, func() { close(ch) }
	return h
}

// sent waits for a value from a channel.
func sent(n int) target {
	ch := make(chan struct{}, n)
	h := channelTarget(func(done <-chan struct{}) {
		select {
		case <-ch:
		case <-done:
		}
	})
	h.wait, h.notify = func() { <-ch }, func() {
		for range n {
			ch <- struct{}{}
		}
	}
	return h
}

// channelTarget returns the waits that wait makes of a context and a timeout.
func channelTarget(wait func(done <-chan struct{})) target {
	return target{
		waitContext: func(ctx context.Context) { wait(ctx.Done()) },
		waitTimeout: func(d time.Duration) {
			ctx, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
			wait(ctx.Done())
		},
	}
}

// A trial is one wait of all callers of a round.
type trial struct {
	target
	op       string
	ctx      context.Context // canceled to end the waits, if op is "cancel"
	cancel   func()
	deadline time.Time     // of the waits, if op is "timeout"
	begun    atomic.Int64  // callers that are about to wait, or do
	left     atomic.Int64  // callers that have not returned
	returned chan struct{} // closed by the last of them,
	last     time.Time     // at this time
	over     chan struct{} // closed when next is set
	next     *trial        // nil: there is none
}

func newTrial(s scenario.Spec, target func(n int) target, due time.Duration) *trial {
	t := &trial{target: target(s.Waiters), op: s.Op, returned: make(chan struct{}), over: make(chan struct{})}
	t.left.Store(int64(s.Waiters))
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.deadline = time.Now().Add(due)
	return t
}

// call is the body of one caller: it waits in this trial and in those after it.
func (t *trial) call() {
	for t != nil {
		t.begun.Add(1)
		switch t.op {
		case "notify":
			t.wait()
		case "cancel":
			t.waitContext(t.ctx)
		case "timeout":
			t.waitTimeout(time.Until(t.deadline))
		}
		if t.left.Add(-1) == 0 {
			t.last = time.Now()
			close(t.returned)
		}
		<-t.over
		t = t.next
	}
}

// follow ends the trial; next is the one after it, nil for none.
func (t *trial) follow(next *trial) {
	t.cancel()
	t.next = next
	close(t.over)
}

// settle waits until all n callers sleep, as far as Go's scheduler knows: a
// thread in a system call does not count as running.
func (t *trial) settle(n int) error {
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(100 * time.Microsecond) {
		if t.begun.Load() == int64(n) && idle() {
			return nil
		}
	}
	return fmt.Errorf("%d of %d callers wait", t.begun.Load(), n)
}

// idle reports whether no other goroutine runs, or is ready to, in two looks.
func idle() bool {
	for range 2 {
		counts := []metrics.Sample{
			{Name: "/sched/goroutines/runnable:goroutines"},
			{Name: "/sched/goroutines/running:goroutines"},
		}
		metrics.Read(counts)
		if counts[0].Value.Uint64() > 0 || counts[1].Value.Uint64() > 1 {
			return false
		}
		time.Sleep(50 * time.Microsecond)
	}
	return true
}

// measure ends the waits and returns the time until the last caller has
// returned, and the usage meanwhile.
func (t *trial) measure() (took time.Duration, before, after usage) {
	before = used()
	began := time.Now()
	switch t.op {
	case "notify":
		t.notify()
	case "cancel":
		t.cancel()
	case "timeout":
		began = t.deadline
	}
	<-t.returned
	return max(1, t.last.Sub(began)), before, used()
}

// trials times from the release of all callers, or the deadline of their waits,
// until the last of them has returned, as often as the round has time for.
func trials(
	s scenario.Spec,
	r sample.Round,
	spawn spawner,
	target func(n int) target,
) (found sample.Sample, err error) {
	debug.SetMaxThreads(s.Waiters + 10_000)
	due := 20*time.Millisecond + time.Duration(s.Waiters)*10*time.Microsecond
	empty := memory(s)
	t := newTrial(s, target, due)
	var joins []func() error
	for range s.Waiters {
		join, err := spawn(t.call)
		if err != nil {
			return found, err // the process, which has this round alone, ends with it
		}
		joins = append(joins, join)
	}
	for began := time.Now(); ; {
		if err := t.settle(s.Waiters); err != nil {
			return found, err
		}
		if s.Memory() && found.Ops == 0 {
			found.Bytes = float64(memory(s)-empty) / float64(s.Waiters)
		}
		late := s.Op == "timeout" && time.Now().After(t.deadline)
		took, before, after := t.measure()
		if late {
			due *= 2
		} else {
			found.Ops += int64(s.Waiters)
			found.Elapsed += took
			found.CPU += after.cpu - before.cpu
			found.Switches += after.switches - before.switches
		}
		if !late && time.Since(began) >= r.Time {
			break
		}
		next := newTrial(s, target, due)
		t.follow(next)
		t = next
	}
	t.follow(nil)
	for _, join := range joins {
		err = errors.Join(err, join())
	}
	if !used().known {
		found.CPU, found.Switches = sample.Unknown, sample.Unknown
	}
	return found, err
}

// memory returns the memory in use in bytes: that of Go's heap and stacks if
// the callers are goroutines, else the resident memory. It is 0 in a row that
// does not measure it.
func memory(s scenario.Spec) int64 {
	if !s.Memory() {
		return 0
	}
	if s.Caller == scenario.Thread {
		resident() // the first call allocates
		return resident()
	}
	for range 2 { // the second frees what the first finalized, and stacks of dead goroutines
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
