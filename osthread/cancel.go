package osthread

import (
	"context"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/park"
	"example.com/thread/internal/waits"
)

// A thread has a context from the first call of Context or Cancel on. Cancel
// and the end of the thread cancel it, and the first cause counts.
//
// Cancel also asks the thread to end a wait (internal/waits), once, and makes
// the context done after that: a wait that ends since it was given the context
// takes the request with it. The thread ends the wait as it does after a
// timeout, so the primitives need nothing for it but to say how their calls
// return: by [park.Limit.Err], or by [park.Limit.Unwind] with a panic.
//
//	                    before its function  in its function     after it
//	Cancel              is noted             Ask                 nothing
//	the thread itself   asks itself if so    Take                drops the request
//
// Each column begins with a step of the thread under mu.

// An ownContext is the context of a thread.
type ownContext struct {
	context.Context
	cancel context.CancelCauseFunc
	asks   waits.Request // of Cancel; under the thread's mu
}

// newContext returns a child of parent that threads may cancel. It makes the
// channel at once, outside of bubbles of testing/synctest: a thread could not
// close one that was made in a bubble.
func newContext(parent context.Context) *ownContext {
	ctx, cancel := context.WithCancelCause(parent)
	onNoBubble(func() { ctx.Done() })
	return &ownContext{Context: ctx, cancel: cancel}
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

// Cancel cancels t: t's context is done with the given cause, context.Canceled
// if that is nil, and t's present wait in this module ends, or else its next
// one; see "Cancellation" in the description of the package. If t was canceled
// before, or has ended, Cancel does nothing. It does not wait for t to go on,
// but may wait until t has woken up.
//
// A thread that is canceled before Start runs, with a context that is done. A
// pool's or a worker's thread that is canceled stays so for all of its later
// functions.
//
// POSIX: pthread_cancel with deferred cancellation.
func (t *Thread) Cancel(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	own := t.ownContext()
	again := t.askToEndWait(cause, own)
	own.cancel(cause)
	if again != nil {
		again()
	}
}

// askToEndWait returns what waits.Ask does.
func (t *Thread) askToEndWait(cause error, own *ownContext) (again func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.canceled || t.state == ended {
		return nil
	}
	t.canceled = true
	own.asks = waits.Request{Cause: cause, Unwinds: t.origin != dummy, Settled: own.Done()}
	if t.waits || t.origin == dummy {
		return t.ask()
	}
	return nil
}

// ask asks t to end a wait. The caller has t.mu, and t cannot end before the
// unlock, unless C code ends its thread.
func (t *Thread) ask() (again func()) {
	if t.osThread == nil {
		return nil // a dummy of a thread without a record
	}
	return waits.Ask(keep.Slot(t.osThread), t.ctx.asks)
}

// beginWaits is called on t before its function: from now on Cancel asks.
func (t *Thread) beginWaits() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waits = true
	if t.canceled {
		_ = t.ask() // which rouses nobody: t is awake
	}
}

// endWaits drops the request after t's function. The caller has t.mu.
func (t *Thread) endWaits() {
	if t.canceled && t.osThread != nil {
		waits.Drop(keep.Slot(t.osThread))
	}
}

// Canceled returns the cause with which [Thread.Cancel] was called for the
// calling thread, if no wait has ended by it, and nil otherwise. That counts as
// if a wait had ended: later ones do not. It is for functions that notice by
// themselves, and then have to wait. (POSIX: pthread_testcancel; Java:
// Thread.interrupted.)
func Canceled() error { return waits.Take(false) }

// Uncanceled calls f. Meanwhile [Thread.Cancel] ends no wait of the calling
// thread; the next wait after f ends instead. (POSIX: pthread_setcancelstate.)
func Uncanceled(f func()) { waits.Hidden(f) }

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
