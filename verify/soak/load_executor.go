package main

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/osthread/executor"
)

// Each task runs exactly once, unless it was cancelled or refused, and its
// future has its result; those with a key run one after the other.
var executorLoads = []load{
	{"Executor", beginExecutor},
	{"Keyed", beginKeyed},
	{"Worker", beginWorker},
}

// options are those of a pool, at random.
func (w *worker) options() executor.Options {
	o := executor.Options{Threads: 1 + w.rnd.IntN(4)}
	if w.rnd.IntN(2) == 0 {
		o.IdleTimeout = time.Duration(1+w.rnd.IntN(2000)) * time.Microsecond
	}
	if w.rnd.IntN(2) == 0 {
		o.Backlog = 1 + w.rnd.IntN(4)
	}
	return o
}

// A task counts how often it has run.
type task struct {
	ran    atomic.Int64
	future *executor.Future[int]
}

func beginExecutor(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		o := w.options()
		pool, err := executor.New(o)
		w.must(err)
		tasks := make([]task, 1+w.rnd.IntN(60))
		for i := range tasks {
			w.submit(pool, o.IdleTimeout, &tasks[i], i)
			w.progress.Add(1)
		}
		for i := range tasks {
			w.checkTask(&tasks[i], i)
			w.progress.Add(1)
		}
		running, err := pool.Shutdown(context.Background())
		if len(running) != 0 || err != nil || pool.Queued() != 0 || len(pool.Threads()) != 0 {
			w.fail("%v: %v after Shutdown: %v", w, pool, err)
		}
	}}
}

func (w *worker) submit(pool *executor.Executor, idle time.Duration, t *task, i int) {
	pause := time.Duration(w.rnd.IntN(300)) * time.Microsecond
	sleeps := w.rnd.IntN(20) == 0
	f := func() (int, error) {
		t.ran.Add(1)
		if sleeps {
			time.Sleep(pause)
		}
		return i * i, nil
	}
	w.wait(shapes{
		plain:   func() (err error) { t.future, err = executor.Submit(pool, f); return },
		try:     func() (err error) { t.future, err = executor.TrySubmit(pool, f); return },
		timeout: func(d time.Duration) (err error) { t.future, err = executor.SubmitTimeout(pool, f, d); return },
		context: func(ctx context.Context) (err error) { t.future, err = executor.SubmitContext(ctx, pool, f); return },
	})
	if idle > 0 && w.rnd.IntN(4) == 0 { // the next task comes when the timeout passes
		time.Sleep(idle - 50*time.Microsecond + pause/3)
	}
	if t.future != nil && w.rnd.IntN(8) == 0 {
		t.future.Cancel()
	}
}

func (w *worker) checkTask(t *task, i int) {
	want := int64(0)
	if t.future != nil {
		switch n, err := t.future.Result(); {
		case err == nil && n == i*i:
			want = 1
		case errors.Is(err, executor.ErrCancelled) && t.future.Cancelled():
			w.count("futures cancelled", 1)
		default:
			w.fail("%v: future %d has %d, %v", w, i, n, err)
		}
	}
	if ran := t.ran.Load(); ran != want {
		w.fail("%v: task %d has run %d times, want %d", w, i, ran, want)
	}
}

func beginKeyed(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		pool, err := executor.NewKeyed(executor.Options{Threads: 1 + w.rnd.IntN(3)})
		w.must(err)
		const keys = 3
		var counts, next [keys]int // plain: tasks of one key are ordered
		for range 1 + w.rnd.IntN(100) {
			k := w.rnd.IntN(keys)
			n := next[k]
			next[k]++
			_, err := executor.SubmitKey(pool, k, func() (int, error) {
				if counts[k] != n {
					w.fail("%v: task %d of key %d runs after %d", w, n, k, counts[k])
				}
				counts[k]++
				return 0, nil
			})
			w.must(err)
			w.progress.Add(1)
		}
		w.must(pool.Close())
		if counts != next {
			w.fail("%v: tasks run %v, of %v", w, counts, next)
		}
	}}
}

// A Worker is called from several threads: its functions run one by one, on its
// thread, some of them in C.
func beginWorker(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		on, err := executor.NewWorker(nil)
		w.must(err)
		ran := 0 // plain
		var succeeded atomic.Int64
		var joins []func()
		for range 1 + w.rnd.IntN(4) {
			calls := 1 + w.rnd.IntN(100)
			c := r.newCallerOf(w)
			joins = append(joins, elsewhere(r, w.rnd, func() {
				defer c.flush()
				for range calls {
					c.call(on, &ran, &succeeded)
					w.progress.Add(1)
				}
			}))
		}
		for _, join := range joins {
			join()
		}
		w.must(on.Shutdown(context.Background()))
		if int64(ran) != succeeded.Load() {
			w.fail("%v: %d functions have run, of %d", w, ran, succeeded.Load())
		}
	}}
}

// newCallerOf returns a worker for a thread that w has started. The watchdog
// sees w.
func (r *round) newCallerOf(w *worker) *worker {
	c := &worker{round: r, use: w.use, kind: "thread of " + w.use.name}
	c.rnd = newRand(w.rnd)
	return c
}

// call calls on, and counts the calls whose function has run or will.
func (w *worker) call(on *executor.Worker, ran *int, succeeded *atomic.Int64) {
	begun, what := false, w.rnd.IntN(16)
	f := func() error { // it may still run when the call has ended
		before := *ran
		switch what {
		case 0, 1:
			inC()
		case 2:
			runtime.Gosched()
		}
		*ran = before + 1
		return nil
	}
	begins := func(err error) error {
		begun = err == nil || errors.Is(err, executor.ErrRunning)
		return err
	}
	if w.rnd.IntN(8) == 0 {
		w.must(begins(on.Go(func() { *ran++ })))
	} else {
		w.wait(shapes{
			plain:   func() error { return begins(on.Call(f)) },
			try:     func() error { return begins(on.TryCall(f)) },
			context: func(ctx context.Context) error { return begins(on.CallContext(ctx, f)) },
			timeout: func(d time.Duration) error { return begins(on.CallTimeout(f, d)) },
		})
	}
	if begun {
		succeeded.Add(1)
	}
}
