package main

import (
	"context"
	"errors"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waits"
	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "park/" + k.String()
		add(name+"/unpark", func(t *test) { unparked(t, k, 2, park.Forever) })
		add(name+"/unpark/oneP", func(t *test) { unparked(t, k, 1, park.Forever) })
		add(name+"/deadline", func(t *test) { parkDeadline(t, k) })
		add(name+"/context", func(t *test) { parkContext(t, k, 0) })
		add(name+"/two contexts", func(t *test) { parkAgain(t, k) })
		add(name+"/context, deadline", func(t *test) { parkContext(t, k, 1) })
	}
	add("park/broadcast", broadcast)
	add("park/request", func(t *test) { request(t, 2) })
	add("park/request/oneP", func(t *test) { request(t, 1) })
	add("park/request, event", requestEvent)
	add("wait/under the guard", sleepUnder)
}

// unparked has an owner that takes two permits, and a waker that gives each
// when the last one was taken.
func unparked(t *test, k kind, procs int, limit func() park.Limit) {
	t.run.Procs(procs)
	var w park.Waiter
	taken := 0
	t.caller(k, "owner", func() {
		for range 2 {
			must(w.Park(limit()) == park.Unparked, "Park ends without a permit")
			taken++
		}
	})
	t.caller(k, "waker", func() {
		w.Unpark()
		until(func() bool { return taken == 1 })
		w.Unpark()
	})
	t.atEnd("each permit taken", func() bool { return taken == 2 })
	t.atEnd("no permit left", func() bool { return w.Park(park.For(0)) == park.TimedOut })
}

// parkDeadline has an owner whose deadline comes at any moment, and which parks
// again afterwards: a late timer ends no other sleep.
func parkDeadline(t *test, k kind) {
	var w park.Waiter
	t.caller(k, "owner", func() {
		if w.Park(park.For(brief)) == park.Unparked {
			must(w.Park(park.For(0)) == park.TimedOut, "a permit is taken twice")
			return
		}
		must(w.Park(park.Forever()) == park.Unparked, "Park ends without a permit")
	})
	t.caller(k, "waker", w.Unpark)
}

// parkContext has an owner whose context ends at any moment, and which parks
// again afterwards.
func parkContext(t *test, k kind, deadlines int) {
	var w park.Waiter
	ctx, cancel := context.WithCancel(context.Background())
	ended := false
	t.caller(k, "owner", func() {
		l, err := park.Until(ctx)
		if err == nil {
			if deadlines > 0 {
				l = l.AtMost(brief)
			}
			o := w.Park(l)
			must(o != park.Canceled || ended, "Park is canceled before the context is done")
			if o == park.Unparked {
				must(w.Park(park.For(0)) == park.TimedOut, "a permit is taken twice")
				return
			}
		}
		must(w.Park(park.Forever()) == park.Unparked, "Park ends without a permit")
	})
	t.caller(k, "waker", w.Unpark)
	t.goroutine("cancel", func() {
		sched.Step("cancels", nil)
		ended = true
		cancel()
	})
}

// parkAgain has an owner that takes two permits, with a context that ends at
// any moment, and then with one that does not.
func parkAgain(t *test, k kind) {
	var w park.Waiter
	ctx := t.cancelable()
	later, cancel := context.WithCancel(context.Background())
	given, taken := 0, 0
	t.caller(k, "owner", func() {
		defer cancel()
		for taken < 2 {
			l, err := park.Until(ctx)
			if err != nil {
				l, _ = park.Until(later)
			}
			if w.Park(l) == park.Unparked {
				taken++
				must(taken <= given, "%d permits are taken of %d", taken, given)
			}
		}
	})
	t.caller(k, "waker", func() {
		given++
		w.Unpark()
		until(func() bool { return taken == 1 })
		given++
		w.Unpark()
	})
}

// broadcast has two threads that sleep on one word, one of them with a
// deadline.
func broadcast(t *test) {
	var b park.Broadcast
	epoch := b.Epoch()
	ended := false
	t.thread("A", func() {
		l := park.Forever()
		must(b.Sleep(epoch, nil, &l, nil) && ended, "Sleep ends before the epoch")
	})
	t.thread("B", func() {
		l := park.For(brief)
		must(!b.Sleep(epoch, nil, &l, nil) || ended, "Sleep ends before the epoch")
	})
	t.thread("waker", func() {
		ended = true
		if b.End(2) {
			b.Wake()
		}
	})
}

var errAsked = errors.New("asked")

// recorded adds a caller on a thread that has a record of its waits.
func (t *test) recorded(name string, f func()) (c *sched.Caller, slot uintptr) {
	const firstRow = 1 << 12
	c = t.thread(name, f)
	slot = ident.Make(1<<20+uint64(sched.Number()), firstRow)
	c.SetSlot(slot)
	waits.Own(slot)
	return c, slot
}

// request has a request to a thread that comes at any moment, and a wakeup. The
// request ends one wait.
func request(t *test, procs int) {
	t.run.Procs(procs)
	var w park.Waiter
	asked := false
	var slot uintptr
	_, slot = t.recorded("owner", func() {
		canceled := 0
		for permits := 0; permits < 1 || canceled < 1; {
			l := park.Unlimited()
			switch w.Park(l) {
			case park.Unparked:
				permits++
				must(permits == 1, "a permit is taken twice")
			case park.Canceled:
				must(asked, "Park is canceled without a request")
				if errors.Is(l.Err(nil), errAsked) {
					canceled++
				}
			}
		}
		must(!waits.Asked(false), "the request is still there")
	})
	t.goroutine("asker", func() {
		asked = true
		ask(slot)
	})
	t.goroutine("waker", w.Unpark)
	t.checks = append(t.checks, func() { waits.Forget(slot) })
}

func ask(slot uintptr) {
	settled := make(chan struct{})
	close(settled)
	if again := waits.Ask(slot, waits.Request{Cause: errAsked, Unwinds: true, Settled: settled}); again != nil {
		again()
	}
}

// requestEvent has a request to one of two threads that sleep on one word.
func requestEvent(t *test) {
	var e osthread.Event
	_, slot := t.recorded("A", func() {
		defer func() {
			if v := recover(); v != nil && !errors.Is(v.(error), errAsked) {
				panic(v)
			}
		}()
		e.Wait()
	})
	t.thread("B", e.Wait)
	t.goroutine("asker", func() { ask(slot) })
	t.goroutine("setter", e.Set)
	t.checks = append(t.checks, func() { waits.Forget(slot) })
	t.atEnd("without waiters", func() bool { return e.Waiting() == 0 })
}

// sleepUnder has two waiters in a queue, one of which sleeps under the guard,
// and a waker.
func sleepUnder(t *test) {
	var q wait.Queue
	var a, b *sched.Caller
	served := 0
	waiter := func() {
		l := park.Forever()
		n := wait.New(nil, &l)
		q.Lock()
		q.PushBack(n)
		if n.CanParkUnder(&l) {
			n.ParkUnder(&q.Guard)
		} else {
			must(wait.UnlockAndSleep(&q.Guard, n, nil, &l), "not served")
		}
		must(n.Got == 7, "served with %d", n.Got)
		n.Free()
		served++
	}
	a = t.goroutine("A", waiter)
	b = t.thread("B", waiter)
	t.goroutine("waker", func() {
		until(func() bool { return a.Slept() && b.Slept() })
		for range 2 {
			q.Lock()
			n := q.Pop()
			q.Unlock()
			wait.WakeAll(n, 7)
		}
	})
	t.atEnd("all served", func() bool { return served == 2 })
}
