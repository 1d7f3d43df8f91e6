package contender

import (
	"errors"
	"time"

	"example.com/thread"
	"example.com/thread/bench/internal/scenario"
)

// low is this library: native threads, thread.Lock, Park and Unpark.
var low = Contender{Name: Baseline, Run: func(s scenario.Spec, n int) (time.Duration, error) {
	switch s.Kind {
	case scenario.Lock:
		var l thread.Lock
		if s.Threads == 1 {
			return alone(func() { lockSections(&l, n, s.Work) }), nil
		}
		var started []*thread.Thread
		d, err := together(s.Threads, func(body func()) error {
			t, err := thread.Start(body, nil)
			started = append(started, t)
			return err
		}, func(i int) { lockSections(&l, share(n, i, s.Threads), s.Work) })
		if err != nil {
			return 0, err
		}
		return d, join(started...)
	case scenario.Handoff:
		return parkTurns(n)
	case scenario.StartJoin:
		attr := &thread.Attr{StackSize: s.Stack}
		began := time.Now()
		for range n {
			t, err := thread.Start(func() {}, attr)
			if err != nil {
				return 0, err
			}
			if err := t.Join(); err != nil {
				return 0, err
			}
		}
		return time.Since(began), nil
	}
	return 0, unknown(s)
}}

func join(threads ...*thread.Thread) error {
	var errs []error
	for _, t := range threads {
		errs = append(errs, t.Join())
	}
	return errors.Join(errs...)
}

// parkTurns has two threads take n turns.
func parkTurns(n int) (time.Duration, error) {
	var ping, pong *thread.Thread
	var failed error
	ready := make(chan struct{})
	ping, err := thread.Start(func() {
		<-ready
		for range share(n, 0, 2) {
			pong.Unpark()
			if failed = thread.Park(); failed != nil {
				return
			}
		}
	}, nil)
	if err != nil {
		return 0, err
	}
	pong, err = thread.Start(func() {
		<-ready
		for range share(n, 0, 2) {
			if thread.Park() != nil { // ping tells
				return
			}
			ping.Unpark()
		}
	}, nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	close(ready)
	err = join(ping, pong)
	return time.Since(began), errors.Join(err, failed)
}

// lockSections is lock, work, unlock, n times.
func lockSections(l *thread.Lock, n, work int) (x uint64) {
	if work == 0 {
		for range n {
			l.Lock()
			//lint:ignore SA2001 the pair is what is measured
			l.Unlock()
		}
		return 0
	}
	for range n {
		l.Lock()
		x = scenario.Work(x, work)
		l.Unlock()
	}
	return x
}
