// Package scenario says what is measured. It knows nothing of who takes part.
package scenario

import (
	"fmt"
	"runtime"
)

// A Kind is a sort of work, whose parameters a Spec holds.
type Kind int

const (
	// Lock is lock, Work steps, unlock, on each of Threads threads at once; an operation is one such section of any thread.
	Lock Kind = iota
	// Handoff is two threads that take turns; an operation is one turn.
	Handoff
	// StartJoin is making a thread with an empty body and waiting for its end.
	StartJoin
)

// A Spec is one row of the table.
type Spec struct {
	Kind    Kind
	Threads int // Lock
	Work    int // Lock: steps of Work in a section
	Stack   int // StartJoin: bytes, 0 for the default
	Procs   int // GOMAXPROCS of the row; 0: as it is
}

// Name is the row's name in key=value form, as benchstat reads it.
func (s Spec) Name() string {
	switch s.Kind {
	case Lock:
		return fmt.Sprintf("lock/threads=%d/work=%d", s.Threads, s.Work)
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
	return append(specs, Spec{Kind: StartJoin, Stack: 64 << 10}, Spec{Kind: StartJoin})
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
