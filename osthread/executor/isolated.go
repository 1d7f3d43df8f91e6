package executor

import (
	"context"
	"fmt"
	"sync/atomic"

	"example.com/thread/osthread"
)

// No other code ever runs on an isolated thread. A native thread ends when its
// body does. Without native threads it is a goroutine that ends locked, and the
// runtime then ends its thread. The runtime does not start threads from a
// locked one either, so its state spreads nowhere.

// RunIsolated runs fn on a new thread that is never used again, waits until the
// thread is gone, and returns what fn returned, or how it ended; see
// osthread.Thread.Join. It is for kernel state that belongs to a thread and
// cannot be undone safely: network and mount namespaces (setns, unshare),
// credentials, seccomp filters. It is also for the children of Pdeathsig, which
// are signalled when the thread that started them ends, so that fn must wait
// for them. If no thread can be started it returns what thread.Start returns,
// or ErrShutdown after osthread.Shutdown, and fn does not run. A panic is
// reported to osthread's panic hook and returned as a *PanicError.
//
// The thread inherits from the caller's thread. Goroutines that fn starts run
// on other threads, without the state that fn has changed; so do the goroutines
// that package net starts. A nil fn does nothing.
func RunIsolated(fn func() error) error { return RunIsolatedAttr(nil, fn) }

// RunIsolatedAttr is RunIsolated on a thread with attributes; nil stands for
// the defaults. For a bad one it returns the error of thread.Start.
func RunIsolatedAttr(attr *osthread.Attr, fn func() error) error {
	return RunIsolatedContext(context.Background(), attr, fn)
}

// RunIsolatedContext is RunIsolatedAttr that waits until ctx is done; it then
// returns ctx's cause, and fn continues: let fn check ctx. If ctx is already
// done fn does not run.
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
