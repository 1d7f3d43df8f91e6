package main

import (
	"context"
	"fmt"
	"time"

	"example.com/thread/verify/explore/sched"
)

// A scenario is a few callers, and what must hold of them.
type scenario struct {
	name string
	set  func(t *test)
}

// A test is one execution of a scenario.
type test struct {
	run    *sched.Run
	checks []func()
	spare  int // nodes that an object keeps for later
}

// execute makes the scenario's execution that c decides.
func (s scenario) execute(c sched.Chooser, tracing bool) (*sched.Run, string) {
	t := &test{}
	r, failure := sched.Do(c, tracing, func(r *sched.Run) {
		t.run = r
		s.set(t)
	})
	if failure == "" {
		failure = r.Finish(func() {
			for _, check := range t.checks {
				check()
			}
		})
	}
	if kept := sched.Kept(); failure == "" && kept > t.spare {
		failure = fmt.Sprintf("%d nodes are not released", kept)
	}
	if failure == "" {
		failure = sched.Leaked()
	}
	return r, failure
}

// goroutine and thread add a caller.
func (t *test) goroutine(name string, f func()) *sched.Caller { return t.run.Go(name, false, f) }
func (t *test) thread(name string, f func()) *sched.Caller    { return t.run.Go(name, true, f) }

// A kind is what callers of a scenario are: goroutines or threads.
type kind bool

const (
	goroutines kind = false
	threads    kind = true
)

func (k kind) String() string {
	if k == threads {
		return "threads"
	}
	return "goroutines"
}

// caller adds a caller of the kind k.
func (t *test) caller(k kind, name string, f func()) *sched.Caller { return t.run.Go(name, bool(k), f) }

// atEnd adds a check of the state after all callers have ended.
func (t *test) atEnd(what string, holds func() bool) {
	t.checks = append(t.checks, func() { must(holds(), "at the end: not %s", what) })
}

// must ends the execution as a failed one unless ok.
func must(ok bool, format string, args ...any) {
	if !ok {
		sched.Fail(format, args...)
	}
}

// A section is a critical section. Within it others get a chance to enter.
type section struct {
	inside int
	times  int
	order  []string
}

func (s *section) enter(name string) {
	s.inside++
	must(s.inside == 1, "%d callers are in the critical section", s.inside)
	s.order = append(s.order, name)
	sched.Step("in the section", nil)
	must(s.inside == 1, "%d callers are in the critical section", s.inside)
	s.inside--
	s.times++
}

// until waits, as a caller, until holds is true, which reads what callers have
// written, and nothing of the code under test.
func until(holds func() bool) { sched.Cue(holds) }

// cancelable returns a context that the caller named "cancel" ends at any
// moment.
func (t *test) cancelable() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.goroutine("cancel", func() {
		sched.Step("cancels", nil)
		cancel()
	})
	return ctx
}

// A brief is a timeout that a wait may reach.
const brief = 10 * time.Microsecond
