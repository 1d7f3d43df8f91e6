package main

import (
	"context"
	"errors"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Future/" + k.String()
		add(name+"/result", func(t *test) { futureResult(t, k) })
		add(name+"/timeout", func(t *test) { futureTimeout(t, k) })
		add(name+"/cancel", func(t *test) { futureCancel(t, k) })

		name = "inbox/" + k.String()
		add(name+"/two calls", func(t *test) { inboxCalls(t, k, 2) })
		add(name+"/two calls/oneP", func(t *test) { inboxCalls(t, k, 1) })
		add(name+"/timeout", func(t *test) { inboxTimeout(t, k) })
		add(name+"/context", func(t *test) { inboxContext(t, k) })
		add(name+"/close", func(t *test) { inboxClose(t, k, false) })
		add(name+"/close and drop", func(t *test) { inboxClose(t, k, true) })
	}
}

// futureResult has two callers that wait for a result.
func futureResult(t *test, k kind) {
	p := executor.NewPromise[int]()
	for i := range 2 {
		t.caller(k, names[i], func() {
			v, err := p.Future().Result()
			must(v == 7 && err == nil, "Result returns %d, %v", v, err)
		})
	}
	t.caller(k, "promiser", func() { must(p.SetResult(7) == nil, "SetResult fails") })
}

// futureTimeout has a caller that gives up at any moment. What it gets then is
// nothing, or the result.
func futureTimeout(t *test, k kind) {
	p := executor.NewPromise[int]()
	set := false
	t.caller(k, "A", func() {
		was := set
		v, err := p.Future().ResultTimeout(brief)
		must(v == 7 && err == nil || errors.Is(err, executor.ErrTimeout) && !was, "Result returns %d, %v", v, err)
		if err != nil {
			v, err = p.Future().Result()
			must(v == 7 && err == nil, "Result returns %d, %v", v, err)
		}
	})
	t.caller(k, "promiser", func() {
		must(p.SetResult(7) == nil, "SetResult fails")
		set = true
	})
}

// futureCancel has a promise that is kept and canceled at once: one of them.
func futureCancel(t *test, k kind) {
	p := executor.NewPromise[int]()
	kept, canceled, called := false, false, 0
	p.Future().OnDone(func(*executor.Future[int]) { called++ })
	t.caller(k, "A", func() {
		v, err := p.Future().Result()
		must(v == 7 && err == nil || errors.Is(err, executor.ErrCancelled), "Result returns %d, %v", v, err)
	})
	t.caller(k, "promiser", func() { kept = p.SetResult(7) == nil })
	t.caller(k, "canceler", func() { canceled = p.Future().Cancel() })
	t.atEnd("kept or canceled", func() bool { return kept != canceled })
	t.atEnd("one callback", func() bool { return called == 1 })
}

// inboxCalls has two callers and a server.
func inboxCalls(t *test, k kind, procs int) {
	t.run.Procs(procs)
	b := sched.NewBox()
	run, returned := 0, 0
	t.thread("server", b.Serve)
	for i := range 2 {
		t.caller(k, names[i], func() {
			ran := false
			err := b.Do(func() error { run++; ran = true; return nil })
			must(err == nil && ran, "Do returns %v before the call", err)
			returned++
			if returned == 2 {
				b.Close(false)
			}
		})
	}
	t.atEnd("each call run once", func() bool { return run == 2 })
}

// inboxTimeout has a caller that gives up at any moment: its function is not
// called, or the error says that it may be.
func inboxTimeout(t *test, k kind) {
	b := sched.NewBox()
	t.spare++ // a call that is abandoned is not used again
	run := 0
	t.thread("server", b.Serve)
	t.caller(k, "A", func() {
		ran := false
		err := b.DoTimeout(func() error { run++; ran = true; return nil }, brief)
		must(err == nil && ran || errors.Is(err, osthread.ErrTimeout), "Do returns %v", err)
		err = b.Do(func() error { return errAsked })
		must(err == errAsked, "Do returns %v", err)
		b.Close(false)
	})
	t.atEnd("run once at most", func() bool { return run <= 1 })
}

func inboxContext(t *test, k kind) {
	b := sched.NewBox()
	t.spare++
	ctx := t.cancelable()
	t.thread("server", b.Serve)
	t.caller(k, "A", func() {
		ran := false
		err := b.DoContext(ctx, func() error { ran = true; return nil })
		must(err == nil && ran || errors.Is(err, context.Canceled), "Do returns %v", err)
		err = b.Do(func() error { return errAsked })
		must(err == errAsked, "Do returns %v", err)
		b.Close(false)
	})
}

// inboxClose has a close that comes while a call waits, or before, and a call
// that is posted.
func inboxClose(t *test, k kind, drop bool) {
	b := sched.NewBox()
	run, ok, posted, done := 0, 0, 0, 0
	t.thread("server", b.Serve)
	t.caller(k, "A", func() {
		err := b.Do(func() error { run++; return nil })
		must(err == nil || errors.Is(err, osthread.ErrShutdown), "Do returns %v", err)
		if err == nil {
			ok++
		}
	})
	t.caller(k, "B", func() {
		if b.Post(func() { done++ }) == nil {
			posted++
		}
	})
	dropped := 0
	t.caller(k, "closer", func() { dropped = b.Close(drop) })
	t.atEnd("run as often as it is said", func() bool { return run == ok })
	t.atEnd("posted calls run or dropped", func() bool { return done <= posted && posted <= done+dropped })
}
