package osthread

import (
	"cmp"
	"context"
	"time"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
)

// Join waits until t has ended and is gone from the system's list of threads.
// It returns what t's function returned, or a *PanicError, ErrExit, ErrGoexit
// or ErrPthreadExit if the function did not return. Any number of callers may
// join, any number of times, and all get the same result. Join returns
// ErrNotStarted before Start has returned, ErrDeadlock on the calling thread
// itself, and ErrNotJoinable on a dummy (see Current). The main thread ends
// when RunMain's function does.
//
// What t did synchronizes before the return from Join.
func (t *Thread) Join() error { return t.join(park.Unlimited()) }

// TryJoin is JoinTimeout(0).
func (t *Thread) TryJoin() error { return t.JoinTimeout(0) }

// JoinTimeout is Join for at most d; past that it returns ErrTimeout. If t's
// function may return ErrTimeout itself, Alive distinguishes the two.
func (t *Thread) JoinTimeout(d time.Duration) error { return t.join(park.For(d)) }

// JoinContext is Join until ctx is done; it then returns ctx's cause.
func (t *Thread) JoinContext(ctx context.Context) error { return park.WithContext(ctx, t.join) }

// join waits for the thread below t, or if t is the main thread, which does not
// end, for the end of RunMain's function.
func (t *Thread) join(l park.Limit) error {
	t.mu.Lock()
	state, th := t.state, t.osThread
	t.mu.Unlock()
	switch {
	case t.origin == dummy:
		return ErrNotJoinable
	case state == initial || state == starting:
		return ErrNotStarted
	case state != ended && isSelf(t):
		return ErrDeadlock
	case t.origin == first:
		if !t.done.wait(t, &l) {
			return l.Err(ErrTimeout)
		}
		return t.result()
	}
	if state != ended && trace.Enabled() && !l.Expired() {
		defer trace.Block(t).Resume(false, nil)
	}
	joined, err := keep.Join(th, l, t)
	if !joined { // a Cancel is in err alone, even if t has ended since
		return err
	}
	t.endIfGone()
	return cmp.Or(t.result(), err)
}

// isSelf reports whether the caller runs on t, and not in a goroutine that only
// happens to be on t.
func isSelf(t *Thread) bool {
	if me, ok := self.Get(); ok {
		return me == t
	}
	// A goroutine attached to the first thread is locked to it, also one from
	// RunMain.
	return t.origin == first && thread.Self() == t.ident && thread.Current() != nil
}

func (t *Thread) result() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
