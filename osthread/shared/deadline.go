//go:build !plan9

package shared

import (
	"fmt"
	"math"
	"time"
)

// A Clock is one of the system's clocks (POSIX: clockid_t).
type Clock int

const (
	// Monotonic does not jump (CLOCK_MONOTONIC). It may stand still while the
	// machine sleeps.
	Monotonic Clock = iota
	// Realtime is the time of day, which can be set (CLOCK_REALTIME).
	Realtime
	// Boottime is Monotonic that counts on while the machine sleeps
	// (CLOCK_BOOTTIME). It is supported on Linux.
	Boottime
)

// String returns the clock's name.
func (c Clock) String() string {
	switch c {
	case Monotonic:
		return "monotonic"
	case Realtime:
		return "realtime"
	case Boottime:
		return "boottime"
	}
	return fmt.Sprintf("Clock(%d)", int(c))
}

// Now returns the clock's time since its zero, which for Realtime is 1970. It
// returns an error that is [ErrUnsupported] if the system has no such clock,
// and [ErrInvalid] if c is none.
func (c Clock) Now() (time.Duration, error) {
	if c < Monotonic || c > Boottime {
		return 0, failed("Clock.Now", ErrInvalid)
	}
	if c == Realtime {
		return time.Duration(time.Now().UnixNano()), nil
	}
	return c.read()
}

// A Deadline is a time of a clock at which a wait ends. The zero Deadline has
// passed.
//
// A jump of the clock is noticed within a tenth of a second: a wait until a
// time of Realtime also ends if the clock is set to that time.
type Deadline struct {
	Clock Clock
	At    time.Duration // since the clock's zero
}

// After returns the deadline d from now by the clock. If the system has no such
// clock the deadline has passed, and waits with it say why.
func (c Clock) After(d time.Duration) Deadline {
	now, err := c.Now()
	if err != nil {
		return Deadline{Clock: c}
	}
	if d > 0 && now > math.MaxInt64-d {
		return Deadline{c, math.MaxInt64}
	}
	return Deadline{c, now + d}
}

// At returns the deadline t of Realtime, which is in the years 1678 to 2262, or
// else the first or last that there is.
func At(t time.Time) Deadline {
	const second = int64(time.Second)
	switch s := t.Unix(); {
	case s <= math.MinInt64/second:
		return Deadline{Realtime, math.MinInt64}
	case s >= math.MaxInt64/second:
		return Deadline{Realtime, math.MaxInt64}
	}
	return Deadline{Realtime, time.Duration(t.UnixNano())}
}

// check returns an error if a wait cannot have the deadline.
func (d Deadline) check() error {
	_, err := d.Clock.Now()
	return err
}

// left returns the time until d, 0 once that has passed.
func (d Deadline) left() time.Duration {
	now, err := d.Clock.Now()
	if err != nil || d.At <= now {
		return 0
	}
	return d.At - now
}
