package contender

import (
	"context"
	"errors"
	"sync"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

// repeat makes one caller think and do op until the round is over; the wait is
// all of op.
func repeat(c *crew, spawn spawner, op func() error) (sample.Sample, error) {
	var failed error
	s, err := c.run(1, 1, spawn, func(_ int, t *tally) {
		x := uint64(1)
		for !c.over() {
			x = scenario.Work(x, c.spec.Think)
			began := t.now()
			if failed = op(); failed != nil {
				return
			}
			t.waited(began)
			t.step()
		}
	})
	return s, errors.Join(err, failed)
}

// starts returns the contenders of a startjoin row. Go's own threads have no
// configurable stack size.
func starts(s scenario.Spec) []Contender {
	attr := &thread.Attr{StackSize: s.Stack}
	cs := []Contender{
		{Baseline, true, of(func(c *crew) (sample.Sample, error) {
			return repeat(c, goroutine, func() error {
				t, err := thread.Start(func() {}, attr)
				if err != nil {
					return err
				}
				return t.Join()
			})
		})},
		{"osthread.Thread", true, of(func(c *crew) (sample.Sample, error) {
			return repeat(c, goroutine, func() error {
				t := osthread.New(func() error { return nil }, &osthread.Attr{StackSize: s.Stack})
				if err := t.Start(); err != nil {
					return err
				}
				return t.Join()
			})
		})},
	}
	if s.Stack != 0 {
		return cs
	}
	return append(
		cs,
		Contender{"osthread pinned", true, of(func(c *crew) (sample.Sample, error) {
			attr := &thread.Attr{Pinned: true}
			return repeat(c, goroutine, func() error {
				t, err := thread.Start(func() {}, attr)
				if err != nil {
					return err
				}
				return t.Join()
			})
		})},
		Contender{"locked goroutine", false, of(func(c *crew) (sample.Sample, error) {
			return repeat(c, goroutine, func() error {
				join, err := locked(func() {})
				return errors.Join(err, join())
			})
		})},
		Contender{"goroutine", false, of(func(c *crew) (sample.Sample, error) {
			return repeat(c, goroutine, func() error {
				var done sync.WaitGroup
				done.Go(func() {})
				done.Wait()
				return nil
			})
		})},
	)
}

// submits: without this library, pools are built on a channel of functions.
var submits = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		e, err := executor.New(executor.Options{Threads: 1})
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := repeat(c, ours(c.spec), func() error {
			f, err := executor.Submit(e, func() (int, error) { return 1, nil })
			if err != nil {
				return err
			}
			_, err = f.Result()
			return err
		})
		return s, errors.Join(err, e.Close())
	})},
	{"locked goroutine", false, of(func(c *crew) (sample.Sample, error) {
		tasks := make(chan func())
		join, err := locked(func() {
			for f := range tasks {
				f()
			}
		})
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := repeat(c, theirs(c.spec), func() error {
			result := make(chan int, 1)
			tasks <- func() { result <- 1 }
			<-result
			return nil
		})
		close(tasks)
		return s, errors.Join(err, join())
	})},
	{"thread a task", true, of(func(c *crew) (sample.Sample, error) {
		return repeat(c, ours(c.spec), func() error {
			t, err := thread.Start(func() {}, nil)
			if err != nil {
				return err
			}
			return t.Join()
		})
	})},
}

// calls: without this library, calls on one thread are sent through a channel
// of functions to a locked goroutine, which signals their end on another
// channel.
var calls = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		w, err := executor.NewWorker(nil)
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := repeat(c, ours(c.spec), func() error { return w.Call(func() error { return nil }) })
		return s, errors.Join(err, w.Shutdown(context.Background()))
	})},
	{"locked goroutine", false, of(func(c *crew) (sample.Sample, error) {
		work, done := make(chan func()), make(chan struct{})
		join, err := locked(func() {
			for f := range work {
				f()
				done <- struct{}{}
			}
		})
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := repeat(c, theirs(c.spec), func() error {
			work <- func() {}
			<-done
			return nil
		})
		close(work)
		return s, errors.Join(err, join())
	})},
}
