// Package waitfor finds deadlocks among threads that run functions for others:
// worker A, whose function waits for worker B, whose function waits for A.
//
// It is a waits-for graph. Its nodes are the threads of workers and pools. A
// thread that waits without a limit has one edge, to the threads of which any
// one could end its wait. A thread is free if it has no edge, or if a thread
// outside the graph could end its wait. A thread is deadlocked exactly if it
// can reach no free one.
//
// There are no false reports: an edge is added when its thread is about to
// sleep, and counts until its wait is over (Edge.Servers), which only the
// threads that it leads to can bring about. So an edge that was seen while its
// targets are blocked still stands when the search has visited them. Waits with
// a limit have no edge: they end by themselves. Not every deadlock is found: a
// wait that an ordinary goroutine, a lock or a channel ends has no edge either.
// Shutting a worker down and cancelling a future from outside end a wait, too,
// and a deadlock is reported nevertheless.
package waitfor

import (
	"sync"
	"sync/atomic"

	"example.com/thread/internal/ident"
)

// A Thread runs functions for others.
type Thread struct {
	// Owner is what the thread belongs to: a pool, a worker.
	Owner any

	slot atomic.Uintptr // its own, set by Enter
	gone atomic.Bool    // the thread has ended, perhaps by C code, with its edge left in

	// Under mu.
	edge Edge   // nil: not waiting
	seen uint64 // the last search that visited it
}

// An Edge is what a Thread waits for.
type Edge interface {
	// Servers appends the threads of which any one can end the wait. It
	// reports false if the wait is over or others can end it, too. It is
	// called with this package's lock held and must not wait.
	Servers(threads []*Thread) ([]*Thread, bool)
}

var (
	mu     sync.Mutex // over edges
	search uint64     // under mu
)

// Wait adds the edge e of t, the calling thread, which is about to wait, and
// reports whether that can end. If it cannot the edge is not added.
func (t *Thread) Wait(e Edge) bool {
	mu.Lock()
	defer mu.Unlock()
	t.edge = e
	if t.blocked() {
		t.edge = nil
		return false
	}
	return true
}

// Resume removes the edge: t no longer waits.
func (t *Thread) Resume() {
	mu.Lock()
	defer mu.Unlock()
	t.edge = nil
}

// Ends reports whether a wait of t, the calling thread, for e could end.
func (t *Thread) Ends(e Edge) bool {
	mu.Lock()
	defer mu.Unlock()
	t.edge = e
	defer func() { t.edge = nil }()
	return !t.blocked()
}

// blocked reports whether t can reach no free thread. The caller holds mu.
func (t *Thread) blocked() bool {
	search++
	t.seen = search
	var some [16]*Thread
	next := append(some[:0], t)
	for len(next) > 0 {
		last := next[len(next)-1]
		next = next[:len(next)-1]
		if last.edge == nil || last.gone.Load() {
			return false
		}
		from := len(next)
		var known bool
		if next, known = last.edge.Servers(next); !known || len(next) == from {
			return false
		}
		fresh := next[:from]
		for _, s := range next[from:] {
			if s.seen != search {
				s.seen = search
				fresh = append(fresh, s)
			}
		}
		next = fresh
	}
	return true
}

// The threads are in a table by the rows of their slots (internal/ident), which
// makes Here two loads. Unlike a thread.Key the table still has a thread while
// destructors run on it, and after, until Leave.
const (
	chunkBits = 10
	chunks    = 1 << (ident.RowBits - chunkBits)
)

type chunk [1 << chunkBits]atomic.Pointer[Thread]

var table [chunks]atomic.Pointer[chunk]

func place(slot uintptr) *atomic.Pointer[Thread] {
	row := ident.Row(slot)
	p := &table[row>>chunkBits]
	c := p.Load()
	if c == nil {
		p.CompareAndSwap(nil, new(chunk))
		c = p.Load()
	}
	return &c[row&(1<<chunkBits-1)]
}

// Here returns the calling thread, nil if it is not in the graph.
func Here() *Thread { return of(ident.Slot()) }

// of returns the thread with that slot, nil if it is not in the graph.
func of(slot uintptr) *Thread {
	row := ident.Row(slot)
	if row == 0 { // an ordinary goroutine
		return nil
	}
	c := table[row>>chunkBits].Load()
	if c == nil {
		return nil
	}
	if t := c[row&(1<<chunkBits-1)].Load(); t != nil && t.slot.Load() == slot {
		return t
	}
	return nil
}

// Enter makes t the calling thread, which must have a record of package thread.
func (t *Thread) Enter() {
	slot := ident.Slot()
	t.slot.Store(slot)
	if ident.Row(slot) != 0 {
		place(slot).Store(t)
	}
}

// Leave takes t, whose thread has ended, out of the table. Any thread may call
// it.
func (t *Thread) Leave() {
	t.gone.Store(true)
	if slot := t.slot.Load(); ident.Row(slot) != 0 {
		place(slot).CompareAndSwap(t, nil) // or a new thread has the row
	}
}

// ServersOf returns the slots of the threads of which any one can end the wait
// of the thread with that slot. It reports false if that is not known.
func ServersOf(slot uintptr) (servers []uintptr, known bool) {
	t := of(slot)
	if t == nil {
		return nil, false
	}
	mu.Lock()
	defer mu.Unlock()
	if t.edge == nil {
		return nil, false
	}
	threads, known := t.edge.Servers(nil)
	for _, s := range threads {
		slot, lives := s.Slot()
		if !lives {
			return nil, false
		}
		servers = append(servers, slot)
	}
	return servers, known
}

// OwnerOf returns what the thread with that slot belongs to, nil if it runs
// functions for nothing.
func OwnerOf(slot uintptr) any {
	if t := of(slot); t != nil {
		return t.Owner
	}
	return nil
}

// Slot returns t's slot (internal/ident), and false before Enter and if t has
// ended.
func (t *Thread) Slot() (slot uintptr, lives bool) {
	slot = t.slot.Load()
	return slot, slot != ident.None && !t.gone.Load()
}

// Waits reports whether t has an edge. For tests.
func (t *Thread) Waits() bool {
	mu.Lock()
	defer mu.Unlock()
	return t.edge != nil
}
