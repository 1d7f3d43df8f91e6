package osthread

import (
	"context"

	"example.com/thread"
	"example.com/thread/internal/park"
)

// A thread has a context from the first call of Context or Cancel on. Cancel
// and the end of the thread cancel it, and the first cause counts. Waits do not
// ask for it: a caller passes it to their Context shapes.

// An ownContext is the context of a thread.
type ownContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// newContext returns a child of parent that threads may cancel. It makes the
// channel at once, outside of bubbles of testing/synctest: a thread could not
// close one that was made in a bubble.
func newContext(parent context.Context) *ownContext {
	ctx, cancel := context.WithCancelCause(parent)
	onNoBubble(func() { ctx.Done() })
	return &ownContext{ctx, cancel}
}

// onNoBubble calls f, on a thread of its own if the caller is in a bubble:
// threads are in none. If no thread can be started the caller calls f.
func onNoBubble(f func()) {
	if park.InBubble() {
		if t, err := thread.Start(f, nil); err == nil {
			_ = t.Join() // f does not fail
			return
		}
	}
	f()
}

// Context returns the context of t, always the same one. It is done when t is
// canceled, with the cause that Cancel was given, and when t's function has
// ended, before destructors of Locals run, with the cause [ErrEnded]; that of
// the main thread, at the end of RunMain's function. That of a dummy (see
// Current) may stay until long after its thread. Context may be called before
// Start, and by any goroutine. A thread for which neither Context nor Cancel is
// called has no context and pays nothing for it.
func (t *Thread) Context() context.Context { return t.ownContext().Context }

// Cancel makes t's context done, with the given cause, or context.Canceled if
// that is nil. It does not stop t: a function that t runs ends early if it
// checks the context, or passes it to what it waits by. If t was canceled
// before, or has ended, Cancel does nothing. A thread that is canceled before
// Start runs with a context that is done.
//
// The main thread and dummies can be canceled like others. A pool's or a
// worker's thread that is canceled stays so for all of its later functions.
//
// POSIX: pthread_cancel, which ends the thread at its next cancellation point.
// That would skip the deferred calls of Go's frames.
func (t *Thread) Cancel(cause error) { t.ownContext().cancel(cause) }

func (t *Thread) ownContext() *ownContext {
	t.mu.Lock()
	c := t.ctx
	t.mu.Unlock()
	if c != nil {
		return c
	}
	c = newContext(context.Background())
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx == nil {
		t.ctx = c
		if t.state == ended {
			c.cancel(ErrEnded)
		}
	}
	return t.ctx
}
