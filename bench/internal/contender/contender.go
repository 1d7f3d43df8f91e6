// Package contender has the contenders that run in this process: this library
// and what Go offers without it. Each file has one kind of work, written for
// each contender as its users would write it.
//
// Operations of a few nanoseconds run in a loop over the concrete type, each in
// its own function: a loop shared by an interface or by type parameters would
// make calls where the compiler inlines. Longer operations are called through
// function values or interfaces, equally for all contenders.
package contender

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// Baseline is the contender that the others are compared with: this library,
// used as its users would for the row.
const Baseline = "osthread"

// A Contender does one kind of work with one library.
type Contender struct {
	Name string
	Ours bool // the contender is this library
	// Run does one round. It returns an [sample.AbsentError] if the contender
	// cannot do the row on this machine.
	Run func(scenario.Spec, sample.Round) (sample.Sample, error)
}

// For returns the contenders of a row, the baseline first.
func For(s scenario.Spec) []Contender {
	switch s.Kind {
	case scenario.Lock:
		return lockers(s)
	case scenario.Recursive:
		return recursives
	case scenario.RWLock:
		return rwlocks(s)
	case scenario.Condition:
		return conditions
	case scenario.Event:
		return events
	case scenario.Park:
		return parks
	case scenario.Semaphore:
		return semaphores
	case scenario.Barrier:
		return barriers
	case scenario.DropIn:
		return dropins
	case scenario.Shared:
		return shareds(s)
	case scenario.Queue:
		return queues
	case scenario.StartJoin:
		return starts(s)
	case scenario.Submit:
		return submits
	case scenario.Call:
		return calls
	case scenario.Lua:
		return interpreters
	case scenario.Callback:
		return callbacks
	case scenario.Identity:
		return identities(s)
	case scenario.Lateness:
		return sleepers
	case scenario.Many:
		return crowds
	case scenario.Waiters:
		return waiters(s)
	case scenario.WaitAny:
		return waitAnys
	case scenario.Tasks:
		return tasks(s)
	}
	return nil
}

// Run does one round of a contender with the GOMAXPROCS of the row.
func Run(c Contender, s scenario.Spec, r sample.Round) (sample.Sample, error) {
	// The limit is generous: a round of many threads takes a minute on a busy
	// machine. A program in another language has its own, shorter limit and a
	// better message. Threads of this process can only be ended with the
	// process.
	hangs := time.AfterFunc(10*time.Minute+40*(r.Warm+r.Time), func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s, %s: the round does not end", s.Name(), c.Name))
	})
	defer hangs.Stop()
	if s.Procs != 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Procs))
	}
	return c.Run(s, r)
}

// of returns a Run that makes a crew for each round.
func of(run func(c *crew) (sample.Sample, error)) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
		return run(&crew{spec: s, round: r})
	}
}
