package main

import (
	"sync/atomic"

	"example.com/thread/osthread"
	osync "example.com/thread/osthread/sync"
)

// Writers change two plain words, which readers find equal.
var rwLoads = []load{
	{"RWLock", beginRWLock},
	{"sync.RWMutex", beginRWMutex},
}

// A pair is what an RWLock protects.
type pair struct {
	a, b    int64
	written atomic.Int64
}

func (p *pair) write(w *worker) {
	p.a++
	w.dwell()
	p.b++
	p.written.Add(1)
}

func (p *pair) read(w *worker) {
	a := p.a
	w.dwell()
	if a != p.a || a != p.b {
		w.fail("%v: a reader has seen a write of %d and %d", w, p.a, p.b)
	}
}

func (p *pair) check(r *round, what string) {
	if n := p.written.Load(); p.a != n || p.b != n {
		r.fail("%s: %d writes have counted to %d and %d", what, n, p.a, p.b)
	}
}

func beginRWLock(r *round, _ int) use {
	rw, p := new(osthread.RWLock), new(pair)
	writing := forms(rw.Lock, rw.TryLock, rw.LockTimeout, rw.LockContext)
	reading := forms(rw.RLock, rw.TryRLock, rw.RLockTimeout, rw.RLockContext)
	step := func(w *worker) {
		if w.rnd.IntN(4) == 0 {
			if !w.wait(writing) {
				return
			}
			p.write(w)
			if w.rnd.IntN(2) == 0 {
				rw.Unlock()
				return
			}
			rw.Downgrade()
		} else if !w.wait(reading) {
			return
		}
		p.read(w)
		if w.rnd.IntN(8) == 0 && rw.TryUpgrade() == nil {
			p.write(w)
			rw.Unlock()
			return
		}
		rw.RUnlock()
	}
	return use{step: step, check: func() {
		p.check(r, "RWLock")
		if rw.Locked() || rw.Readers() != 0 || rw.Waiting() != 0 {
			r.fail("%v in the end", rw)
		}
	}}
}

func beginRWMutex(r *round, _ int) use {
	rw, p := new(osync.RWMutex), new(pair)
	writing := shapes{
		plain: func() error { rw.Lock(); return nil },
		try:   func() error { return no(rw.TryLock()) },
	}
	reading := shapes{
		plain: func() error { rw.RLock(); return nil },
		try:   func() error { return no(rw.TryRLock()) },
	}
	return use{
		step: func(w *worker) {
			if w.rnd.IntN(4) == 0 {
				if w.wait(writing) {
					p.write(w)
					rw.Unlock()
				}
			} else if w.wait(reading) {
				p.read(w)
				rw.RUnlock()
			}
		},
		check: func() { p.check(r, "sync.RWMutex") },
	}
}
