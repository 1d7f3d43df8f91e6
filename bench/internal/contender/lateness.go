package contender

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

var sleepers = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		var never osthread.Event
		return lateness(c, scheduled(c.spec), func(d time.Duration) { never.WaitTimeout(d) })
	})},
	{"thread.ParkTimeout", true, of(func(c *crew) (sample.Sample, error) {
		return lateness(c, scheduled(c.spec), func(d time.Duration) { _ = thread.ParkTimeout(d) })
	})},
	// Go's timers on a thread that this library made with the policy and
	// affinity of the row, which Go itself cannot set.
	{
		"time.Sleep",
		false,
		of(func(c *crew) (sample.Sample, error) { return lateness(c, scheduled(c.spec), time.Sleep) }),
	},
}

// priority of the FIFO threads: the lowest, which is still above every thread
// without a realtime policy.
const priority = 1

// scheduled returns a spawner with the scheduling of the row.
func scheduled(s scenario.Spec) spawner {
	attr := &thread.Attr{}
	if s.Policy == scenario.FIFO {
		attr.Policy, attr.Priority = thread.PolicyFIFO, priority
	}
	if s.Bound {
		attr.Affinity = []int{0}
	}
	attr.TimerSlack = time.Duration(s.Slack)
	return func(body func()) (func() error, error) {
		join, err := start(body, attr)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
			return nil, &sample.AbsentError{Why: fmt.Sprintf("no such thread here: %v", err)}
		}
		return join, err
	}
}

// lateness makes one thread wait repeatedly, and counts by how much each wait
// exceeds the requested time.
func lateness(c *crew, spawn spawner, wait func(time.Duration)) (sample.Sample, error) {
	defer busy(c.spec.Busy)()
	return c.run(1, 1, spawn, func(_ int, t *tally) {
		for !c.over() {
			began := t.now()
			wait(time.Duration(c.spec.Sleep))
			t.count(max(0, t.since(began)-int64(c.spec.Sleep))) // an early wakeup counts as 0
			t.step()
		}
	})
}

// busy starts n goroutines that compute until end is called.
func busy(n int) (end func()) {
	var stop atomic.Bool
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			for x := uint64(i); !stop.Load(); {
				x = scenario.Work(x, 1000)
			}
		})
	}
	return func() {
		stop.Store(true)
		running.Wait()
	}
}
