package main

import (
	"fmt"
	"slices"

	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "Lock/" + k.String()
		add(name+"/two", func(t *test) { lockers(t, k, 2, 2, 1) })
		add(name+"/two/oneP", func(t *test) { lockers(t, k, 1, 2, 1) })
		add(name+"/three", func(t *test) { lockers(t, k, 2, 3, 1) })
		for _, procs := range []int{1, 2} {
			add(fmt.Sprintf("%s/three, rarely/procs=%d", name, procs), func(t *test) {
				t.run.Rare()
				lockers(t, k, procs, 3, 1)
			})
		}
		add(name+"/starving, rarely", func(t *test) { t.run.Rare(); lockStarving(t, k) })
		add(name+"/twice", func(t *test) { lockers(t, k, 2, 2, 2) })
		add(name+"/three/oneP", func(t *test) { lockers(t, k, 1, 3, 1) })
		add(name+"/timeout", func(t *test) { lockTimeout(t, k) })
		add(name+"/timeout, again", func(t *test) { lockTimeoutAgain(t, k) })
		add(name+"/timeout after a wakeup", func(t *test) { lockTimeoutAwake(t, k) })
		add(name+"/unlocked by another", func(t *test) { lockUnlockedByAnother(t, k) })
		add(name+"/context", func(t *test) { lockContext(t, k) })
		add(name+"/fair", func(t *test) { lockFair(t, k) })
		add(name+"/starving", func(t *test) { lockStarving(t, k) })

		name = "RLock/" + k.String()
		add(name+"/two", func(t *test) { rlockers(t, k, 2, false) })
		add(name+"/three", func(t *test) { rlockers(t, k, 3, false) })
		add(name+"/timeout", func(t *test) { rlockers(t, k, 2, true) })
	}
	add("Lock/mixed/three", func(t *test) {
		var l osthread.Lock
		var s section
		t.lockIsFree(&l)
		for i, k := range []kind{threads, goroutines, threads} {
			t.caller(k, names[i], func() {
				l.Lock()
				s.enter(names[i])
				l.Unlock()
			})
		}
	})
	add("Lock/two locks", func(t *test) {
		var a, b osthread.Lock
		var s, u section
		t.lockIsFree(&a)
		t.lockIsFree(&b)
		for i := range 3 {
			t.caller(i == 0, names[i], func() {
				if i < 2 {
					a.Lock()
					s.enter(names[i])
					a.Unlock()
				}
				if i > 0 {
					b.Lock()
					u.enter(names[i])
					b.Unlock()
				}
			})
		}
	})
}

var (
	scenarios []scenario
	names     = []string{"A", "B", "C", "D"}
)

func add(name string, set func(t *test)) { scenarios = append(scenarios, scenario{name, set}) }

// lockIsFree checks at the end that l is free, and that nothing of it is left.
func (t *test) lockIsFree(l *osthread.Lock) {
	t.atEnd("free", func() bool { return !l.Locked() })
	t.atEnd("without waiters", func() bool { return l.Waiting() == 0 })
}

// rlockers has n callers that lock one RLock twice, the last of which gives up
// at any moment if gives is true.
func rlockers(t *test, k kind, n int, gives bool) {
	var l osthread.RLock
	var s section
	t.atEnd("free", func() bool { return !l.Locked() })
	t.atEnd("without waiters", func() bool { return l.Waiting() == 0 })
	for i := range n {
		t.caller(k, names[i], func() {
			if gives && i == n-1 {
				if !l.LockTimeout(brief) {
					return
				}
			} else {
				l.Lock()
			}
			must(l.Owned(), "not its owner")
			l.Lock()
			s.enter(names[i])
			l.Unlock()
			must(l.Owned(), "not its owner after an inner Unlock")
			l.Unlock()
		})
	}
}

// lockers has n callers that lock one lock a few times each.
func lockers(t *test, k kind, procs, n, times int) {
	var l osthread.Lock
	var s section
	t.run.Procs(procs)
	t.lockIsFree(&l)
	t.atEnd("each served", func() bool { return s.times == n*times })
	for i := range n {
		t.caller(k, names[i], func() {
			for range times {
				l.Lock()
				s.enter(names[i])
				l.Unlock()
			}
		})
	}
}

