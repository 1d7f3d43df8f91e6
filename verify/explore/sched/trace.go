package sched

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// An Event is one step of an execution that is traced.
type Event struct {
	Caller, What, Where string
}

func (e Event) String() string { return fmt.Sprintf("%-12s %-34s %s", e.Caller, e.What, e.Where) }

// Events returns the steps of an execution that was traced.
func (r *Run) Events() []Event { return r.events }

// Steps returns the number of steps.
func (r *Run) Steps() int { return r.steps }

func (r *Run) log(c *Caller, what string) {
	if r.tracing {
		r.events = append(r.events, Event{c.name, what, ""})
	}
}

func (r *Run) record(c *Caller, what string, word any) {
	if s, ok := word.(string); ok {
		what += " " + s
	}
	r.events = append(r.events, Event{c.name, what, where()})
}

// where returns the line of the code under test that makes the step, and the
// line that called it.
func where() string {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var lines []string
	for more := true; more && len(lines) < 3; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.File == "" || hidden(f.Function) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line))
	}
	return strings.Join(lines, " < ")
}

func hidden(function string) bool {
	return strings.Contains(function, "/verify/explore/shim/") || strings.Contains(function, "/verify/explore/sched.")
}
