//go:build !plan9

package shared

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// Objects of any content: each call ends, with whatever result, if it has a
// deadline, and what lies around the object is not touched.

// cGarbage are the calls of C on memory, by object; empty without cgo.
var cGarbage = map[string][]func(p, mutex unsafe.Pointer){}

// garbageCalls are the calls of Go on memory, by object.
func garbageCalls() map[string][]func(p, mutex unsafe.Pointer) {
	const d = 50 * time.Microsecond
	none := func() {}
	semaphore := func(f func(s *Semaphore)) func(p, _ unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) { f((*Semaphore)(p)) }
	}
	event := func(f func(e *Event)) func(p, _ unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) { f((*Event)(p)) }
	}
	barrier := func(f func(b *Barrier)) func(p, _ unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) { f((*Barrier)(p)) }
	}
	once := func(f func(o *Once)) func(p, _ unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) { f((*Once)(p)) }
	}
	rw := func(f func(rw *RWMutex)) func(p, _ unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) { f((*RWMutex)(p)) }
	}
	return map[string][]func(p, mutex unsafe.Pointer){
		"semaphore": {
			semaphore(func(s *Semaphore) { _ = s.TryAcquire() }),
			semaphore(func(s *Semaphore) { _ = s.AcquireTimeout(d) }),
			semaphore(func(s *Semaphore) { _ = s.AcquireUntil(Realtime.After(d)) }),
			semaphore(func(s *Semaphore) { _ = s.Release() }),
			semaphore(func(s *Semaphore) { _ = s.String() }),
		},
		"event": {
			event(func(e *Event) { _ = e.TryWait() }),
			event(func(e *Event) { _ = e.WaitTimeout(d) }),
			event(func(e *Event) { _ = e.Set() }),
			event(func(e *Event) { _ = e.Clear() }),
			event(func(e *Event) { _ = e.String() }),
		},
		"barrier": {
			barrier(func(b *Barrier) { _, _ = b.WaitTimeout(d) }),
			barrier(func(b *Barrier) { _, _ = b.WaitUntil(Realtime.After(d)) }),
			barrier(func(b *Barrier) { _ = b.String() }),
		},
		"cond": {
			func(p, mutex unsafe.Pointer) { _ = (*Cond)(p).WaitTimeout((*Mutex)(mutex), d) },
			func(p, mutex unsafe.Pointer) {
				ctx, cancel := context.WithTimeout(context.Background(), d)
				defer cancel()
				_ = (*Cond)(p).WaitContext(ctx, (*Mutex)(mutex))
			},
			func(p, _ unsafe.Pointer) { _ = (*Cond)(p).Signal() },
			func(p, _ unsafe.Pointer) { _ = (*Cond)(p).Broadcast() },
			func(p, _ unsafe.Pointer) { _ = (*Cond)(p).String() },
		},
		"once": {
			once(func(o *Once) { _ = o.DoTimeout(d, none) }),
			once(func(o *Once) { _ = o.DoUntil(Realtime.After(d), none) }),
		},
		"rwmutex": {
			rw(func(rw *RWMutex) { _ = rw.LockTimeout(d) }),
			rw(func(rw *RWMutex) { _ = rw.TryLock() }),
			rw(func(rw *RWMutex) { _ = rw.RLockTimeout(d) }),
			rw(func(rw *RWMutex) { _ = rw.TryRLock() }),
			rw(func(rw *RWMutex) { _ = rw.RUnlock() }),
			rw(func(rw *RWMutex) { _ = rw.Consistent() }),
			rw(func(rw *RWMutex) { _ = rw.Unlock() }),
			rw(func(rw *RWMutex) { _ = rw.String() }),
		},
	}
}

// garbageWord returns a word, often one that is near what the objects have.
func garbageWord(r *rand.Rand) uint32 {
	near := [...]uint32{
		0, 1, 2, 3, 1 << 29, 1<<30 - 2, 1<<30 - 1, 1 << 30, 1<<31 - 1, 1 << 31, ^uint32(0),
		semMark, eventMark | eventAuto, barrierMark, condMark, onceMark, rwMark,
	}
	switch r.IntN(3) {
	case 0:
		return r.Uint32()
	case 1:
		return near[r.IntN(len(near))]
	default:
		return near[r.IntN(len(near))] | attrShared&r.Uint32() | attrRobust&r.Uint32()
	}
}

func TestObjectsOfAnyContentEndTheirCalls(t *testing.T) {
	times := 1000
	if testing.Short() {
		times = 100
	}
	attrs := map[string]struct {
		word int // of the object
		mark uint32
		all  uint32
	}{
		"semaphore": {2, semMark, semAllowed},
		"event":     {1, eventMark, eventAllowed},
		"barrier":   {3, barrierMark, barrierAllowed},
		"cond":      {2, condMark, condAllowed},
		"once":      {2, onceMark, onceAllowed},
		"rwmutex":   {6, rwMark, rwAllowed},
	}
	type guarded struct {
		before [8]uint64
		object [4]uint64 // the largest object
		after  [8]uint64
		mutex  Mutex
	}
	for name, calls := range garbageCalls() {
		t.Run(name, func(t *testing.T) {
			watch(t)
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 0))
			for range times {
				g := new(guarded)
				for i := range g.before {
					g.before[i], g.after[i] = 0x5a5a, 0x5a5a
				}
				before, after := g.before, g.after
				words := (*[8]uint32)(unsafe.Pointer(&g.object))
				for i := range words {
					words[i] = garbageWord(r)
				}
				if r.IntN(8) != 0 { // else nearly all are corrupt by their mark
					words[attrs[name].word] = attrs[name].mark | r.Uint32()&attrs[name].all
				}
				for _, i := range r.Perm(len(calls) + len(cGarbage[name])) {
					_ = g.mutex.TryLock() // for the conditions
					if i < len(calls) {
						calls[i](unsafe.Pointer(&g.object), unsafe.Pointer(&g.mutex))
					} else {
						cGarbage[name][i-len(calls)](unsafe.Pointer(&g.object), unsafe.Pointer(&g.mutex))
					}
				}
				assert.Equal(t, before, g.before, "seed %d", seed)
				assert.Equal(t, after, g.after, "seed %d", seed)
			}
		})
	}
}
