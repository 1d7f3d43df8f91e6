package contender

import (
	"fmt"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread/shared"
)

// shareds returns the contenders of a shared row: package shared, on threads of
// this library. C's are in package foreign.
func shareds(s scenario.Spec) []Contender {
	switch s.Object {
	case "semaphore", "event":
		return sharedTurns(s.Object)
	case "ring":
		return sharedRings()
	}
	return []Contender{{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		attr := shared.MutexAttr{ProcessShared: true}
		switch c.spec.Object {
		case "errorcheck":
			attr.Kind = shared.ErrorCheck
		case "recursive":
			attr.Kind = shared.Recursive
		case "robust":
			attr.Robust = true
		case "inherit":
			attr.Inherit = true
		}
		if c.spec.Op == scenario.Processes {
			return sharedByProcesses(c, attr)
		}
		m := new(shared.Mutex)
		if err := m.Init(attr); err != nil {
			return sample.Sample{}, &sample.AbsentError{Why: err.Error()}
		}
		return c.run(c.spec.Threads, c.spec.Threads, native, func(_ int, t *tally) {
			if err := mutexWithErrors(c, t, m, func() {}); err != nil {
				panic(fmt.Sprint("bench: ", err)) // with the lock in an unknown state no thread can go on
			}
		})
	})}}
}

// mutexWithErrors calls published after each batch.
func mutexWithErrors(c *crew, t *tally, m *shared.Mutex, published func()) error {
	batch, work := c.spec.Batch(), c.spec.Work
	x := uint64(0)
	for !c.over() {
		for range batch {
			began := t.now()
			if err := m.Lock(); err != nil {
				return err
			}
			waited := t.since(began)
			if work != 0 {
				x = scenario.Work(x, work)
			}
			if err := m.Unlock(); err != nil {
				return err
			}
			t.count(waited)
		}
		t.add(batch)
		published()
	}
	return nil
}
