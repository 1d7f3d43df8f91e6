package contender

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

// high is package osthread, on pinned threads and on goroutines.
var high = Contender{Name: Baseline, Run: func(s scenario.Spec, n int) (time.Duration, error) {
	spawn := spawnGoroutine
	if s.Pinned {
		spawn = spawnPinned
	}
	switch s.Kind {
	case scenario.Mutex:
		var l osthread.Lock
		return together(s.Threads, spawn, func(i int) { newLockSections(&l, share(n, i, s.Threads), s.Work) })
	case scenario.Recursive:
		var l osthread.RLock
		return together(1, spawn, func(int) { recursiveSections(&l, n) })
	case scenario.Wait:
		var l osthread.Lock
		return waits(s, n, spawn, l.Lock, l.Unlock)
	case scenario.Condition:
		return turns(s, n, spawn, func() (sync.Locker, func(), func()) {
			l := new(osthread.Lock)
			c := osthread.NewCondition(l)
			return l, c.Wait, c.Notify
		})
	}
	return 0, unknown(s)
}}

// goSync is package sync, likewise. A recursive lock it has none; its place takes a Mutex.
var goSync = Contender{Name: "sync", Run: func(s scenario.Spec, n int) (time.Duration, error) {
	spawn := spawnGoroutine
	if s.Pinned {
		spawn = spawnLocked
	}
	switch s.Kind {
	case scenario.Mutex:
		var l sync.Mutex
		return together(s.Threads, spawn, func(i int) { mutexSections(&l, share(n, i, s.Threads), s.Work) })
	case scenario.Recursive:
		var l sync.Mutex
		return together(1, spawn, func(int) { mutexSections(&l, n, 0) })
	case scenario.Wait:
		var l sync.Mutex
		return waits(s, n, spawn, l.Lock, l.Unlock)
	case scenario.Condition:
		return turns(s, n, spawn, func() (sync.Locker, func(), func()) {
			l := new(sync.Mutex)
			c := sync.NewCond(l)
			return l, c.Wait, c.Signal
		})
	}
	return 0, unknown(s)
}}

// noLock does the sections of Mutex one after the other without any lock: what no lock can beat.
var noLock = Contender{Name: "no lock", Run: func(s scenario.Spec, n int) (time.Duration, error) {
	if s.Kind != scenario.Mutex || s.Work == 0 {
		return 0, errAbsent
	}
	return together(1, spawnGoroutine, func(int) {
		for range n {
			runtime.KeepAlive(scenario.Work(1, s.Work))
		}
	})
}}

func spawnGoroutine(body func()) error { go body(); return nil }

func spawnLocked(body func()) error {
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		body()
	}()
	return nil
}

func spawnPinned(body func()) error {
	_, err := thread.Start(body, &thread.Attr{Pinned: true, Detached: true})
	return err
}

// newLockSections is lock, work, unlock, n times.
func newLockSections(l *osthread.Lock, n, work int) (x uint64) {
	if work == 0 {
		for range n {
			l.Lock()
			//lint:ignore SA2001 the pair is what is measured
			l.Unlock()
		}
		return 0
	}
	for range n {
		l.Lock()
		x = scenario.Work(x, work)
		l.Unlock()
	}
	return x
}

func recursiveSections(l *osthread.RLock, n int) {
	for range n {
		l.Lock()
		//lint:ignore SA2001 the pair is what is measured
		l.Unlock()
	}
}

// waits does the sections of all threads and returns n times the 99.9th percentile of the times that Lock took. The time of a look at the clock is
// that of all contenders.
func waits(s scenario.Spec, n int, spawn func(func()) error, lock, unlock func()) (time.Duration, error) {
	times := make([][]time.Duration, s.Threads)
	_, err := together(s.Threads, spawn, func(i int) {
		mine := make([]time.Duration, share(n, i, s.Threads))
		x := uint64(1)
		for k := range mine {
			began := time.Now()
			lock()
			mine[k] = time.Since(began)
			x = scenario.Work(x, s.Work)
			unlock()
		}
		times[i] = mine
	})
	if err != nil {
		return 0, err
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return all[len(all)*999/1000] * time.Duration(n), nil
}

// turns has pairs take n turns in all, each pair with what newPair returns: a lock, and the wait and the notify of its condition.
func turns(s scenario.Spec, n int, spawn func(func()) error, newPair func() (sync.Locker, func(), func())) (time.Duration, error) {
	type pair struct {
		l            sync.Locker
		wait, notify func()
		turn         int
	}
	pairs := make([]*pair, s.Threads/2)
	for i := range pairs {
		pairs[i] = new(pair)
		pairs[i].l, pairs[i].wait, pairs[i].notify = newPair()
	}
	return together(s.Threads, spawn, func(i int) {
		p, me := pairs[i/2], i%2
		for range max(1, n/s.Threads) {
			p.l.Lock()
			for p.turn != me {
				p.wait()
			}
			p.turn = 1 - me
			p.notify()
			p.l.Unlock()
		}
	})
}
