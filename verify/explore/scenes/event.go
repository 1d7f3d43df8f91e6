package main

import (
	"context"
	"errors"

	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Event/" + k.String()
		add(name+"/set", func(t *test) { eventSet(t, k) })
		add(name+"/wait again", func(t *test) { eventAgain(t, k) })
		add(name+"/set and clear", func(t *test) { eventClear(t, k) })
		add(name+"/timeout", func(t *test) { eventTimeout(t, k) })
		add(name+"/auto-reset", func(t *test) { eventAuto(t, k) })
		add(name+"/auto-reset, timeout", func(t *test) { eventAutoTimeout(t, k) })
		add(name+"/auto-reset, context", func(t *test) { eventAutoContext(t, k) })

		name = "Barrier/" + k.String()
		add(name+"/two", func(t *test) { barrier(t, k, 2, 1, nil) })
		add(name+"/two rounds", func(t *test) { barrier(t, k, 2, 2, nil) })
		add(name+"/three", func(t *test) { barrier(t, k, 3, 1, nil) })
		add(name+"/action", func(t *test) { barrier(t, k, 2, 2, func() { sched.Step("acts", nil) }) })
		add(name+"/timeout", func(t *test) { barrierTimeout(t, k) })
		add(name+"/timeout, two of three", func(t *test) { barrierTooFew(t, k) })
		add(name+"/abort", func(t *test) { barrierAbort(t, k) })
	}
	add("Event/mixed/set", func(t *test) {
		var e osthread.Event
		passed := 0
		for i, k := range []kind{threads, goroutines, threads} {
			t.caller(k, names[i], func() { e.Wait(); passed++ })
		}
		t.goroutine("setter", e.Set)
		t.eventHasPassed(&e, &passed, 3)
	})
	add("Barrier/mixed/three", func(t *test) {
		b := osthread.NewBarrier(3, nil)
		for i, k := range []kind{threads, goroutines, threads} {
			t.caller(k, names[i], func() {
				_, err := b.Wait()
				must(err == nil, "Wait returns %v", err)
			})
		}
	})
}

func (t *test) eventHasPassed(e *osthread.Event, passed *int, want int) {
	t.atEnd("all have passed", func() bool { return *passed == want })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 })
}

func eventSet(t *test, k kind) {
	var e osthread.Event
	passed := 0
	for i := range 2 {
		t.caller(k, names[i], func() { e.Wait(); passed++ })
	}
	t.goroutine("setter", e.Set)
	t.eventHasPassed(&e, &passed, 2)
}

// eventAgain has a waiter that waits for another event once it is woken, with
// the node that it has had, while the waker goes on to the next one.
func eventAgain(t *test, k kind) {
	var e, other osthread.Event
	passed := 0
	a := t.caller(k, "A", func() { e.Wait(); other.Wait(); passed++ })
	b := t.caller(k, "B", func() { e.Wait(); passed++ })
	t.goroutine("setter", func() {
		until(func() bool { return a.Slept() && b.Slept() })
		e.Set()
		other.Set()
	})
	t.eventHasPassed(&e, &passed, 2)
}

// eventClear has a Set that ends the waits before it, even if Clear comes next.
func eventClear(t *test, k kind) {
	var e osthread.Event
	passed := 0
	a := t.caller(k, "A", func() { e.Wait(); passed++ })
	t.goroutine("setter", func() {
		until(a.Slept)
		e.Set()
		e.Clear()
	})
	t.eventHasPassed(&e, &passed, 1)
}

// eventTimeout has a waiter that gives up at any moment.
func eventTimeout(t *test, k kind) {
	var e osthread.Event
	set, passed := false, 0
	t.caller(k, "A", func() {
		was := set
		in := e.WaitTimeout(brief)
		must(in || !was, "WaitTimeout returns false of an event that is set")
		if !in {
			e.Wait()
		}
		passed++
	})
	t.caller(k, "B", func() { e.Wait(); passed++ })
	t.goroutine("setter", func() { e.Set(); set = true })
	t.eventHasPassed(&e, &passed, 2)
}

