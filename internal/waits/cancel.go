package waits

import (
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/ident"
)

// A thread can be asked to end one wait, with a cause: the present wait or,
// if that cannot be ended so or there is none, the next one that can.
//
//	idle --Ask--> asked --Take--> idle    Take: by the thread, whose wait ends or has ended
//	              asked --Drop--> idle    it has ended
//
// No request is lost: a sleeper says that it sleeps, checks [Asked], and
// sleeps; Ask sets the request before it rouses what sleeps. All accesses are
// sequentially consistent, so the sleeper sees the request or is roused. One
// that sleeps on a word that others own has no sleep of its own to end, only
// wakeups that it may miss between its check and its sleep: it is roused again
// until it has noticed.
//
// A wait that is given what it waits for at that moment succeeds, and leaves
// the request to the next one.

// A Rouser ends the sleep of the caller that sleeps at parker, as far as that
// can be seen there. It must not sleep. It reports whether it must be called
// again until the caller has noticed.
type Rouser func(parker unsafe.Pointer) (again bool)

// An Ending says how a request ends a wait.
type Ending struct {
	Rouse   Rouser // nil: none does
	Unwinds bool   // the wait's call returns no error, and would panic
}

// A Request says why a thread is to end a wait.
type Request struct {
	Cause   error
	Unwinds bool            // it may end a wait that unwinds
	Settled <-chan struct{} // Take waits until it is closed, which is about to happen
}

// requests is what a Record holds of them. What is not atomic is under the
// record's mu.
type requests struct {
	asked atomic.Bool // there is one
	slot  uintptr     // of the thread that is asked
	one   Request

	hidden   int     // calls of Hidden
	hiddenOn uintptr // the slot of the thread that calls them
}

// asked is the number of requests: while it is 0 no wait checks its record.
var asked atomic.Int32

// Ask asks the thread with that slot to end a wait. If again is not nil the
// caller must call it: it sleeps until the thread has noticed. Of a thread that
// is gone the next one may have the row, and may have been asked, so Ask then
// does nothing.
func Ask(slot uintptr, q Request) (again func()) {
	r := record(slot)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owner != slot {
		return nil
	}
	r.clear()
	r.requests.slot, r.requests.one = slot, q
	asked.Add(1)
	r.requests.asked.Store(true)
	if !r.rouse(slot) {
		return nil
	}
	number := r.wait.Number
	return func() {
		for pause := 20 * time.Microsecond; r.rouseAgain(slot, number); pause = min(2*pause, time.Millisecond) {
			time.Sleep(pause)
		}
	}
}

// rouse ends the sleep of the thread with that slot, if it sleeps and the
// request is for such a wait, and reports whether that must be repeated. The
// caller has mu, which the sleeper needs to return: what it sleeps at exists.
func (r *Record) rouse(slot uintptr) (again bool) {
	return r.on && r.slot == slot && r.ending.Rouse != nil && r.isFor(slot, r.ending.Unwinds) &&
		r.ending.Rouse(r.wait.Parker)
}

func (r *Record) rouseAgain(slot uintptr, number uint64) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wait.Number == number && r.rouse(slot)
}

// clear drops the request. The caller has mu.
func (r *Record) clear() {
	if r.requests.asked.Load() {
		r.requests.asked.Store(false)
		r.requests.one = Request{}
		asked.Add(-1)
	}
}

// Drop drops the request for the thread with that slot, which has ended.
func Drop(slot uintptr) {
	if r := at(slot); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.requests.slot == slot {
			r.clear()
		}
	}
}

// Asked reports whether the calling thread is asked to end a wait, one that
// unwinds or another.
func Asked(unwinding bool) bool { return asked.Load() != 0 && askedHere(unwinding) }

func askedHere(unwinding bool) bool {
	r := at(ident.Slot())
	return r != nil && r.Asked(unwinding)
}

// Asked is the function Asked for the thread that r belongs to, which calls it.
func (r *Record) Asked(unwinding bool) bool {
	if !r.requests.asked.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isFor(ident.Slot(), unwinding)
}

// Take takes the request that Asked would report, and returns its cause, or nil
// if there is none.
func Take(unwinding bool) (cause error) {
	if asked.Load() == 0 {
		return nil
	}
	return takeHere(unwinding)
}

func takeHere(unwinding bool) (cause error) {
	slot := ident.Slot()
	r := at(slot)
	if r == nil {
		return nil
	}
	r.mu.Lock()
	if !r.isFor(slot, unwinding) {
		r.mu.Unlock()
		return nil
	}
	q := r.requests.one
	r.clear()
	r.mu.Unlock()
	<-q.Settled
	return q.Cause
}

// isFor reports whether there is a request for the thread with that slot that
// may end such a wait. The caller has mu.
func (r *Record) isFor(slot uintptr, unwinding bool) bool {
	q := &r.requests
	return q.asked.Load() && q.slot == slot && (q.one.Unwinds || !unwinding) && !(q.hidden > 0 && q.hiddenOn == slot)
}

// Hidden calls f. Meanwhile requests for the calling thread end no wait of it.
func Hidden(f func()) {
	slot := ident.Slot()
	r := record(slot)
	if r == nil {
		f()
		return
	}
	r.hide(slot, 1)
	defer r.hide(slot, -1)
	f()
}

// hide counts the calls of Hidden. Of a thread that C code has ended in one the
// count is left, but not that thread's slot.
func (r *Record) hide(slot uintptr, change int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.requests.hiddenOn != slot {
		r.requests.hidden, r.requests.hiddenOn = 0, slot
	}
	r.requests.hidden += change
}
