// Package waits knows what each thread sleeps for.
//
// Each thread with a record (package thread) has a [Record] here, in a table by
// the rows of their slots (internal/ident). Package park calls [Begin] when a
// caller is about to sleep, after spinning has failed, and [Record.End] after
// the sleep. So a path that does not sleep costs nothing, and a sleep, which
// takes microseconds, two calls of a mutex that only a reader contends for, and
// what count.go does.
//
// A Record outlives its thread: the next thread with the row has it. [Forget]
// clears what a thread slept for that C code ended meanwhile. It is never
// mistaken for the next one's, which has another slot.
package waits

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/ident"
)

// A Wait is one sleep of one caller.
type Wait struct {
	// Object is what the caller waits for, in the terms of
	// osthread.TraceEvent.Object; nil if that is not known.
	Object any
	// Parker is the address of the place that the caller sleeps at: a
	// park.Waiter, a park.Broadcast, or the word of a thread.Lock. It keeps
	// that place reachable, which may be another caller's by now.
	Parker unsafe.Pointer
	// Number distinguishes this wait from all others of the same Record.
	Number uint64
	// Since is when the sleep began, by futex.Now.
	Since int64
	// Ends says that the wait ends by itself: it has a deadline or a context.
	Ends bool
}

// Requeued returns what the caller at parker, which went to sleep for object,
// sleeps for meanwhile. It is called while the caller cannot go on, and must
// not sleep. Package osthread sets it.
var Requeued = func(object any, parker unsafe.Pointer) any { return object }

// A Record holds the wait of one caller, if it sleeps.
type Record struct {
	mu    sync.Mutex
	owner uintptr // slot of the thread whose record it is; 0 for none
	slot  uintptr // the sleeper's
	on    bool
	wait  Wait

	ending   Ending // of the wait
	requests requests
}

// Rows are kept in chunks, so that a record never moves.
const (
	chunkBits = 8
	chunks    = 1 << (ident.RowBits - chunkBits)
)

type chunk [1 << chunkBits]Record

var table [chunks]atomic.Pointer[chunk]

// Begin records that the calling thread is about to sleep at parker for object.
// It returns nil, for which End does nothing, if the caller has no record.
func Begin(object any, parker unsafe.Pointer, ends bool, e Ending) *Record {
	slot := ident.Slot()
	r := record(slot)
	if r != nil {
		r.Begin(slot, object, parker, ends, e)
	}
	return r
}

// Begin is the function Begin for the caller that r belongs to, whose slot is 0
// if it is not a thread with a record.
func (r *Record) Begin(slot uintptr, object any, parker unsafe.Pointer, ends bool, e Ending) {
	now := futex.Now()
	r.mu.Lock()
	r.slot, r.on, r.ending = slot, true, e
	r.wait = Wait{Object: object, Parker: parker, Number: r.wait.Number + 1, Since: now, Ends: ends}
	r.mu.Unlock()
}

// End records that the sleep is over, and counts it.
func (r *Record) End() {
	if r == nil {
		return
	}
	now := futex.Now()
	r.mu.Lock()
	slot, object, since := r.slot, r.wait.Object, r.wait.Since
	r.on, r.wait.Object, r.wait.Parker = false, nil, nil
	r.mu.Unlock()
	add(slot, object, now-since)
}

// Wait returns the wait of the caller with that slot, which r belongs to.
func (r *Record) Wait(slot uintptr) (w Wait, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on || r.slot != slot {
		return Wait{}, false
	}
	w = r.wait
	w.Object = Requeued(w.Object, w.Parker)
	return w, true
}

// Own makes the record with the row of that slot the thread's, until Forget.
func Own(slot uintptr) {
	if r := record(slot); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.owner = slot
	}
}

// Forget drops what is left of the thread with that slot, which is gone, or
// about to be: a request, and what it slept for if C code ended it in its
// sleep, since nothing calls End then.
func Forget(slot uintptr) {
	if r := at(slot); r != nil {
		r.forget(slot)
	}
}

func (r *Record) forget(slot uintptr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owner == slot {
		r.owner = 0
	}
	if r.requests.slot == slot {
		r.clear()
	}
	if r.on && r.slot == slot {
		r.on, r.wait.Object, r.wait.Parker = false, nil, nil
	}
}

// Of returns what the thread with that slot sleeps for. It returns false if
// that does not sleep.
func Of(slot uintptr) (w Wait, ok bool) {
	if r := at(slot); r != nil {
		return r.Wait(slot)
	}
	return Wait{}, false
}

// record returns the record of the thread with that slot, nil if the thread has
// none.
func record(slot uintptr) *Record {
	row := ident.Row(slot)
	if row == 0 {
		return nil
	}
	c := &table[row>>chunkBits]
	if c.Load() == nil {
		c.CompareAndSwap(nil, new(chunk))
	}
	return &c.Load()[row&(1<<chunkBits-1)]
}

// at is record, but returns nil if the thread has never slept.
func at(slot uintptr) *Record {
	row := ident.Row(slot)
	if row == 0 {
		return nil
	}
	c := table[row>>chunkBits].Load()
	if c == nil {
		return nil
	}
	return &c[row&(1<<chunkBits-1)]
}
