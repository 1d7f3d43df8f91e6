package park

import (
	"context"
	"reflect"
	"time"

	"example.com/thread/internal/futex"
)

// A Limit bounds a wait: by a deadline, by a context, or not at all. The zero
// Limit has ended.
//
// A context is its caller's code, which may block, panic, call
// runtime.Goexit, or use the very object that it waits for. So it is asked
// before anything is queued and outside every guard, by [Until], and once more
// after all has been undone, by [Limit.Err]. Everything between asks the
// standard library alone: the context's channel, and the innermost cancelCtx
// below it, which context.WithCancel and its kin cancel in the same step.
type Limit struct {
	deadline int64           // of futex.Now; futex.Never for none
	ctx      context.Context // nil: none, or one that is never done
	done     <-chan struct{} // of ctx
	source   context.Context // the cancelCtx that done is of; nil: done is of another type
}

// Forever returns the limit that does not end a wait.
func Forever() Limit { return Limit{deadline: futex.Never} }

// For returns the limit d from now. With d <= 0 a wait does not sleep, and
// nothing asks the clock.
func For(d time.Duration) Limit {
	if d <= 0 {
		return Limit{}
	}
	return Limit{deadline: futex.After(d)}
}

// Until returns the limit that ends with ctx. If ctx is done it returns its
// cause.
func Until(ctx context.Context) (Limit, error) {
	if ctx.Err() != nil {
		return Limit{}, cause(ctx)
	}
	l := Forever()
	if done := ctx.Done(); done != nil {
		l.ctx, l.done = ctx, done
		// Of that type alone: whose Value returns a context for any key does
		// not get to run under a guard.
		c, ok := ctx.Value(cancelCtxKey).(context.Context)
		// Nor may others than the goroutines of a bubble ask its contexts.
		if ok && reflect.TypeOf(c) == cancelCtxType && c.Done() == done && !inBubble() {
			l.source = c
		}
	}
	return l, nil
}

// Never reports whether l is Forever.
func (l *Limit) Never() bool { return l.deadline == futex.Never && l.done == nil }

// Canceled reports whether l's context is done.
func (l *Limit) Canceled() bool { return l.done != nil && l.canceled() }

func (l *Limit) canceled() bool {
	if l.source != nil {
		return l.source.Err() != nil
	}
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// Source returns the context of package context whose Err tells anybody, under
// any guard, whether l is canceled; nil if there is none, and the waiter alone
// can tell.
func (l *Limit) Source() context.Context { return l.source }

// Context returns l's context, nil if it has none.
func (l *Limit) Context() context.Context { return l.ctx }

// Left returns how long it is until l's deadline, which it must have.
func (l *Limit) Left() time.Duration { return time.Duration(l.deadline - futex.Now()) }

// Expired reports whether a wait is not to sleep any more.
func (l *Limit) Expired() bool {
	return l.Canceled() || l.isLate()
}

// isLate reports whether l's deadline is over. The clock of a bubble may be
// before 0, which no deadline but that of a limit which has ended is.
func (l *Limit) isLate() bool {
	return l.deadline != futex.Never && (l.deadline == 0 || l.deadline <= futex.Now())
}

// Err returns the error of a wait that l has ended: the cause of its context,
// or timeout if it has none.
func (l *Limit) Err(timeout error) error {
	if l.ctx == nil {
		return timeout
	}
	return cause(l.ctx)
}

// cause is context.Cause that is never nil for a context that is done, or was.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return context.Canceled
}

// AfterDone arranges for f to be called in a goroutine of its own once l's
// context is done, and returns the function that takes that back.
func (l *Limit) AfterDone(f func()) (stop func() bool) {
	if l.source != nil {
		return context.AfterFunc(l.source, f)
	}
	return context.AfterFunc(bare{l.done}, f)
}

// Sleep is the function of that name until l's deadline. It does not look at
// the context.
func (l *Limit) Sleep(w *uint32, old uint32) futex.Result { return Sleep(w, old, l.deadline) }

// A bare is the context that is known by its channel alone.
type bare struct{ done <-chan struct{} }

func (bare) Deadline() (time.Time, bool) { return time.Time{}, false }
func (b bare) Done() <-chan struct{}     { return b.done }
func (bare) Value(any) any               { return nil }

func (b bare) Err() error {
	select {
	case <-b.done:
		return context.Canceled
	default:
		return nil
	}
}

// cancelCtxKey is the key for which a context returns its innermost cancelCtx.
// Package context keeps it to itself, but asks for it: here it asks a context
// that tells.
var cancelCtxKey = func() any {
	var t teller
	_ = context.Cause(&t)
	return t.key
}()

var cancelCtxType = func() reflect.Type {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return reflect.TypeOf(ctx)
}()

type teller struct {
	bare
	key any
}

func (*teller) Err() error { return context.Canceled }

func (t *teller) Value(key any) any {
	t.key = key
	return nil
}
