package park

import (
	"context"
	"reflect"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/waits"
)

// A Limit bounds a wait: by a deadline, by a context, or not at all. The zero
// Limit has ended.
//
// A context is its caller's code, which may block, panic, call
// runtime.Goexit, or use the object that it waits for. So its methods are
// called only before the caller enqueues and outside every guard, by [Until],
// and once more after the wait has been undone, by [Limit.Err]. In between only
// the standard library is asked: the context's channel, and the innermost
// cancelCtx below it, which context.WithCancel and its variants cancel in the
// same step.
type Limit struct {
	deadline int64           // of futex.Now; futex.Never for none
	ctx      context.Context // nil: none, or one that is never done
	done     <-chan struct{} // of ctx
	source   context.Context // the cancelCtx that done belongs to; nil: it belongs to another type
	canceled onCancel
}

// An onCancel is what a request to end a wait of the calling thread
// (internal/waits) does to this one. Only the waiter takes the request, when it
// has undone the wait: by [Limit.Err] or [Limit.Unwind].
type onCancel uint8

const (
	goesOn  onCancel = iota // nothing: the wait is one of this module's own
	returns                 // it ends, and the call returns the cause
	unwinds                 // it ends, and the call panics: it returns no error
)

// Forever returns the limit that does not end a wait.
func Forever() Limit { return Limit{deadline: futex.Never} }

// Unlimited returns the limit that only a request to the calling thread ends.
func Unlimited() Limit { return Limit{deadline: futex.Never, canceled: returns} }

// For returns the limit d from now. With d <= 0 a wait does not sleep, and does
// not read the clock.
func For(d time.Duration) Limit {
	if d <= 0 {
		return Limit{}
	}
	return Limit{deadline: futex.After(d), canceled: returns}
}

// Until returns the limit that ends with ctx. If ctx is done it returns its
// cause.
func Until(ctx context.Context) (Limit, error) {
	if ctx.Err() != nil {
		l := Limit{ctx: ctx, canceled: returns}
		return Limit{}, l.Err(nil)
	}
	l := Unlimited()
	if done := ctx.Done(); done != nil {
		l.ctx, l.done = ctx, done
		// Of that type alone: a foreign context whose Value returns a context
		// for any key must not run under a guard.
		c, ok := ctx.Value(cancelCtxKey).(context.Context)
		// Only the goroutines of a bubble may ask its contexts.
		if ok && reflect.TypeOf(c) == cancelCtxType && c.Done() == done && !inBubble() {
			l.source = c
		}
	}
	return l, nil
}

// WithContext calls wait with the limit that ends with ctx. If ctx is done it
// returns its cause instead.
func WithContext(ctx context.Context, wait func(Limit) error) error {
	l, err := Until(ctx)
	if err != nil {
		return err
	}
	return wait(l)
}

// Unwinding returns l for a call that returns no error.
func (l Limit) Unwinding() Limit {
	if l.canceled == returns {
		l.canceled = unwinds
	}
	return l
}

// Unasked returns l for a wait that requests do not end.
func (l Limit) Unasked() Limit {
	l.canceled = goesOn
	return l
}

// Asked reports whether the calling thread, which is the waiter, is asked to
// end a wait, and l lets that be this one.
func (l *Limit) Asked() bool { return l.canceled != goesOn && waits.Asked(l.canceled == unwinds) }

// ending returns how a request ends a wait that l bounds: by rouse.
func (l *Limit) ending(rouse waits.Rouser) waits.Ending {
	if l.canceled == goesOn {
		return waits.Ending{}
	}
	return waits.Ending{Rouse: rouse, Unwinds: l.canceled == unwinds}
}

// askedBy is Asked for a waiter whose sleep r records.
func (l *Limit) askedBy(r *waits.Record) bool {
	return l.canceled != goesOn && r != nil && r.Asked(l.canceled == unwinds)
}

// NewCanceled returns what a call panics with that a request has ended. Package
// thread sets it.
var NewCanceled = func(cause error) any { return cause }

// Unwind is called when a wait has ended that l bounds. If a request has ended
// it, and the call returns no error, Unwind panics.
func (l *Limit) Unwind() {
	if l.canceled != unwinds {
		return
	}
	if cause := waits.Take(true); cause != nil {
		panic(NewCanceled(cause))
	}
}

// AtMost returns the limit that ends with l, or d from now if that is sooner.
func (l Limit) AtMost(d time.Duration) Limit {
	l.deadline = min(l.deadline, futex.After(d))
	return l
}

// Never reports whether l has no deadline and no context.
func (l *Limit) Never() bool { return l.deadline == futex.Never && l.done == nil }

// Canceled reports whether l's context is done.
func (l *Limit) Canceled() bool { return l.done != nil && l.isDone() }

func (l *Limit) isDone() bool {
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

// Source returns the context of package context whose Err any thread may call,
// under any guard, to ask whether l is canceled; nil if there is none, and only
// the waiter can ask.
func (l *Limit) Source() context.Context { return l.source }

// Context returns l's context, nil if it has none.
func (l *Limit) Context() context.Context { return l.ctx }

// HasDeadline reports whether l has a deadline.
func (l *Limit) HasDeadline() bool { return l.deadline != futex.Never }

// Left returns how long it is until l's deadline, which it must have.
func (l *Limit) Left() time.Duration { return time.Duration(l.deadline - futex.Now()) }

// Expired reports whether a wait must not sleep any longer.
func (l *Limit) Expired() bool {
	return l.Canceled() || l.isLate() || l.Asked()
}

// isLate reports whether l's deadline has passed. The clock of a bubble may be
// negative; a deadline of 0 has passed even there.
func (l *Limit) isLate() bool {
	return l.deadline != futex.Never && (l.deadline == 0 || l.deadline <= futex.Now())
}

// Err returns the error of a wait that l has ended: the cause of a request,
// which it takes, or of its context, or timeout if it has none.
func (l *Limit) Err(timeout error) error {
	if l.canceled == returns {
		if cause := waits.Take(false); cause != nil {
			return cause
		}
	}
	if l.ctx == nil {
		return timeout
	}
	return cause(l.ctx)
}

// cause is context.Cause, but not nil for a context that is done or was.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return context.Canceled
}

// AfterDone arranges for f to be called in a goroutine of its own once l's
// context is done. The function that it returns cancels that.
func (l *Limit) AfterDone(f func()) (stop func() bool) {
	if l.source != nil {
		return context.AfterFunc(l.source, f)
	}
	return context.AfterFunc(bare{l.done}, f)
}

// Sleep is the function Sleep until l's deadline. It ignores the context.
func (l *Limit) Sleep(w *uint32, old uint32) futex.Result { return Sleep(w, old, l.deadline) }

// A bare is a context known only by its channel.
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
// Package context does not export it, but passes it to Value: here to a context
// that records it.
var cancelCtxKey = func() any {
	var t keyRecorder
	_ = context.Cause(&t)
	return t.key
}()

var cancelCtxType = func() reflect.Type {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return reflect.TypeOf(ctx)
}()

type keyRecorder struct {
	bare
	key any
}

func (*keyRecorder) Err() error { return context.Canceled }

func (t *keyRecorder) Value(key any) any {
	t.key = key
	return nil
}
