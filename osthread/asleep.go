package osthread

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"example.com/thread"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waits"
)

// What a thread sleeps for is recorded by internal/park, for every sleep of a
// caller that has a record of package thread: a thread from Start, a pool or a
// worker, an attached one, or one of C that has called this package. A caller
// that spins does not sleep yet.

// A Wait is one sleep of a thread.
type Wait struct {
	// Object is what the thread waits for: a *Lock, *RLock, *RWLock,
	// *Condition, *Event, *Semaphore, *Barrier, *Thread (Join), []Waitable,
	// *queue.Queue, *executor.Future, slice of futures, or *executor.Worker
	// (Call); a *thread.Lock or, for thread.Thread.Join, a *thread.Thread; or a
	// string: "main thread" (mainthread.Do), "Unpark" (thread.Park), "task" (an
	// idle thread of a pool), "call" (an idle worker), "signal"
	// (thread.Sigwait). It is nil if that is not
	// known. A thread that was notified of a Condition, and waits for L, waits
	// for L.
	Object any
	Since  time.Time // when the sleep began
	// Ends says that the wait ends by itself: it has a timeout or a context.
	Ends bool
}

// Waiting returns what t sleeps for in a call of this module. It returns false
// if t does not sleep there: it runs, spins, or is in a system call or a call
// of C. It also returns false for a thread that has no record of package thread
// (a dummy of a thread made by Go, and Main without RunMain or Attach), and for
// waits in channels and package sync, which Go's scheduler knows alone. The
// result may be stale by the time it is used.
func (t *Thread) Waiting() (w Wait, ok bool) {
	th := t.record()
	if th == nil {
		return Wait{}, false
	}
	sleep, ok := keep.Wait(th)
	if !ok {
		return Wait{}, false
	}
	asleep := time.Duration(futex.Now() - sleep.Since)
	return Wait{Object: sleep.Object, Since: time.Now().Add(-asleep), Ends: sleep.Ends}, true
}

// record returns the thread of package thread that t runs on, nil if there is
// none. That of Main may be attached without RunMain.
func (t *Thread) record() *thread.Thread {
	th := t.made()
	if th != nil || t.origin != first {
		return th
	}
	for _, th := range thread.Threads() {
		if th.Ident() == t.ident {
			return th
		}
	}
	return nil
}

// sleepsFor returns what t sleeps for, for String, or "". It does not say it of
// a thread that waits for another one, whose String could wait for this one's.
func (t *Thread) sleepsFor() string {
	w, ok := t.Waiting()
	if !ok {
		return ""
	}
	s := ", has waited for " + time.Since(w.Since).Round(time.Millisecond).String()
	switch o := w.Object.(type) {
	case nil:
		return s
	case *Thread:
		return s + " for " + o.describe() + ")"
	}
	if v := reflect.ValueOf(w.Object); v.Kind() == reflect.Slice {
		return s + fmt.Sprintf(" for %d objects", v.Len())
	}
	return s + " for " + waits.TextOf(w.Object)
}

func init() { waits.Requeued = requeued }

// requeued returns L for a waiter of a Condition that was notified and stands
// in L's queue, or was woken to lock L. An L of another package is not
// returned: to print it could read what others write.
func requeued(object any, parker unsafe.Pointer) any {
	c, ok := object.(*Condition)
	if !ok {
		return object
	}
	q := c.q.Load()
	q.Lock()
	defer q.Unlock()
	if wait.At(parker).InQueue() {
		return object
	}
	switch l := c.L.(type) {
	case *Lock, *RLock, *RWLock, *rlocker:
		return l
	default:
		return object
	}
}
