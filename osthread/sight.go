package osthread

import (
	"unsafe"

	"example.com/thread/internal/keep"
	"example.com/thread/internal/sight"
)

// What package inspect asks of this one: what ends a wait. A Condition, a
// Semaphore, an Event, a Barrier and a wait for any of several objects have no
// holders that must go on, so nothing is known.

func init() { sight.Register(explain) }

func explain(object any, parker unsafe.Pointer) (sight.Reason, bool) {
	switch o := object.(type) {
	case *Lock:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		return sight.Reason{Needs: sight.All, Holders: true}, true
	case *RLock:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		r := sight.Reason{Needs: sight.All, Holders: true, Owned: true}
		r.Serial, _ = o.ownerSerial()
		return r, true
	case *RWLock:
		return o.explain(parker), true
	case *rlocker:
		return (*RWLock)(o).explain(parker), true
	case *Thread:
		return o.explain(), true
	default:
		return sight.Reason{}, false
	}
}

// explain says what the waiter at parker needs: a writer and an upgrader that
// the holders of w go on; a reader that the writer does, or, if readers hold w,
// the writers that came before.
func (w *RWLock) explain(parker unsafe.Pointer) sight.Reason {
	q := w.q.Load()
	if q == nil {
		return sight.Reason{}
	}
	q.Lock()
	defer q.Unlock()
	r := sight.Reason{Needs: sight.All}
	for n := q.Head(); n != nil; n = n.Next() {
		switch {
		case n.Parker() == parker:
			r.Holders = n.Key != toRead || w.writeLocked()
			if r.Holders {
				r.Waiters = nil
			}
			return r
		case n.Key != toRead && !w.PreferReaders:
			r.Waiters = append(r.Waiters, n.Parker())
		}
	}
	return sight.Reason{} // woken to retry
}

// explain says what a Join of t needs.
func (t *Thread) explain() sight.Reason {
	if th := t.made(); th != nil && !t.hasEnded() {
		return sight.Reason{Needs: sight.All, Slots: []uintptr{keep.Slot(th)}}
	}
	return sight.Reason{}
}