// eventAuto has as many Sets as waiters, each of which ends one wait.
func eventAuto(t *test, k kind) {
	e := osthread.Event{AutoReset: true}
	passed := 0
	for i := range 2 {
		t.caller(k, names[i], func() { e.Wait(); passed++; must(passed <= 2, "too many have passed") })
	}
	t.goroutine("setter", func() {
		e.Set()
		until(func() bool { return passed == 1 })
		e.Set()
	})
	t.eventHasPassed(&e, &passed, 2)
	t.atEnd("reset", func() bool { return !e.IsSet() })
}

// eventAutoTimeout has one Set, which a waiter that gives up must not take.
func eventAutoTimeout(t *test, k kind) {
	e := osthread.Event{AutoReset: true}
	passed := 0
	for i := range 2 {
		t.caller(k, names[i], func() {
			if e.WaitTimeout(brief) {
				passed++
			}
		})
	}
	t.goroutine("setter", e.Set)
	t.atEnd("each Set in one place", func() bool { return passed == 1 != e.IsSet() })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 })
}

func eventAutoContext(t *test, k kind) {
	e := osthread.Event{AutoReset: true}
	passed := 0
	ctx := t.cancelable()
	t.caller(k, "A", func() {
		if err := e.WaitContext(ctx); err == nil {
			passed++
		} else {
			must(errors.Is(err, context.Canceled), "WaitContext returns %v", err)
		}
	})
	t.goroutine("setter", e.Set)
	t.atEnd("each Set in one place", func() bool { return passed == 1 != e.IsSet() })
}

// barrier has n parties, none of which passes a round before all have arrived.
func barrier(t *test, k kind, n, rounds int, action func()) {
	acted := 0
	do := func() { acted++; action() }
	if action == nil {
		do = nil
	}
	b := osthread.NewBarrier(n, do)
	arrived := make([]int, rounds)
	indexes := make([]int, rounds)
	for i := range n {
		t.caller(k, names[i], func() {
			for round := range rounds {
				arrived[round]++
				index, err := b.Wait()
				must(err == nil, "Wait returns %v", err)
				must(arrived[round] == n, "%d of %d parties have arrived", arrived[round], n)
				must(do == nil || acted > round, "the action has not been run")
				indexes[round] += 1 << index
			}
		})
	}
	t.atEnd("each index once", func() bool { return indexes[0] == 1<<n-1 && indexes[rounds-1] == 1<<n-1 })
	t.atEnd("without waiters", func() bool { return b.Waiting() == 0 })
}

// barrierTimeout has a party that gives up at any moment: all get the round, or
// none does.
func barrierTimeout(t *test, k kind) {
	b := osthread.NewBarrier(2, nil)
	passed := 0
	t.caller(k, "A", func() {
		if _, err := b.WaitTimeout(brief); err == nil {
			passed++
		}
	})
	t.caller(k, "B", func() {
		if _, err := b.Wait(); err == nil {
			passed++
		} else {
			must(errors.Is(err, osthread.ErrBroken), "Wait returns %v", err)
		}
	})
	t.atEnd("passed by both or none", func() bool { return passed == 2 != b.Broken() && passed != 1 })
}

// barrierTooFew has two of three parties, of which one gives up, and so ends
// the wait of the other.
func barrierTooFew(t *test, k kind) {
	b := osthread.NewBarrier(3, nil)
	t.caller(k, "A", func() {
		_, err := b.WaitTimeout(brief)
		must(errors.Is(err, osthread.ErrBroken), "WaitTimeout returns %v", err)
	})
	t.caller(k, "B", func() {
		_, err := b.Wait()
		must(errors.Is(err, osthread.ErrBroken), "Wait returns %v", err)
	})
	t.atEnd("broken", b.Broken)
}

func barrierAbort(t *test, k kind) {
	b := osthread.NewBarrier(2, nil)
	passed := 0
	for i := range 2 {
		t.caller(k, names[i], func() {
			if _, err := b.Wait(); err == nil {
				passed++
			}
		})
	}
	t.goroutine("abort", b.Abort)
	t.atEnd("passed by both or none", func() bool { return passed != 1 })
	t.atEnd("broken", b.Broken)
}
