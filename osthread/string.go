package osthread

import (
	"fmt"
	"sync"
	"time"

	"example.com/thread/internal/ident"
)

// String methods may be called while other threads use the object. They read by
// atomics and under guards, so that a log line, or a trace function that prints
// its event's object, is no data race. They call no code of the user.

// describe returns KIND(ADDRESS, STATE) with the number of waiters, if any.
func describe(kind string, p any, state string, waiting int) string {
	s := fmt.Sprintf("%s(%p, %s", kind, p, state)
	if waiting > 0 {
		s += fmt.Sprintf(", %d waiting", waiting)
	}
	return s + ")"
}

// String returns l's address, its state, and the number of waiters. It may be
// called at any time.
func (l *Lock) String() string {
	state := "unlocked"
	if l.Locked() {
		state = "locked"
	}
	return describe("Lock", l, state, l.Waiting())
}

// String returns r's address, its state, the name of its owner or, if that is
// unknown, the owner's serial (thread.Thread.Serial), and the number of
// waiters. It may be called at any time.
func (r *RLock) String() string {
	state := "unlocked"
	if serial, held := r.ownerSerial(); held {
		state = fmt.Sprintf("locked by thread with serial %d", serial)
		if t := registry.bySerial(serial); t != nil {
			state = "locked by " + t.Name()
		} else if serial == 0 {
			state = "locked"
		}
	}
	return describe("RLock", r, state, r.Waiting())
}

// String returns w's address, its state, and the number of waiters. It may be
// called at any time.
func (w *RWLock) String() string { return describe("RWLock", w, w.state(), w.Waiting()) }

func (w *RWLock) state() string {
	switch readers := w.Readers(); {
	case w.writeLocked():
		return "locked for writing"
	case readers == 1:
		return "locked by 1 reader"
	case readers > 1:
		return fmt.Sprintf("locked by %d readers", readers)
	default:
		return "unlocked"
	}
}

// String returns "RLocker of" and the String of the RWLock.
func (r *rlocker) String() string { return "RLocker of " + (*RWLock)(r).String() }

// String returns c's address, L, and the number of waiters. It may be called at
// any time.
func (c *Condition) String() string {
	return describe("Condition", c, lockerString(c.L), c.Waiting())
}

// lockerString returns only the type and address of another package's lock.
func lockerString(l sync.Locker) string {
	switch l := l.(type) {
	case nil:
		return "without L"
	case *Lock, *RLock, *RWLock, *rlocker:
		return fmt.Sprintf("on %v", l)
	default:
		return fmt.Sprintf("on %T(%p)", l, l)
	}
}

// String returns s's address, the number of permits, the bound if there is one,
// and the number of waiters. It may be called at any time.
func (s *Semaphore) String() string {
	state := fmt.Sprintf("%d permits", s.Value())
	if s.short > 0 {
		state = fmt.Sprintf("%d of %d permits", s.Value(), s.most())
	}
	return describe("Semaphore", s, state, s.Waiting())
}

// String returns e's address, whether it is set, and the number of waiters. It
// may be called at any time.
func (e *Event) String() string {
	state := "not set"
	if e.flag.Load() {
		state = "set"
	}
	return describe("Event", e, state, e.Waiting())
}

// String returns b's address, how many of its parties have arrived, and whether
// it is broken. It may be called at any time.
func (b *Barrier) String() string {
	state := fmt.Sprintf("%d of %d", b.Waiting(), b.parties)
	if b.Broken() {
		state += ", broken"
	}
	return describe("Barrier", b, state, 0)
}

// String returns g's address and how many threads it has that are not gone.
func (g *Group) String() string {
	return describe("Group", g, fmt.Sprintf("%d threads", len(g.all())), 0)
}

// String returns the timer's thread, its interval and its state. It may be
// called at any time.
func (t *Timer) String() string {
	state := [...]string{pending: "pending", fired: "fired", canceled: "canceled"}[t.state.Load()]
	return fmt.Sprintf("Timer(%v, %v, %s)", t.Thread, t.interval.Round(time.Microsecond), state)
}

// String returns l's address and the type of its values. It may be called at
// any time.
func (l *Local[T]) String() string { return fmt.Sprintf("%T(%p)", l, l) }

// bySerial returns the living thread with that serial, nil if it is unknown.
func (r *threads) bySerial(serial uint64) *Thread {
	if serial == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.slots[ident.Make(serial, 0)]; t != nil {
		return t
	}
	for t := range r.alive {
		if th, err := t.OSThread(); err == nil && th.Serial() == serial {
			return t
		}
	}
	return nil
}
