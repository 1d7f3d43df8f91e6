package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A round is one to three seconds of a soak. Each of its loads has objects of
// its own, and some places. In a place one worker succeeds another: each is a
// goroutine or thread of some kind, and takes steps of the load for a while.
// At the end of the round nothing is used any more, so each load checks the
// whole of what was done, and nothing may be left of the threads.
//
// That rounds end is a check of its own: a waiter whose wakeup is lost is found
// out by none of the others, since the next wakeup heals it, but when they have
// all gone it sleeps on.
type round struct {
	*soak
	number  int
	rnd     *rand.Rand // of the goroutine of run
	stopped atomic.Bool
	ctx     context.Context // done with the cause errGaveUp when the round stops
	cancel  context.CancelCauseFunc
	places  sync.WaitGroup
	victims victims
}

// errGaveUp is the cause of contexts that end a wait.
var errGaveUp = errors.New("gave up")

func newRound(s *soak, number int, rnd *rand.Rand) *round {
	r := &round{soak: s, number: number, rnd: rnd}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

// A load is a kind of use of the library.
type load struct {
	name  string
	begin func(r *round, places int) use
}

// A use is a load in a round.
type use struct {
	// step is done over and over. Unless the use is whole, the thread may be
	// canceled, so each wait of step may panic.
	step func(w *worker)
	// stop, which may be nil, wakes the workers that sleep in step. It is
	// called until all have ended, since one may come to its wait late.
	stop func()
	// check, which may be nil, is called when all workers have ended.
	check func()
	// whole says that a step is a scenario with threads and objects of its own,
	// made by workers that are not canceled.
	whole bool

	name string
}

func (r *round) run(loads []load, storms []storm, length time.Duration) {
	if r.verbose {
		fmt.Fprintf(r.out, "round %d, %v:", r.number, length)
		for _, l := range loads {
			fmt.Fprintf(r.out, " %s,", l.name)
		}
		for _, s := range storms {
			fmt.Fprintf(r.out, " %s,", s.name)
		}
		fmt.Fprintln(r.out)
	}
	var uses []use
	for _, l := range loads {
		places := 2 + r.rnd.IntN(4)
		u := l.begin(r, places)
		u.name = l.name
		uses = append(uses, u)
		if u.whole {
			places = 3
		}
		for range places {
			r.goPlace(func(rnd *rand.Rand) { r.place(u, rnd) })
		}
	}
	r.goPlace(func(rnd *rand.Rand) { r.aliens(uses, rnd) })
	end := r.begin(storms)
	time.Sleep(length)
	r.stopped.Store(true)
	r.cancel(errGaveUp)
	r.drain(uses)
	end()
	for _, u := range uses {
		if u.check != nil {
			u.check()
		}
	}
	r.tally.of(key{"soak", "rounds", "ended"}).Add(1)
}

// drain waits until all workers have ended. The watchdog watches.
func (r *round) drain(uses []use) {
	ended := make(chan struct{})
	go func() {
		r.places.Wait()
		close(ended)
	}()
	for {
		for _, u := range uses {
			if u.stop != nil {
				u.stop()
			}
		}
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// goPlace runs f in a goroutine with a generator of its own.
func (r *round) goPlace(f func(rnd *rand.Rand)) {
	rnd := newRand(r.rnd)
	r.places.Go(func() { f(rnd) })
}

// place has workers of u, one after the other, until the round stops.
func (r *round) place(u use, rnd *rand.Rand) {
	for !r.stopped.Load() {
		k := callers[rnd.IntN(len(callers))]
		w := r.newWorker(u, k.name, rnd)
		w.cancelable = k.cancelable && !u.whole
		w.unwinds = k.unwinds && rnd.IntN(2) == 0
		if err := k.run(w); err != nil {
			r.fail("%v: %v", w, err)
		}
		w.end()
	}
}
