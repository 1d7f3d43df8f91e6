package osthread

import (
	"sync/atomic"
	"time"
)

// Which of the two happens, fn's call or the cancellation, is decided by one swap:
//
//	pending --the time has come--> fired
//	       \--Cancel--> canceled

const (
	pending int32 = iota
	fired
	canceled
)

// A Timer runs a function once, on a thread of its own, after a while (Python: threading.Timer). It is a Thread: what the function returned is Join's
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

// NewTimer returns a timer that, d after Start, runs fn, unless it is cancelled; d <= 0 is at once. A nil fn does nothing.
func NewTimer(d time.Duration, fn func() error, attr *Attr) *Timer {
	t := &Timer{interval: d}
	t.Thread = newThread(func() error {
		defer t.finished.Set()
		if t.cancel.WaitTimeout(d) || fn == nil || !t.state.CompareAndSwap(pending, fired) {
			return nil
		}
		return fn()
	}, functionName(fn), attr)
	return t
}

// Cancel stops the timer, also before Start, and reports whether it came in time: fn will not run. Once fn has begun it does nothing.
func (t *Timer) Cancel() bool {
	if t.state.CompareAndSwap(pending, canceled) {
		t.cancel.Set()
		t.finished.Set()
	}
	return t.state.Load() == canceled
}

// Interval returns the time between Start and the call of the function.
func (t *Timer) Interval() time.Duration { return t.interval }

// Finished returns an event that is set when the function has ended, or the timer is cancelled.
func (t *Timer) Finished() *Event { return &t.finished }
