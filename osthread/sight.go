package osthread

import (
	"slices"
	"sync"
	"unsafe"

	"example.com/thread/internal/keep"
	"example.com/thread/internal/sight"
	"example.com/thread/internal/watch"
)

// What package inspect asks of this one: what ends a wait. A Condition, a
// Semaphore, an Event and a wait for any of several objects have no holders
// that must go on, so nothing is known.

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
	case *Barrier:
		return o.explain(), true
	default:
		return sight.Reason{}, false
	}
}

// explain says what the waiter at parker needs: a writer and an upgrader that
// the holders of w go on; a reader that the writer does, or, if readers hold w,
// the first writer that came before.
func (w *RWLock) explain(parker unsafe.Pointer) sight.Reason {
	q := w.q.Load()
	if q == nil {
		return sight.Reason{}
	}
	q.Lock()
	defer q.Unlock()
	r := sight.Reason{Needs: sight.All}
	for n, i := q.Head(), 0; n != nil && i < mostWalked; n, i = n.Next(), i+1 {
		switch {
		case n.Parker() == parker && (n.Key != toRead || w.writeLocked()):
			return sight.Reason{Needs: sight.All, Holders: true}
		case n.Parker() == parker:
			return r
		case n.Key != toRead && !w.PreferReaders && r.Waiters == nil:
			r.Waiters = []unsafe.Pointer{n.Parker()}
		}
	}
	return sight.Reason{} // woken to retry, or far behind
}

// mostWalked is how many nodes of a queue are walked under its guard. Of those
// behind nothing is known.
const mostWalked = 1000

// members are in watch mode the goroutines that have waited at a Barrier, at
// most one more than it has parties.
type members struct {
	mu  sync.Mutex
	all []watch.Member
}

// add adds the caller, unless it is known or there are too many.
func (m *members) add(parties int) {
	here := watch.HereAsMember()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) <= parties && !slices.Contains(m.all, here) {
		m.all = append(m.all, here)
	}
}

// explain says what a waiter at b needs. If as many as are needed, and no
// others, have ever waited there, it is taken that those of them that do not
// wait now have to come.
func (b *Barrier) explain() sight.Reason {
	b.seen.mu.Lock()
	all := slices.Clone(b.seen.all)
	b.seen.mu.Unlock()
	if len(all) != b.parties {
		return sight.Reason{}
	}
	return sight.Reason{Needs: sight.All, Members: all, Waiting: b.Waiting()}
}

// explain says what a Join of t needs.
func (t *Thread) explain() sight.Reason {
	if th := t.made(); th != nil && !t.hasEnded() {
		return sight.Reason{Needs: sight.All, Slots: []uintptr{keep.Slot(th)}}
	}
	return sight.Reason{}
}
