package osthread

import (
	"errors"
	"sync/atomic"
	"time"
)

// Which of the two happens, fn's call or the cancellation, is decided by one
// swap:
//
//	pending --the time has come--> fired
//	       \--Cancel--> canceled

const (
	pending int32 = iota
	fired
	canceled
)

// A Timer runs a function once, on a thread of its own, after a while (Python:
// threading.Timer). It is a Thread: what the function returned is Join's
// result, Attr applies, and WaitAny waits for its end. It comes from NewTimer.
//
// Where no thread is needed, time.AfterFunc costs less.
type Timer struct {
	*Thread
	interval time.Duration
	state    atomic.Int32
	cancel   Event
	finished Event
}

// NewTimer returns a timer that, d after Start, runs fn, unless it is
// cancelled; d <= 0 is at once. A nil fn does nothing. The timer is a daemon if
// attr says so or the calling thread is one.
func NewTimer(d time.Duration, fn func() error, attr *Attr) *Timer {
	t := &Timer{interval: d, finished: Event{byThread: true}}
	t.Thread = newThread(func() error {
		defer t.finished.Set()
		if t.cancel.WaitTimeout(d) || fn == nil || !t.state.CompareAndSwap(pending, fired) {
			return nil
		}
		return fn()
	}, functionName(fn), attr)
	return t
}

// Start starts the timer, once; see Thread.Start for its errors. What
// NewTimer's attr does not set its thread has from the process, not from the
// caller, whose namespaces, credentials or affinity may be its own for the
// moment.
func (t *Timer) Start() error {
	if t.Thread == nil { // or the goroutine below would panic
		panic(misuse("Timer.Start", errNoTimer))
	}
	started := make(chan error, 1)
	go func() { started <- t.Thread.Start() }() // as executor's: no goroutine is locked to a thread with another state
	return <-started
}

var errNoTimer = errors.New("timer does not come from NewTimer")

// Cancel stops the timer, even before Start, and reports whether it came in
// time: fn will not run. Once fn has begun it does nothing.
func (t *Timer) Cancel() bool {
	if t.state.CompareAndSwap(pending, canceled) {
		t.cancel.Set()
		t.finished.Set()
	}
	return t.state.Load() == canceled
}

// Interval returns the time between Start and the call of the function.
func (t *Timer) Interval() time.Duration { return t.interval }

// Finished returns an event that is set when the function has ended, or the
// timer is cancelled.
func (t *Timer) Finished() *Event { return &t.finished }
