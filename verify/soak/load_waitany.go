package main

import (
	"context"
	"errors"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

// WaitAny takes exactly one of its objects, WaitAll all or none: the permits
// and the values are all back in the end.
var waitAnyLoads = []load{{"WaitAny and WaitAll", beginWaitAny}}

type anyUse struct {
	a, b   *osthread.Semaphore
	q      queue.Simple[int]
	values int
}

func beginWaitAny(r *round, places int) use {
	u := &anyUse{a: osthread.NewBoundedSemaphore(2), b: osthread.NewBoundedSemaphore(2), values: 1 + places/2}
	for i := range u.values {
		u.q.Put(i)
	}
	return use{
		step: func(w *worker) {
			switch w.rnd.IntN(3) {
			case 0:
				u.one(w)
			case 1:
				u.all(w)
			default:
				if w.wait(forms(
					func() { u.a.Acquire(1) },
					func() bool { return u.a.TryAcquire(1) },
					func(d time.Duration) bool { return u.a.AcquireTimeout(1, d) },
					func(ctx context.Context) error { return u.a.AcquireContext(ctx, 1) },
				)) {
					u.a.Release(1)
				}
			}
		},
		check: func() {
			if u.a.Value() != 2 || u.b.Value() != 2 || u.q.Len() != u.values {
				r.fail("in the end: %v, %v, %v", u.a, u.b, &u.q)
			}
			if u.a.Waiting()+u.b.Waiting()+u.q.Waiting() != 0 {
				r.fail("waiters in the end: %v, %v, %v", u.a, u.b, &u.q)
			}
		},
	}
}

// one waits for any one, and gives it back.
func (u *anyUse) one(w *worker) {
	g := u.q.GetOp()
	took := -1
	set := func(n int) error {
		took = n
		return no(n >= 0)
	}
	if !w.wait(shapes{
		plain:   func() error { return set(osthread.WaitAny(u.a, u.b, g)) },
		try:     func() error { return set(osthread.TryWaitAny(u.a, u.b, g)) },
		timeout: func(d time.Duration) error { return set(osthread.WaitAnyTimeout(d, u.a, u.b, g)) },
		context: func(ctx context.Context) error {
			n, err := osthread.WaitAnyContext(ctx, u.a, u.b, g)
			return errors.Join(err, only(err == nil, set(n)))
		},
	}) {
		return
	}
	w.dwell()
	switch took {
	case 0:
		u.a.Release(1)
	case 1:
		u.b.Release(1)
	case 2:
		v, err := g.Result()
		if err != nil {
			w.fail("%v: a GetOp: %v", w, err)
		}
		u.q.Put(v)
	}
}

// only returns err if cond is true.
func only(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

// all waits for both semaphores, and gives them back.
func (u *anyUse) all(w *worker) {
	if w.wait(forms(
		func() { osthread.WaitAll(u.a, u.b) },
		func() bool { return osthread.TryWaitAll(u.a, u.b) },
		func(d time.Duration) bool { return osthread.WaitAllTimeout(d, u.a, u.b) },
		func(ctx context.Context) error { return osthread.WaitAllContext(ctx, u.a, u.b) },
	)) {
		w.dwell()
		u.a.Release(1)
		u.b.Release(1)
	}
}
