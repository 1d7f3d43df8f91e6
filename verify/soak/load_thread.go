package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
)

// All joiners of a thread get its result, whatever it is, and a group ends with
// that of the thread that failed.
var threadLoads = []load{
	{"results of threads", beginResults},
	{"Timer", beginTimer},
	{"Park and Unpark", beginPark},
}

func beginResults(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		planned := fmt.Errorf("%d: %w", w.rnd.Int(), errPlanned)
		end, want := func() error { return nil }, error(nil)
		switch w.rnd.IntN(3) {
		case 0:
			end, want = func() error { return planned }, planned
		case 1:
			end, want = func() error { panic(planned) }, planned
		}
		pause := time.Duration(w.rnd.IntN(100)) * time.Microsecond
		t, err := osthread.Start(func() error { time.Sleep(pause); return end() }, w.attr())
		w.must(err)
		var joins []func()
		for range w.rnd.IntN(4) {
			c := r.newCallerOf(w)
			joins = append(joins, elsewhere(r, w.rnd, func() { c.joinAndCheck(t, want) }))
		}
		w.joinAndCheck(t, want)
		for _, join := range joins {
			join()
		}
		if t.Alive() {
			w.fail("%v: %v is joined and alive", w, t)
		}
	}}
}

func (w *worker) joinAndCheck(t *osthread.Thread, want error) {
	if err := w.join(t); !errors.Is(err, want) {
		w.fail("%v: %v has the result %v, want %v", w, t, err, want)
	}
}

// A Timer either runs its function or was canceled.
func beginTimer(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		var ran atomic.Int64
		t := osthread.NewTimer(w.limit(), func() error { ran.Add(1); return nil }, nil)
		w.must(t.Start())
		canceled := false
		if w.rnd.IntN(2) == 0 {
			time.Sleep(w.limit())
			canceled = t.Cancel()
		}
		w.must(t.Join())
		if n := ran.Load(); (n == 1) == canceled || n > 1 {
			w.fail("%v: a timer has run %d times; canceled: %v", w, n, canceled)
		}
	}}
}

// Two threads pass a plain number back and forth by Park and Unpark alone: no
// permit is lost.
func beginPark(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		times := 1 + w.rnd.IntN(500)
		n := 0
		var turn atomic.Int64
		var threads [2]atomic.Pointer[thread.Thread]
		body := func(me int64, rest func(time.Duration) error) func() {
			return func() {
				threads[me].Store(thread.Current())
				for range times {
					for turn.Load() != me {
						if err := rest(time.Minute); err != nil {
							w.fail("%v: park: %v", w, err)
						}
					}
					n++
					w.progress.Add(1)
					turn.Store(1 - me)
					if t := threads[1-me].Load(); t != nil {
						t.Unpark()
					}
				}
			}
		}
		forever := func(time.Duration) error { return thread.Park() }
		a, err := thread.Start(body(0, forever), nil)
		w.must(err)
		b, err := thread.Start(body(1, thread.ParkTimeout), &thread.Attr{Pinned: w.rnd.IntN(2) == 0})
		w.must(err)
		w.must(a.Join())
		w.must(b.Join())
		if n != 2*times {
			w.fail("%v: two threads have counted to %d, want %d", w, n, 2*times)
		}
	}}
}
