package watch

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/waits"
)

// A Party is a goroutine that acquires or waits in this module, be it a
// thread's or an ordinary one. It stays known after its goroutine has ended
// while it still holds something.
//
// Go runs the threads of C on goroutines that it reuses with their numbers, so
// a number alone is not one goroutine's: each begins a life of its own.
//
// Parties are in a table by their g. A g is used again, by a goroutine with
// another number, which takes over a party that holds nothing. Only the
// goroutine on a g looks for that g, so no two take over or make the same; mu
// orders those that add to the table.
type Party struct {
	g    atomic.Uintptr // 0 once another party has it; Go frees no g
	goid atomic.Uint64
	life atomic.Uint64  // no other goroutine has it
	slot atomic.Uintptr // of its thread, when last seen; see internal/ident
	next *Party         // in its bucket

	top     atomic.Uint64 // holds beyond that are not used
	numbers uint64        // that were given; the owner's
	first   chunk
	more    atomic.Pointer[[]*chunk]

	orders edgeCache
	wait   waits.Record // what it sleeps for, unless its thread has a record
}

const (
	bucketBits = 14
	golden     = 0x9E3779B97F4A7C15 // Fibonacci hashing
)

var (
	lives   atomic.Uint64
	mu      sync.Mutex
	buckets [1 << bucketBits]atomic.Pointer[Party]
)

func bucket(key uint64) *atomic.Pointer[Party] { return &buckets[key*golden>>(64-bucketBits)] }

func here() *Party {
	if goidOffset == 0 {
		return hereByNumber()
	}
	g := getg()
	p := bucket(uint64(uintptr(g))).Load()
	if p != nil && p.g.Load() == uintptr(g) && p.goid.Load() == goidOf(g) {
		return p
	}
	return search(g)
}

func search(g unsafe.Pointer) *Party {
	b := bucket(uint64(uintptr(g)))
	for p := b.Load(); p != nil; p = p.next {
		if p.g.Load() == uintptr(g) && p.goid.Load() == goidOf(g) {
			return p
		}
	}
	return newParty(g, goidOf(g), b)
}

// hereByNumber is here where g is not known. The table is by the number.
func hereByNumber() *Party {
	id := parseGoid()
	b := bucket(id)
	for p := b.Load(); p != nil; p = p.next {
		if p.goid.Load() == id {
			return p
		}
	}
	return newParty(nil, id, b)
}

// newParty returns the party of the calling goroutine, which is new: one in the
// bucket whose goroutine has ended and that holds nothing, or else another one.
// All that were g's until now have ended: none but the new one is found by g.
func newParty(g unsafe.Pointer, goid uint64, b *atomic.Pointer[Party]) *Party {
	mu.Lock()
	defer mu.Unlock()
	var unused *Party
	for p := b.Load(); p != nil; p = p.next {
		if g != nil && p.g.Load() == uintptr(g) {
			p.dropCounts()
			p.g.Store(0)
		}
		if g != nil && p.g.Load() == 0 && p.idle() {
			unused = p
		}
	}
	if unused == nil {
		unused = &Party{next: b.Load()}
		unused.begin(g, goid)
		b.Store(unused)
		return unused
	}
	unused.begin(g, goid)
	return unused
}

func (p *Party) begin(g unsafe.Pointer, goid uint64) {
	p.goid.Store(goid)
	p.life.Store(lives.Add(1))
	p.slot.Store(ident.Slot())
	p.g.Store(uintptr(g))
	p.orders = edgeCache{}
}

// BeginThread notes that the caller's goroutine is a new thread's from now on.
// The last thread on that goroutine has ended, with what it holds.
func BeginThread() {
	if goidOffset == 0 {
		id := parseGoid()
		newParty(nil, id, bucket(id))
		return
	}
	g := getg()
	newParty(g, goidOf(g), bucket(uint64(uintptr(g))))
}

// BeginAlien is BeginThread for a thread of C that may have acquired something
// before: it does nothing if the goroutine's party holds something.
func BeginAlien() {
	if here().idle() {
		BeginThread()
	}
}

// Sleeps records that the caller is about to sleep at parker for object. It
// returns nil, for which End does nothing, outside of watch mode. A thread with
// a record has its wait in internal/waits instead.
func Sleeps(object any, parker unsafe.Pointer, ends bool) *waits.Record {
	if !On {
		return nil
	}
	p := here()
	p.Move()
	p.wait.Begin(ident.None, object, parker, ends, waits.Ending{})
	return &p.wait
}

// Wait returns what p sleeps for. It returns false if p does not sleep, and if
// its thread has a record.
func (p *Party) Wait() (w waits.Wait, ok bool) { return p.wait.Wait(ident.None) }

// Goid returns the number of p's goroutine, as runtime.Stack prints it.
func (p *Party) Goid() uint64 { return p.goid.Load() }

// Move notes which thread p's goroutine, the caller, is on: it may have been
// attached or detached since it was last asked.
func (p *Party) Move() {
	if s := ident.Slot(); s != p.slot.Load() {
		p.slot.Store(s)
	}
}

// Slot returns the slot of the thread that p's goroutine was on when it last
// acquired something, waited, or was attached or detached. It identifies a
// thread with a record; see package ident.
func (p *Party) Slot() uintptr { return p.slot.Load() }

// each calls f for every party.
func each(f func(p *Party)) {
	for i := range buckets {
		for p := buckets[i].Load(); p != nil; p = p.next {
			f(p)
		}
	}
}
