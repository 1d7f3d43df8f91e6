package main

import (
	"errors"
	"math/rand/v2"
	"time"

	"example.com/thread/osthread"
)

// The parties of a barrier are all in the same generation, or all get
// ErrBroken.
var barrierLoads = []load{{"Barrier", beginBarrier}}

type parties struct {
	b          *osthread.Barrier
	n, rounds  int
	breakAt    int   // the round in which the first party breaks it; -1 for none
	generation []int // of each party, plain
	actions    int   // of the barrier
}

func beginBarrier(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		p := &parties{n: 2 + w.rnd.IntN(4), rounds: 1 + w.rnd.IntN(50), breakAt: -1}
		p.generation = make([]int, p.n)
		p.b = osthread.NewBarrier(p.n, func() { p.actions++ })
		if w.rnd.IntN(3) == 0 {
			p.breakAt = w.rnd.IntN(p.rounds)
		}
		var joins []func()
		for i := range p.n {
			rnd := newRand(w.rnd)
			joins = append(joins, elsewhere(r, w.rnd, func() { p.pass(w, rnd, i) }))
		}
		for _, join := range joins {
			join()
			w.progress.Add(1)
		}
		if p.breakAt < 0 && p.actions != 2*p.rounds || p.b.Waiting() != 0 {
			w.fail("%v: %v in the end, after %d actions in %d rounds", w, p.b, p.actions, p.rounds)
		}
	}}
}

// pass has the party i go through the rounds, each with two waits: what the
// parties write before the first they read before the second.
func (p *parties) pass(w *worker, rnd *rand.Rand, i int) {
	for round := range p.rounds {
		if i == 0 && round == p.breakAt {
			p.breakUp(rnd)
		}
		p.generation[i] = round
		if !p.await(w, rnd) {
			return
		}
		for j, g := range p.generation {
			if g != round {
				w.fail("%v: party %d is in round %d, party %d in round %d", w, i, round, j, g)
			}
		}
		if !p.await(w, rnd) {
			return
		}
	}
}

func (p *parties) breakUp(rnd *rand.Rand) {
	if rnd.IntN(2) == 0 {
		time.Sleep(time.Duration(rnd.IntN(100)) * time.Microsecond)
	}
	p.b.Abort()
}

func (p *parties) await(w *worker, rnd *rand.Rand) (passed bool) {
	var index int
	var err error
	if rnd.IntN(2) == 0 {
		index, err = p.b.Wait()
	} else {
		index, err = p.b.WaitTimeout(time.Hour)
	}
	if err != nil && !(errors.Is(err, osthread.ErrBroken) && p.breakAt >= 0) {
		w.fail("%v: a barrier: %v", w, err)
	}
	if err == nil && (index < 0 || index >= p.n) {
		w.fail("%v: index %d of %d", w, index, p.n)
	}
	return err == nil
}
