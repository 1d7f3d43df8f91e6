package thread

import (
	"context"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
)

// Park waits until the calling thread's permit is there, and takes it (Java: LockSupport.park, Rust: thread::park). The permit comes from
// Unpark, and there is at most one. It does not return for any other reason. It returns ErrNotAttached at once in a goroutine without a thread of its own.
//
// Unpark synchronizes before the return from the Park that takes its permit.
func Park() error { return parkUntil(futex.Never, nil) }

// ParkTimeout is Park for at most d; past that it returns ErrTimeout and has taken no permit. d <= 0 never sleeps.
func ParkTimeout(d time.Duration) error { return parkUntil(futex.After(d), nil) }

// ParkContext is Park until ctx is done; it then returns ctx's cause and has taken no permit. If ctx is done already it does not look
// for the permit.
func ParkContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return parkUntil(futex.Never, ctx)
}

func parkUntil(deadline int64, ctx context.Context) error {
	t := Current()
	if t == nil {
		return ErrNotAttached
	}
	switch t.permit.Park(deadline, ctx) {
	case park.TimedOut:
		return ErrTimeout
	case park.Canceled:
		return context.Cause(ctx)
	default:
		return nil
	}
}

// Unpark makes t's permit available, if it is not, and wakes t from Park. On a thread that has ended it does nothing.
func (t *Thread) Unpark() { t.permit.Unpark() }
