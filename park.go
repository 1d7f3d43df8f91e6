package thread

import (
	"context"
	"time"

	"example.com/thread/internal/park"
)

// Park waits for the calling thread's permit and consumes it (Java:
// LockSupport.park, Rust: thread::park). Unpark makes the permit available; a
// thread has at most one. There are no spurious wakeups. Park returns
// ErrNotAttached in a goroutine without a thread of its own.
//
// Unpark synchronizes before the return from the Park that consumes its permit.
func Park() error { return parkFor(park.Unlimited()) }

// ParkTimeout is Park for at most d; after that it returns ErrTimeout, and has
// consumed no permit.
func ParkTimeout(d time.Duration) error { return parkFor(park.For(d)) }

// ParkContext is Park until ctx is done; it then returns ctx's cause, and has
// consumed no permit.
func ParkContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return parkFor(l)
}

// parked is what a thread waits for in Park.
const parked = "Unpark"

func parkFor(l park.Limit) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	if t.permit.Park(l) != park.Unparked {
		return l.Err(ErrTimeout)
	}
	if l.Canceled() { // perhaps before Unpark
		t.permit.Unpark()
		return l.Err(nil)
	}
	return nil
}

// Unpark makes t's permit available, unless it is already, and wakes t from
// Park. On a thread that has ended it does nothing.
func (t *Thread) Unpark() { t.permit.Unpark() }
