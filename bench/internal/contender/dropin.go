package contender

import (
	"sync"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	dropin "example.com/thread/osthread/sync"
)

// A syncPackage is package sync, or osthread/sync: the import that a program
// changes.
type syncPackage struct {
	mutex     func() sync.Locker
	rwMutex   func() sharedLock
	cond      func(sync.Locker) (wait, signal func())
	waitGroup func() waitGroup
}

type waitGroup interface {
	Add(n int)
	Done()
	Wait()
}

var (
	changed = syncPackage{
		mutex:   func() sync.Locker { return new(dropin.Mutex) },
		rwMutex: func() sharedLock { return new(dropin.RWMutex) },
		cond: func(l sync.Locker) (wait, signal func()) {
			c := dropin.NewCond(l)
			return c.Wait, c.Signal
		},
		waitGroup: func() waitGroup { return new(dropin.WaitGroup) },
	}
	original = syncPackage{
		mutex:   func() sync.Locker { return new(sync.Mutex) },
		rwMutex: func() sharedLock { return new(sync.RWMutex) },
		cond: func(l sync.Locker) (wait, signal func()) {
			c := sync.NewCond(l)
			return c.Wait, c.Signal
		},
		waitGroup: func() waitGroup { return new(sync.WaitGroup) },
	}
)

// dropins are the same programs with either import. Their threads are
// goroutines that are locked by runtime.LockOSThread alone.
var dropins = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) { return program(c, changed) })},
	{"sync", false, of(func(c *crew) (sample.Sample, error) { return program(c, original) })},
}

func program(c *crew, p syncPackage) (sample.Sample, error) {
	spawn := theirs(c.spec)
	switch c.spec.Op {
	case scenario.UseRWMutex:
		return sharedSections(c, spawn, p.rwMutex())
	case scenario.UseCond:
		return conditionPingPong(c, spawn, func() (l sync.Locker, wait, signal func()) {
			l = p.mutex()
			wait, signal = p.cond(l)
			return l, wait, signal
		})
	case scenario.UseWaitGroup:
		return waitGroupMeetings(c, spawn, p.waitGroup)
	default:
		l := p.mutex()
		return c.run(c.spec.Threads, c.spec.Threads, spawn, func(_ int, t *tally) {
			x := uint64(1)
			for !c.over() {
				for range c.spec.Batch() {
					began := t.now()
					l.Lock()
					waited := t.since(began)
					x = scenario.Work(x, c.spec.Work)
					l.Unlock()
					t.count(waited)
					x = scenario.Work(x, c.spec.Think)
				}
				t.add(c.spec.Batch())
			}
		})
	}
}
