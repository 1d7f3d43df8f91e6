// Package time has what the code under test uses of package time, on the
// explorer's clock.
package time

import (
	"time"

	"example.com/thread/verify/explore/sched"
)

// What is used as it is.
type (
	Duration = time.Duration
	Time     = time.Time
)

// The units.
const (
	Nanosecond  = time.Nanosecond
	Microsecond = time.Microsecond
	Millisecond = time.Millisecond
	Second      = time.Second
	Hour        = time.Hour
)

// A Timer is a time.Timer of AfterFunc.
type Timer struct {
	real *time.Timer
	stop func() bool
}

// AfterFunc calls f in d.
func AfterFunc(d Duration, f func()) *Timer {
	if !sched.On() {
		return &Timer{real: time.AfterFunc(d, f)}
	}
	return &Timer{stop: sched.After(int64(d), f)}
}

// Stop stops t, and reports whether it had not fired.
func (t *Timer) Stop() bool {
	if t.real != nil {
		return t.real.Stop()
	}
	return t.stop()
}

// Sleep sleeps for d.
func Sleep(d Duration) {
	if !sched.On() {
		time.Sleep(d)
		return
	}
	sched.Sleep(int64(d))
}
