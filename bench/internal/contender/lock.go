package contender

import (
	"sync"

	"example.com/thread"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

// lockers returns the contenders of a lock row. Pinned locks and thread.Lock,
// which blocks the thread of a goroutine, are measured with threads only.
func lockers(s scenario.Spec) []Contender {
	goMutex := Contender{Name: "sync", Run: of(func(c *crew) (sample.Sample, error) {
		var l sync.Mutex
		return c.run(c.spec.Threads, c.spec.Threads, theirs(c.spec), func(_ int, t *tally) { mutexSections(c, t, &l) })
	})}
	if s.Caller == scenario.Goroutine {
		return []Contender{{Baseline, true, locks(goroutine)}, goMutex}
	}
	return []Contender{
		{Baseline, true, locks(native)},
		{"osthread pinned", true, locks(pinned)},
		{"thread.Lock", true, of(func(c *crew) (sample.Sample, error) {
			var l thread.Lock
			return c.run(c.spec.Threads, c.spec.Threads, native, func(_ int, t *tally) { lowSections(c, t, &l) })
		})},
		goMutex,
	}
}

func locks(spawn spawner) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return of(func(c *crew) (sample.Sample, error) {
		var l osthread.Lock
		return c.run(c.spec.Threads, c.spec.Threads, spawn, func(_ int, t *tally) { lockSections(c, t, &l) })
	})
}

// One loop for each type of lock: through an interface or the dictionary of a
// type parameter, the calls would not be inlined, and on a free lock the calls
// are what is measured.

func lockSections(c *crew, t *tally, l *osthread.Lock) (x uint64) {
	batch, work, think := c.spec.Batch(), c.spec.Work, c.spec.Think
	for !c.over() {
		for range batch {
			began := t.now()
			l.Lock()
			waited := t.since(began)
			if work != 0 {
				x = scenario.Work(x, work)
			}
			l.Unlock()
			t.count(waited)
			if think != 0 {
				x = scenario.Work(x, think)
			}
		}
		t.add(batch)
	}
	return x
}

func lowSections(c *crew, t *tally, l *thread.Lock) (x uint64) {
	batch, work, think := c.spec.Batch(), c.spec.Work, c.spec.Think
	for !c.over() {
		for range batch {
			began := t.now()
			l.Lock()
			waited := t.since(began)
			if work != 0 {
				x = scenario.Work(x, work)
			}
			l.Unlock()
			t.count(waited)
			if think != 0 {
				x = scenario.Work(x, think)
			}
		}
		t.add(batch)
	}
	return x
}

func mutexSections(c *crew, t *tally, l *sync.Mutex) (x uint64) {
	batch, work, think := c.spec.Batch(), c.spec.Work, c.spec.Think
	for !c.over() {
		for range batch {
			began := t.now()
			l.Lock()
			waited := t.since(began)
			if work != 0 {
				x = scenario.Work(x, work)
			}
			l.Unlock()
			t.count(waited)
			if think != 0 {
				x = scenario.Work(x, think)
			}
		}
		t.add(batch)
	}
	return x
}

// recursives: sync has no recursive lock, so a Mutex stands in for it, as in Go
// programs.
var recursives = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		var l osthread.RLock
		return c.run(1, 1, ours(c.spec), func(_ int, t *tally) {
			for !c.over() {
				for range c.spec.Batch() {
					l.Lock()
					//lint:ignore SA2001 the empty section is what is measured
					l.Unlock()
				}
				t.add(c.spec.Batch())
			}
		})
	})},
	{"sync", false, of(func(c *crew) (sample.Sample, error) {
		var l sync.Mutex
		return c.run(1, 1, theirs(c.spec), func(_ int, t *tally) {
			for !c.over() {
				for range c.spec.Batch() {
					l.Lock()
					//lint:ignore SA2001 the empty section is what is measured
					l.Unlock()
				}
				t.add(c.spec.Batch())
			}
		})
	})},
}

// A sharedLock is osthread.RWLock or sync.RWMutex.
type sharedLock interface {
	sync.Locker
	RLock()
	RUnlock()
}

// rwlocks returns the contenders of a row of readers and writers.
func rwlocks(s scenario.Spec) []Contender {
	if s.Reads == 100 {
		return readers
	}
	return []Contender{
		{Baseline, true, of(func(c *crew) (sample.Sample, error) {
			return sharedSections(c, ours(c.spec), new(osthread.RWLock))
		})},
		{"sync", false, of(func(c *crew) (sample.Sample, error) {
			return sharedSections(c, theirs(c.spec), new(sync.RWMutex))
		})},
	}
}

// readers take so little time that the calls must be inlined.
var readers = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		var l osthread.RWLock
		return c.run(c.spec.Threads, c.spec.Threads, ours(c.spec), func(_ int, t *tally) {
			for !c.over() {
				for range c.spec.Batch() {
					l.RLock()
					//lint:ignore SA2001 the empty section is what is measured
					l.RUnlock()
				}
				t.add(c.spec.Batch())
			}
		})
	})},
	{"sync", false, of(func(c *crew) (sample.Sample, error) {
		var l sync.RWMutex
		return c.run(c.spec.Threads, c.spec.Threads, theirs(c.spec), func(_ int, t *tally) {
			for !c.over() {
				for range c.spec.Batch() {
					l.RLock()
					//lint:ignore SA2001 the empty section is what is measured
					l.RUnlock()
				}
				t.add(c.spec.Batch())
			}
		})
	})},
}

func sharedSections(c *crew, spawn spawner, l sharedLock) (sample.Sample, error) {
	every := 100 / (100 - c.spec.Reads) // one section in every writes
	return c.run(c.spec.Threads, c.spec.Threads, spawn, func(i int, t *tally) {
		batch, x := c.spec.Batch(), uint64(1)
		for k := i; !c.over(); {
			for range batch {
				k++
				began, waited := t.now(), int64(-1)
				if k%every == 0 {
					l.Lock()
					waited = t.since(began)
					x = scenario.Work(x, c.spec.Work)
					l.Unlock()
				} else {
					l.RLock()
					waited = t.since(began)
					x = scenario.Work(x, c.spec.Work)
					l.RUnlock()
				}
				t.count(waited)
			}
			t.add(batch)
		}
	})
}
