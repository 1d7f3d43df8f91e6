//go:build cgo && linux && !android

package main

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/sharedtest"
	"example.com/thread/osthread/shared"
)

// Threads of C, which do not know Go, use the objects that C and Go share, at
// the same time as Go.
var cLoads = []load{
	{"thread.Lock with C", beginLockWithC},
	{"shared.Mutex with C", beginMutexWithC},
	{"locks used briefly with C", beginBriefWithC},
	{"shared.Ring with C", beginRingWithC},
}

// A counted is a lock and a counter, in memory of C.
type counted struct {
	lock    [64]uint64 // room for either lock
	counter int64
}

func newCounted() *counted { return (*counted)(ctest.Malloc(int(unsafe.Sizeof(counted{})))) }

// beginWithC counts under a lock, by Go and, in some of the steps, by threads
// of C. add has n threads of C add times to the counter each.
func beginWithC(r *round, m *counted, s shapes, unlock func() error, add func(n, times int)) use {
	var want atomic.Int64
	return use{
		step: func(w *worker) {
			if w.rnd.IntN(100) == 0 {
				n, times := 1+w.rnd.IntN(3), w.rnd.IntN(1000)
				add(n, times)
				want.Add(int64(n * times))
				w.count("sections of C", int64(n*times))
				return
			}
			if w.wait(s) {
				before := m.counter
				w.dwell()
				m.counter = before + 1
				want.Add(1)
				w.must(unlock())
			}
		},
		check: func() {
			if m.counter != want.Load() {
				r.fail("C and Go have counted to %d in %d sections", m.counter, want.Load())
			}
			ctest.Free(unsafe.Pointer(m))
		},
	}
}

func beginLockWithC(r *round, _ int) use {
	m := newCounted()
	p := unsafe.Pointer(&m.lock)
	l := (*thread.Lock)(p)
	s, unlock := forms(l.Lock, l.TryLock, l.LockTimeout, l.LockContext), func() error { l.Unlock(); return nil }
	return beginWithC(r, m, s, unlock,
		func(n, times int) { ctest.AddUnder(p, &m.counter, n, times) })
}

func beginMutexWithC(r *round, _ int) use {
	m := newCounted()
	p := unsafe.Pointer(&m.lock)
	l := (*shared.Mutex)(p)
	r.must(l.Init(shared.MutexAttr{}))
	return beginWithC(r, m, shapes{l.Lock, l.TryLock, l.LockTimeout, l.LockContext}, l.Unlock,
		func(n, times int) { sharedtest.MutexAdd(p, &m.counter, n, times) })
}

// beginBriefWithC is beginBrief for threads of C and one of Go.
func beginBriefWithC(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		m := newCounted()
		defer ctest.Free(unsafe.Pointer(m))
		p := unsafe.Pointer(&m.lock)
		l, add := sync.Locker((*thread.Lock)(p)), ctest.AddUnder
		if w.rnd.IntN(2) == 0 {
			l, add = (*shared.Mutex)(p).Locker(), sharedtest.MutexAdd
		}
		n, times := 1+w.rnd.IntN(3), 1+w.rnd.IntN(30)
		join := elsewhere(r, w.rnd, func() {
			for range times {
				l.Lock()
				m.counter++
				l.Unlock()
			}
		})
		add(p, &m.counter, n, times)
		join()
		if want := int64((n + 1) * times); m.counter != want {
			w.fail("%v: %d sections have counted to %d", w, want, m.counter)
		}
	}}
}

// One side of a ring is in C.
func beginRingWithC(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		const capacity = 4096
		size := shared.RingSize(capacity)
		p := ctest.Malloc(size)
		defer ctest.Free(p)
		mem := unsafe.Slice((*byte)(p), size)
		_, err := shared.NewRing(mem, capacity, shared.RingAttr{Records: true})
		w.must(err)
		n := uint64(1 + w.rnd.IntN(5000))
		join := elsewhere(r, w.rnd, func() { r.must(ctest.RingProduce(mem, 0, n)) })
		next, err := ctest.RingConsume(mem, 0)
		w.must(err)
		join()
		if next != n {
			w.fail("%v: a ring has delivered %d records of %d", w, next, n)
		}
		w.progress.Add(1)
	}}
}

// inC passes some time in C, on its stack.
func inC() { ctest.Recurse(16 << 10) }
