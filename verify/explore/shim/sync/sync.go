// Package sync has what the code under test uses of package sync. A Mutex and a
// Pool are the explorer's.
package sync

import (
	"sync"

	"example.com/thread/verify/explore/sched"
)

// What is used as it is.
type (
	Locker = sync.Locker
	Map    = sync.Map
	Once   = sync.Once
)

// A Mutex is a sync.Mutex.
type Mutex struct{ mu sync.Mutex }

// Lock locks m.
func (m *Mutex) Lock() {
	if !sched.On() {
		m.mu.Lock()
		return
	}
	sched.Step("Mutex.Lock", m)
	for !m.mu.TryLock() {
		sched.Await("waits for a Mutex", m.free)
	}
}

// TryLock locks m if it is free.
func (m *Mutex) TryLock() bool {
	sched.Step("Mutex.TryLock", m)
	return m.mu.TryLock()
}

// Unlock unlocks m.
func (m *Mutex) Unlock() {
	sched.Step("Mutex.Unlock", m)
	m.mu.Unlock()
}

func (m *Mutex) free() bool {
	free := m.mu.TryLock()
	if free {
		m.mu.Unlock()
	}
	return free
}

// A Pool is a sync.Pool that returns what was put in last, and forgets what was
// put in during another execution.
type Pool struct {
	New func() any

	free []any
	of   uint64
}

// Get takes something out, or makes it.
func (p *Pool) Get() any {
	sched.Taken(1)
	p.renew()
	if n := len(p.free); n > 0 {
		v := p.free[n-1]
		p.free = p.free[:n-1]
		return v
	}
	if p.New == nil {
		return nil
	}
	return p.New()
}

// Put puts v in.
func (p *Pool) Put(v any) {
	sched.Taken(-1)
	p.renew()
	p.free = append(p.free, v)
}

func (p *Pool) renew() {
	if n := sched.Number(); p.of != n {
		p.free, p.of = nil, n
	}
}
