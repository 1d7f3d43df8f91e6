package executor

import (
	"context"
	"fmt"
	"sync/atomic"

	"example.com/thread/osthread"
)

// An isolated thread is never reused: a
// native one ends when its body does, and without native threads it is a
// goroutine that ends locked, and Go's runtime then ends its thread. Nor does
// the runtime make threads from one that is locked: its state goes nowhere
// else.

// RunIsolated runs fn on a fresh thread that is never used again, waits until
// it is gone, and returns what fn returned, or how it ended otherwise; see
// osthread.Thread.Join. It is for kernel state that belongs to a thread and
// cannot be taken back, or not safely: network and mount namespaces (setns,
// unshare), credentials, seccomp filters; and for the children of Pdeathsig,
// which get their signal when the thread that started them ends, so that fn
// must wait for them. It returns what thread.Start returns, and ErrShutdown
// after osthread.Shutdown, if there is no thread; fn has not run then. A panic
// goes to osthread's panic hook and is returned as a *PanicError.
//
// The thread begins with what it inherits from the caller's. Goroutines that fn
// starts run on other threads, without what fn has changed; so does what waits
// in package net for others of its own. A nil fn does nothing.
func RunIsolated(fn func() error) error { return RunIsolatedAttr(nil, fn) }

// RunIsolatedAttr is RunIsolated on a thread with attributes; nil asks for the
// defaults. A bad one is the error of thread.Start, and nothing is made.
func RunIsolatedAttr(attr *osthread.Attr, fn func() error) error {
	return RunIsolatedContext(context.Background(), attr, fn)
}

// RunIsolatedContext is RunIsolatedAttr that waits until ctx is done; it then
// returns ctx's cause, and fn goes on, with nobody to tell of its end: have it
// look at ctx. If ctx is done already fn does not run.
func RunIsolatedContext(ctx context.Context, attr *osthread.Attr, fn func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if attr == nil || attr.Name == "" {
		attr = cloneAttr(attr)
		attr.Name = fmt.Sprintf("isolated-%d", isolations.Add(1))
	}
	t := osthread.New(fn, attr)
	if err := t.Start(); err != nil {
		return err
	}
	return t.JoinContext(ctx)
}

var isolations atomic.Uint64 // numbers of names
