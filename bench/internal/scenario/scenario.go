// Package scenario says what is measured. It knows nothing of who takes part.
package scenario

import (
	"fmt"
	"runtime"
	"time"
)

// A Kind is a sort of work, whose parameters a Spec holds.
type Kind int

const (
	// Lock is lock, Work steps, unlock, on each of Threads threads at once; an operation is one such section of any thread.
	Lock Kind = iota
	// Handoff is two threads that take turns; an operation is one turn.
	Handoff
	// Mutex is Lock for the threading tier: pinned threads, or goroutines.
	Mutex
	// Recursive is a recursive lock, by one thread or goroutine alone.
	Recursive
	// Wait is Mutex, but the figure is the time that all but one in a thousand calls of Lock took at most.
	Wait
	// Condition is pairs that take turns, each with a lock and a condition of its own; an operation is one turn of one of them.
	Condition
	// StartJoin is making a thread with an empty body and waiting for its end.
	StartJoin
)

// A Spec is one row of the table.
type Spec struct {
	Kind    Kind
	Threads int  // Lock, Mutex, Wait; Condition: twice the pairs
	Work    int  // Lock, Mutex, Wait: steps of Work in a section
	Pinned  bool // Mutex, Recursive, Wait, Condition: callers are threads
	Stack   int  // StartJoin: bytes, 0 for the default
	Procs   int  // GOMAXPROCS of the row; 0: as it is
}

// Tier tells who takes part.
func (s Spec) Tier() Tier {
	switch s.Kind {
	case Mutex, Recursive, Wait, Condition:
		return Threading
	default:
		return Thread
	}
}

// A Tier is a package of this library.
type Tier int

const (
	Thread    Tier = iota // package thread
	Threading             // package osthread
)

func (s Spec) caller() string {
	if s.Pinned {
		return "caller=pinned"
	}
	return "caller=goroutine"
}

// Name is the row's name in key=value form, as benchstat reads it.
func (s Spec) Name() string {
	switch s.Kind {
	case Lock:
		return fmt.Sprintf("lock/threads=%d/work=%d", s.Threads, s.Work)
	case Mutex:
		return fmt.Sprintf("mutex/%s/threads=%d/work=%d/procs=%d", s.caller(), s.Threads, s.Work, s.Procs)
	case Recursive:
		return "recursive/" + s.caller()
	case Wait:
		return fmt.Sprintf("wait-p99.9/%s/threads=%d/work=%d/procs=%d", s.caller(), s.Threads, s.Work, s.Procs)
	case Condition:
		return fmt.Sprintf("condition/%s/pairs=%d/procs=%d", s.caller(), s.Threads/2, s.Procs)
	case Handoff:
		return fmt.Sprintf("handoff/procs=%d", s.Procs)
	default:
		if s.Stack == 0 {
			return "startjoin/stack=default"
		}
		return fmt.Sprintf("startjoin/stack=%dKiB", s.Stack>>10)
	}
}

// All returns every row, in the order of the table.
func All() []Spec {
	specs := []Spec{{Kind: Lock, Threads: 1}}
	for _, threads := range []int{2, 4, 16} {
		for _, work := range []int{0, 50, 500, 5000} {
			specs = append(specs, Spec{Kind: Lock, Threads: threads, Work: work})
		}
	}
	specs = append(specs, Spec{Kind: Handoff, Procs: 1})
	if runtime.NumCPU() > 1 {
		specs = append(specs, Spec{Kind: Handoff, Procs: 2})
	}
	specs = append(specs, Spec{Kind: StartJoin, Stack: 64 << 10}, Spec{Kind: StartJoin})
	for _, pinned := range []bool{true, false} {
		specs = append(specs, threading(pinned)...)
	}
	return specs
}

// threading returns the rows of package osthread for one kind of caller.
func threading(pinned bool) (specs []Spec) {
	works := []int{0, 50, 500, 5000}
	specs = append(specs, Spec{Kind: Mutex, Threads: 1, Procs: 2, Pinned: pinned}, Spec{Kind: Recursive, Pinned: pinned})
	for _, procs := range []int{1, 2, 4} {
		for _, threads := range []int{2, 4, 16} {
			for _, work := range works {
				specs = append(specs, Spec{Kind: Mutex, Threads: threads, Work: work, Procs: procs, Pinned: pinned})
			}
		}
	}
	for _, work := range works {
		specs = append(specs, Spec{Kind: Wait, Threads: 16, Work: work, Procs: 2, Pinned: pinned})
	}
	for _, procs := range []int{1, 2} {
		for _, pairs := range []int{1, 4} {
			specs = append(specs, Spec{Kind: Condition, Threads: 2 * pairs, Procs: procs, Pinned: pinned})
		}
	}
	return specs
}

// Ops returns how many operations take about d, or 0 if that is to be tried: of a row whose figure is not the time of an operation it cannot be.
func (s Spec) Ops(d time.Duration) int {
	if s.Kind != Wait {
		return 0
	}
	const step, rest = 1.1, 100 // ns, roughly
	return int(float64(d) / (float64(s.Work)*step + rest))
}

// Work does n steps that each need the one before: one multiplication and one addition, about a nanosecond together. Contenders in C have the same
// function.
//
//go:noinline
func Work(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}
