package contender

import (
	"errors"
	"math/rand/v2"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread/executor"
)

// A pool is a pool of one thread, as one contender has it, whose thread is
// occupied until open.
type pool struct {
	submit func(i int)
	cancel func(i int) // may be nil
	open   func()
	wait   func() // until all tasks have run, or are canceled
	close  func() error
}

// tasks: without this library, pools are built on a channel of functions.
func tasks(s scenario.Spec) []Contender {
	cs := []Contender{{Baseline, true, backlog(newPool)}}
	if s.Op != "cancel" {
		cs = append(cs, Contender{"locked goroutine", false, backlog(newChannelPool)})
	}
	return cs
}

func newPool(n int) (pool, error) {
	e, err := executor.New(executor.Options{Threads: 1})
	if err != nil {
		return pool{}, err
	}
	gate := make(chan struct{})
	if _, err := executor.Submit(e, func() (int, error) { <-gate; return 0, nil }); err != nil {
		return pool{}, err
	}
	futures := make([]*executor.Future[int], n)
	var failed error
	return pool{
		submit: func(i int) {
			f, err := executor.Submit(e, func() (int, error) { return 1, nil })
			failed = errors.Join(failed, err)
			futures[i] = f
		},
		cancel: func(i int) { futures[i].Cancel() },
		open:   func() { close(gate) },
		wait:   func() { _, _ = futures[n-1].Result() }, // tasks run in the order of their submission
		close:  func() error { return errors.Join(failed, e.Close()) },
	}, nil
}

func newChannelPool(n int) (pool, error) {
	gate, end := make(chan struct{}), make(chan struct{})
	work := make(chan func(), n)
	join, err := locked(func() {
		<-gate
		for f := range work {
			f()
		}
	})
	return pool{
		submit: func(i int) {
			result := make(chan int, 1)
			work <- func() {
				result <- 1
				if i == n-1 {
					close(end)
				}
			}
		},
		open:  func() { close(gate) },
		wait:  func() { <-end },
		close: func() error { close(work); return join() },
	}, err
}

// backlog queues the tasks of the row, and times what its Op says, as often as
// the round has time for.
func backlog(newPool func(n int) (pool, error)) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return func(s scenario.Spec, r sample.Round) (found sample.Sample, err error) {
		n := s.Tasks
		timed := func(op string, f func()) {
			before, began := used(), time.Now()
			f()
			if s.Op != op {
				return
			}
			took, after := time.Since(began), used()
			found.Ops += int64(n)
			found.Elapsed += took
			found.CPU += after.cpu - before.cpu
			found.Switches += after.switches - before.switches
		}
		for began := time.Now(); found.Ops == 0 || time.Since(began) < r.Time; {
			order := rand.Perm(n)
			empty := memory(s)
			p, err := newPool(n)
			if err != nil {
				return found, err
			}
			timed("submit", func() {
				for i := range n {
					p.submit(i)
				}
			})
			if s.Memory() && found.Bytes == 0 {
				found.Bytes = float64(memory(s)-empty) / float64(n)
			}
			timed("cancel", func() {
				if s.Op == "cancel" {
					for _, i := range order {
						p.cancel(i)
					}
				}
			})
			timed("run", func() { p.open(); p.wait() })
			if err := p.close(); err != nil {
				return found, err
			}
		}
		if !used().known {
			found.CPU, found.Switches = sample.Unknown, sample.Unknown
		}
		return found, nil
	}
}
