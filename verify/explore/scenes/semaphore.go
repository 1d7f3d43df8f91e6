package main

import (
	"context"
	"errors"
	"slices"

	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Semaphore/" + k.String()
		add(name+"/two", func(t *test) { acquirers(t, k, 2, 1, 1, 1) })
		add(name+"/three", func(t *test) { acquirers(t, k, 2, 1, 1, 1, 1) })
		add(name+"/three/oneP", func(t *test) { acquirers(t, k, 1, 1, 1, 1, 1) })
		add(name+"/much and little", func(t *test) { acquirers(t, k, 2, 2, 2, 1, 1) })
		add(name+"/timeout", func(t *test) { acquireTimeout(t, k) })
		add(name+"/timeout after a wakeup", func(t *test) { acquireTimeoutAwake(t, k) })
		add(name+"/much gives up", func(t *test) { muchGivesUp(t, k) })
		add(name+"/context", func(t *test) { acquireContext(t, k) })
		add(name+"/fair", func(t *test) { acquireFair(t, k) })
		add(name+"/producers", func(t *test) { producers(t, k) })
	}
}

// permits checks at the end that s has n permits and no waiters.
func (t *test) permits(s *osthread.Semaphore, n int) {
	t.atEnd("all permits", func() bool { return s.Value() == n })
	t.atEnd("without waiters", func() bool { return s.Waiting() == 0 })
}

// acquirers has a caller for each of want, with that many permits of n each.
func acquirers(t *test, k kind, procs, n int, want ...int) {
	s := osthread.NewSemaphore(n)
	out := 0
	t.run.Procs(procs)
	t.permits(s, n)
	for i, w := range want {
		t.caller(k, names[i], func() {
			s.Acquire(w)
			out += w
			must(out <= n, "%d permits of %d are out", out, n)
			sched.Step("holds permits", nil)
			out -= w
			s.Release(w)
		})
	}
}

// acquireTimeout has a caller that gives up at any moment, and one behind it.
func acquireTimeout(t *test, k kind) {
	s := osthread.NewSemaphore(0)
	got := 0
	var b *sched.Caller
	t.atEnd("each permit in one place", func() bool { return s.Value()+got == 2 })
	t.goroutine("producer", func() { s.Release(1); s.Release(1) })
	b = t.caller(k, "B", func() {
		if s.AcquireTimeout(1, brief) {
			got++
		}
	})
	t.caller(k, "C", func() {
		until(b.Slept)
		s.Acquire(1)
		got++
	})
}

// acquireTimeoutAwake has a waiter that is woken to retry, finds the permits
// taken, and gives up, with another one behind it.
func acquireTimeoutAwake(t *test, k kind) {
	s := osthread.NewSemaphore(1)
	t.permits(s, 1)
	var b, c *sched.Caller
	t.caller(k, "A", func() {
		s.Acquire(1)
		until(func() bool { return c.Slept() })
		s.Release(1)
		s.Acquire(1)
		sched.Advance(int64(brief))
		s.Release(1)
	})
	use := func(d bool) {
		if !d || s.AcquireTimeout(1, brief) {
			if !d {
				s.Acquire(1)
			}
			s.Release(1)
		}
	}
	b = t.caller(k, "B", func() { use(true) })
	c = t.caller(k, "C", func() { until(b.Slept); use(false) })
}

// muchGivesUp has a waiter that wants more than there is, and gives up. The one
// behind it can be served then.
func muchGivesUp(t *test, k kind) {
	s := osthread.NewSemaphore(0)
	s.Fair = true
	var b *sched.Caller
	got := 0
	t.atEnd("each permit in one place", func() bool { return s.Value()+got == 1 })
	t.goroutine("producer", func() { s.Release(1) })
	b = t.caller(k, "B", func() {
		if s.AcquireTimeout(2, brief) {
			got += 2
		}
	})
	t.caller(k, "C", func() {
		until(b.Slept)
		s.Acquire(1)
		got++
	})
}

func acquireContext(t *test, k kind) {
	s := osthread.NewSemaphore(0)
	got := 0
	ctx := t.cancelable()
	t.atEnd("each permit in one place", func() bool { return s.Value()+got == 1 })
	t.atEnd("without waiters", func() bool { return s.Waiting() == 0 })
	t.goroutine("producer", func() { s.Release(1) })
	t.caller(k, "B", func() {
		if err := s.AcquireContext(ctx, 1); err == nil {
			got++
		} else {
			must(errors.Is(err, context.Canceled), "AcquireContext returns %v", err)
			must(ctx.Err() != nil, "AcquireContext returns before the context is done")
		}
	})
}

// acquireFair has two waiters, which come one after the other.
func acquireFair(t *test, k kind) {
	s := osthread.NewSemaphore(0)
	s.Fair = true
	var order []string
	var a, b *sched.Caller
	t.goroutine("producer", func() {
		until(func() bool { return b.Slept() })
		s.Release(2)
		s.Release(1)
	})
	a = t.caller(k, "A", func() {
		s.Acquire(2)
		order = append(order, "A")
		s.Release(1)
	})
	b = t.caller(k, "B", func() {
		until(a.Slept)
		s.Acquire(2)
		must(slices.Equal(order, []string{"A"}), "B is served before A")
	})
	t.permits(s, 0)
}

// producers has two callers that release while two acquire.
func producers(t *test, k kind) {
	s := osthread.NewSemaphore(0)
	t.permits(s, 0)
	for i := range 2 {
		t.goroutine("producer "+names[i], func() { s.Release(1) })
		t.caller(k, names[i], func() { s.Acquire(1) })
	}
}