// lockTimeout has a caller that gives up at any moment, and another behind it.
func lockTimeout(t *test, k kind) {
	var l osthread.Lock
	var s section
	t.lockIsFree(&l)
	t.caller(k, "A", func() {
		l.Lock()
		s.enter("A")
		l.Unlock()
	})
	t.caller(k, "B", func() {
		if l.LockTimeout(brief) {
			s.enter("B")
			l.Unlock()
		}
	})
	t.caller(k, "C", func() {
		l.Lock()
		s.enter("C")
		l.Unlock()
	})
}

// lockTimeoutAgain has a caller that uses its node again after it has given up.
func lockTimeoutAgain(t *test, k kind) {
	var l osthread.Lock
	var s section
	t.lockIsFree(&l)
	for i := range 2 {
		t.caller(k, names[i], func() {
			for range 2 {
				if l.LockTimeout(brief) {
					s.enter(names[i])
					l.Unlock()
				}
			}
		})
	}
}

// lockTimeoutAwake has a waiter that is woken to retry, finds the lock taken,
// and gives up, with another one behind it.
func lockTimeoutAwake(t *test, k kind) {
	var l osthread.Lock
	var s section
	t.lockIsFree(&l)
	var b, c *sched.Caller
	t.caller(k, "A", func() {
		l.Lock()
		until(func() bool { return c.Slept() })
		l.Unlock()
		l.Lock()
		s.enter("A")
		sched.Advance(int64(brief))
		l.Unlock()
	})
	b = t.caller(k, "B", func() {
		until(l.Locked)
		if l.LockTimeout(brief) {
			s.enter("B")
			l.Unlock()
		}
	})
	c = t.caller(k, "C", func() {
		until(func() bool { return b.Slept() })
		l.Lock()
		s.enter("C")
		l.Unlock()
	})
}

// lockUnlockedByAnother has callers whose lock another one unlocks, as soon as
// they have it.
func lockUnlockedByAnother(t *test, k kind) {
	var l osthread.Lock
	t.lockIsFree(&l)
	var sleeper *sched.Caller
	freed := false
	t.caller(k, "owner", func() {
		l.Lock()
		until(func() bool { return sleeper.Slept() })
		l.Unlock()
		freed = true
	})
	sleeper = t.caller(k, "sleeper", func() {
		until(l.Locked)
		l.Lock()
	})
	t.caller(k, "newcomer", func() {
		until(func() bool { return sleeper.Slept() })
		l.Lock()
	})
	t.caller(k, "unlocker", func() {
		for range 2 {
			until(func() bool { return freed && l.Locked() })
			l.Unlock()
		}
	})
}

func lockContext(t *test, k kind) {
	var l osthread.Lock
	var s section
	t.lockIsFree(&l)
	ctx := t.cancelable()
	t.caller(k, "A", func() {
		l.Lock()
		s.enter("A")
		l.Unlock()
	})
	t.caller(k, "B", func() {
		if err := l.LockContext(ctx); err == nil {
			s.enter("B")
			l.Unlock()
		} else {
			must(ctx.Err() != nil, "LockContext returns %v before the context is done", err)
		}
	})
}

// lockFair has two waiters, which come one after the other.
func lockFair(t *test, k kind) {
	l := osthread.Lock{Fair: true}
	var s section
	t.lockIsFree(&l)
	var first, second *sched.Caller
	t.caller(k, "owner", func() {
		l.Lock()
		until(func() bool { return second.Slept() })
		l.Unlock()
	})
	first = t.caller(k, "A", func() {
		until(l.Locked)
		l.Lock()
		s.enter("A")
		l.Unlock()
	})
	second = t.caller(k, "B", func() {
		until(func() bool { return l.Locked() && first.Slept() })
		l.Lock()
		s.enter("B")
		l.Unlock()
	})
	t.atEnd("served in order", func() bool { return slices.Equal(s.order, []string{"A", "B"}) })
}

// lockStarving has a waiter that has waited for too long, and newcomers.
func lockStarving(t *test, k kind) {
	var l osthread.Lock
	var s section
	t.lockIsFree(&l)
	t.caller(k, "owner", func() {
		l.Lock()
		sched.Advance(2_000_000)
		l.Unlock()
		l.Lock()
		s.enter("owner")
		l.Unlock()
	})
	for i := range 2 {
		t.caller(k, names[i], func() {
			l.Lock()
			s.enter(names[i])
			l.Unlock()
		})
	}
}
