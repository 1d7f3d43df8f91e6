package main

import (
	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "WaitAny/" + k.String()
		add(name+"/two objects", func(t *test) { waitAnyTwo(t, k) })
		add(name+"/timeout", func(t *test) { waitAnyTimeout(t, k) })
		add(name+"/two waiters", func(t *test) { waitAnyWaiters(t, k) })

		name = "WaitAll/" + k.String()
		add(name+"/two objects", func(t *test) { waitAllTwo(t, k) })
		add(name+"/timeout", func(t *test) { waitAllTimeout(t, k) })
		add(name+"/two waiters", func(t *test) { waitAllWaiters(t, k) })
		add(name+"/leaves a permit", func(t *test) { waitAllLeaves(t, k) })
	}
}

// waitAnyTwo has two objects that become ready at once: one is taken.
func waitAnyTwo(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	won := -1
	t.caller(k, "A", func() { won = osthread.WaitAny(e, s) })
	t.goroutine("setter", e.Set)
	t.goroutine("releaser", func() { s.Release(1) })
	t.atEnd("one of two taken", func() bool {
		return won == 0 && !e.IsSet() && s.Value() == 1 || won == 1 && e.IsSet() && s.Value() == 0
	})
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}

func waitAnyTimeout(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	won := -1
	t.caller(k, "A", func() { won = osthread.WaitAnyTimeout(brief, e, s) })
	t.goroutine("setter", e.Set)
	t.atEnd("taken, or still there", func() bool { return won == 0 && !e.IsSet() || won == -1 && e.IsSet() })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}

// waitAnyWaiters has two waiters, one permit and one Set.
func waitAnyWaiters(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	t.caller(k, "A", func() { osthread.WaitAny(e, s) })
	t.caller(k, "B", func() { osthread.WaitAny(s, e) })
	t.goroutine("giver", func() {
		e.Set()
		s.Release(1)
	})
	t.atEnd("all taken", func() bool { return !e.IsSet() && s.Value() == 0 })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}

func waitAllTwo(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	t.caller(k, "A", func() { osthread.WaitAll(e, s) })
	t.goroutine("setter", e.Set)
	t.goroutine("releaser", func() { s.Release(1) })
	t.atEnd("all taken", func() bool { return !e.IsSet() && s.Value() == 0 })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}

// waitAllTimeout has a WaitAll that gives up, having taken nothing, and a
// waiter for one of its objects.
func waitAllTimeout(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	taken, got := false, false
	t.caller(k, "A", func() { taken = osthread.WaitAllTimeout(brief, e, s) })
	t.caller(k, "B", func() { got = s.AcquireTimeout(1, brief) })
	t.goroutine("giver", func() {
		s.Release(1)
		e.Set()
	})
	t.atEnd("all or nothing taken", func() bool {
		left := 1
		if taken || got {
			left = 0
		}
		return !(taken && got) && s.Value() == left && e.IsSet() == !taken
	})
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}

// waitAllWaiters has two that want the same two objects.
func waitAllWaiters(t *test, k kind) {
	e, f := &osthread.Event{AutoReset: true}, &osthread.Event{AutoReset: true}
	done := 0
	t.caller(k, "A", func() { osthread.WaitAll(e, f); done++ })
	t.caller(k, "B", func() { osthread.WaitAll(f, e); done++ })
	t.goroutine("setter", func() {
		for round := range 2 {
			e.Set()
			sched.Step("sets both", nil)
			f.Set()
			until(func() bool { return done > round })
		}
	})
	t.atEnd("all taken", func() bool { return !e.IsSet() && !f.IsSet() })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && f.Waiting() == 0 })
}

// waitAllLeaves has a WaitAll that is notified of a permit, and leaves it to
// the next waiter, since something else is missing.
func waitAllLeaves(t *test, k kind) {
	e := &osthread.Event{AutoReset: true}
	s := osthread.NewSemaphore(0)
	a := t.caller(k, "A", func() {
		must(!osthread.WaitAllTimeout(brief, s, e), "WaitAllTimeout takes an event that is not set")
	})
	t.caller(k, "B", func() { until(a.Slept); s.Acquire(1) })
	t.goroutine("releaser", func() { s.Release(1) })
	t.atEnd("the permit taken", func() bool { return s.Value() == 0 })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 && s.Waiting() == 0 })
}
