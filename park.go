package thread

import (
	"context"
	"time"

	"example.com/thread/internal/park"
)

// Park waits until the calling thread's permit is there, and takes it (Java:
// LockSupport.park, Rust: thread::park). The permit comes from Unpark, and
// there is at most one. It does not return for any other reason. It returns
// ErrNotAttached at once in a goroutine without a thread of its own.
//
// Unpark synchronizes before the return from the Park that takes its permit.
func Park() error { return parkFor(park.Forever()) }

// ParkTimeout is Park for at most d; past that it returns ErrTimeout and has
// taken no permit. d <= 0 never sleeps.
func ParkTimeout(d time.Duration) error { return parkFor(park.For(d)) }

// ParkContext is Park until ctx is done; it then returns ctx's cause and has
// taken no permit. If ctx is done already it does not look for the permit.
func ParkContext(ctx context.Context) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return parkFor(l)
}

func parkFor(l park.Limit) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	if t.permit.Park(l) != park.Unparked {
		return l.Err(ErrTimeout)
	}
	if l.Canceled() { // before the permit came, it may be
		t.permit.Unpark()
		return l.Err(nil)
	}
	return nil
}

// Unpark makes t's permit available, if it is not, and wakes t from Park. On a
// thread that has ended it does nothing.
func (t *Thread) Unpark() { t.permit.Unpark() }
