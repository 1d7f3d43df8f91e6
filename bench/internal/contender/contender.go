// Package contender holds who takes part in this process: this library and what
// Go has of its own. A file has one kind of work, written for each of them as
// its users would write it.
//
// What takes some nanoseconds runs in a loop over the concrete type, each in a
// function of its own: one loop for all, by an interface or by type parameters,
// would call where the compiler inlines. What takes longer is called through
// function values or interfaces, by all alike.
package contender

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
)

// Baseline is the contender that the others are compared with: this library, by
// what its users would take for the row.
const Baseline = "osthread"

// A Contender does a kind of work by one library.
type Contender struct {
	Name string
	Ours bool // it is this library
	// Run does one round. An error that sample.IsAbsent says that it has
	// nothing for the row on this machine.
	Run func(scenario.Spec, sample.Round) (sample.Sample, error)
}

// For returns those who take part in a row, the baseline first.
func For(s scenario.Spec) []Contender {
	switch s.Kind {
	case scenario.Lock:
		return lockers(s)
	case scenario.Recursive:
		return recursives
	case scenario.RWLock:
		return rwlocks
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
	case scenario.Queue:
		return queues
	case scenario.StartJoin:
		return starts(s)
	case scenario.Submit:
		return submits
	case scenario.Call:
		return calls
	case scenario.Callback:
		return callbacks
	case scenario.Identity:
		return identities(s)
	case scenario.Lateness:
		return sleepers
	case scenario.Many:
		return crowds
	}
	return nil
}

// Run does one round of a contender under the row's GOMAXPROCS.
func Run(c Contender, s scenario.Spec, r sample.Round) (sample.Sample, error) {
	// A program in another language has a limit of its own, which comes first
	// and says more. Here nothing can end the threads but the process's end.
	hangs := time.AfterFunc(60*time.Second+40*(r.Warm+r.Time), func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s, %s: the round does not end", s.Name(), c.Name))
	})
	defer hangs.Stop()
	if s.Procs != 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Procs))
	}
	return c.Run(s, r)
}

// of returns a Run that gives each round a crew.
func of(run func(c *crew) (sample.Sample, error)) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return func(s scenario.Spec, r sample.Round) (sample.Sample, error) {
		return run(&crew{spec: s, round: r})
	}
}
