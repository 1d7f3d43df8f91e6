package main

import (
	"context"
	"slices"
	"sync"

	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Condition/" + k.String()
		add(name+"/notify", func(t *test) { notified(t, k, new(osthread.Lock)) })
		add(name+"/notify, fair", func(t *test) { notified(t, k, &osthread.Lock{Fair: true}) })
		add(name+"/notify, RLock", func(t *test) { notified(t, k, new(osthread.RLock)) })
		add(name+"/notify, RWLock", func(t *test) { notified(t, k, new(osthread.RWLock)) })
		add(name+"/timeout", func(t *test) { notifyTimeout(t, k) })
		add(name+"/context", func(t *test) { notifyContext(t, k) })
		add(name+"/notify n", func(t *test) { notifyN(t, k) })
		add(name+"/signal", func(t *test) { signaled(t, k) })
		add(name+"/in order", func(t *test) { notifyInOrder(t, k) })
	}
}

// condition returns one on l, whose spare node may be kept.
func (t *test) condition(l sync.Locker) *osthread.Condition {
	t.spare++
	c := osthread.NewCondition(l)
	t.atEnd("without waiters", func() bool { return c.Waiting() == 0 })
	return c
}

// notified has two waiters for a value each, and a caller that brings them.
func notified(t *test, k kind, l sync.Locker) {
	c := t.condition(l)
	values := 0
	for i := range 2 {
		t.caller(k, names[i], func() {
			l.Lock()
			c.WaitFor(func() bool { return values > 0 })
			values--
			l.Unlock()
		})
	}
	t.caller(k, "notifier", func() {
		l.Lock()
		values = 2
		c.NotifyAll()
		l.Unlock()
	})
}

// notifyTimeout has two waiters, one of which gives up at any moment. One
// notification is for one of them.
func notifyTimeout(t *test, k kind) {
	var l osthread.Lock
	t.lockIsFree(&l)
	c := t.condition(&l)
	waits := false
	got := 0
	t.caller(k, "A", func() {
		l.Lock()
		if c.WaitTimeout(brief) {
			got++
		}
		l.Unlock()
	})
	t.caller(k, "B", func() {
		l.Lock()
		waits = true
		c.Wait()
		got++
		l.Unlock()
	})
	t.caller(k, "notifier", func() {
		until(func() bool { return waits })
		l.Lock()
		c.Notify()
		l.Unlock()
		until(func() bool { return got > 0 })
		l.Lock()
		must(got == 1, "one notification ends %d waits", got)
		c.NotifyAll()
		l.Unlock()
	})
}

func notifyContext(t *test, k kind) {
	var l osthread.Lock
	t.lockIsFree(&l)
	c := t.condition(&l)
	ctx, cancel := context.WithCancel(context.Background())
	var a *sched.Caller
	got, ended, first := false, false, false
	a = t.caller(k, "A", func() {
		l.Lock()
		err := c.WaitContext(ctx)
		must(err == nil || ended, "WaitContext returns %v before the context is done", err)
		got = err == nil
		l.Unlock()
	})
	t.caller(k, "notifier", func() {
		until(a.Slept)
		l.Lock()
		c.Notify()
		first = !ended
		l.Unlock()
	})
	t.goroutine("cancel", func() {
		sched.Step("cancels", nil)
		ended = true
		cancel()
	})
	t.atEnd("notified, if the context was done later", func() bool { return got || !first })
}

// notifyN has a notification for two of three waiters, and a later one.
func notifyN(t *test, k kind) {
	var l osthread.Lock
	t.lockIsFree(&l)
	c := t.condition(&l)
	var waiters []*sched.Caller
	awake := 0
	for i := range 3 {
		waiters = append(waiters, t.caller(k, names[i], func() {
			until(func() bool { return i == 0 || waiters[i-1].Slept() })
			l.Lock()
			c.Wait()
			awake++
			l.Unlock()
		}))
	}
	t.caller(k, "notifier", func() {
		until(func() bool { return waiters[2].Slept() })
		l.Lock()
		n := c.Waiting()
		c.NotifyN(2)
		must(c.Waiting() == n-2, "%d waiters are left of %d", c.Waiting(), n)
		l.Unlock()
		l.Lock()
		c.NotifyAll()
		l.Unlock()
	})
	t.atEnd("all awake", func() bool { return awake == 3 })
}

// signaled has a notifier that does not hold the lock when it signals.
func signaled(t *test, k kind) {
	var l osthread.Lock
	t.lockIsFree(&l)
	c := t.condition(&l)
	ready := false
	t.caller(k, "A", func() {
		l.Lock()
		c.WaitFor(func() bool { return ready })
		l.Unlock()
	})
	t.caller(k, "signaler", func() {
		l.Lock()
		ready = true
		l.Unlock()
		c.Signal()
	})
	t.caller(k, "B", func() {
		l.Lock()
		sched.Step("in the section", nil)
		l.Unlock()
	})
}

// notifyInOrder has two waiters, which come one after the other, and fair
// locks.
func notifyInOrder(t *test, k kind) {
	l := osthread.Lock{Fair: true}
	t.lockIsFree(&l)
	c := t.condition(&l)
	var order []string
	var a, b *sched.Caller
	wait := func(name string) {
		l.Lock()
		c.Wait()
		order = append(order, name)
		l.Unlock()
	}
	a = t.caller(k, "A", func() { wait("A") })
	b = t.caller(k, "B", func() { until(a.Slept); wait("B") })
	t.caller(k, "notifier", func() {
		until(b.Slept)
		l.Lock()
		c.Notify()
		c.Notify()
		l.Unlock()
	})
	t.atEnd("notified in order", func() bool { return slices.Equal(order, []string{"A", "B"}) })
}
