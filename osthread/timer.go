package osthread

import (
	"errors"
	"sync/atomic"
	"time"
)

// One swap decides between the call of fn and the cancellation:
//
//	pending --the time has come--> fired
//	       \--Cancel--> canceled

const (
	pending int32 = iota
	fired
	canceled
)

// A Timer runs a function once, on a thread of its own, after a delay (Python:
// threading.Timer). It is a Thread: what the function returned is the result of
// Join, Attr applies, and WaitAny waits for its end. It comes from NewTimer.
//
// Where no thread is needed, time.AfterFunc costs less.
type Timer struct {
	*Thread
	interval time.Duration
	state    atomic.Int32
	cancel   Event
	finished Event
}

// NewTimer returns a timer that runs fn d after Start, unless it is cancelled;
// with d <= 0, at once. A nil fn does nothing. The timer is a daemon if attr
// says so or the calling thread is one.
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
// NewTimer's attr does not set the thread inherits from the process, not from
// the caller, whose namespaces, credentials or affinity may be temporary.
func (t *Timer) Start() error {
	if t.Thread == nil { // the goroutine below would panic
		panic(misuse("Timer.Start", errNoTimer))
	}
	started := make(chan error, 1)
	// A new goroutine is not locked to a thread with changed state.
	go func() { started <- t.Thread.Start() }()
	return <-started
}

var errNoTimer = errors.New("timer not from NewTimer")

// Cancel stops the timer, even before Start, and reports whether fn will not
// run. Once fn has begun it has no effect.
func (t *Timer) Cancel() bool {
	if t.state.CompareAndSwap(pending, canceled) {
		t.cancel.Set()
		t.finished.Set()
	}
	return t.state.Load() == canceled
}

// Interval returns the time between Start and the call of the function.
func (t *Timer) Interval() time.Duration { return t.interval }

// Finished returns an event that is set when the function has ended or the
// timer is cancelled.
func (t *Timer) Finished() *Event { return &t.finished }
