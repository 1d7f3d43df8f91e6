//go:build !plan9

package shared

import (
	"context"
	"time"
)

// A Once has the word of owner.go, for Go here and for C in csrc/ost_once.h,
// whose header has the states: free, owned by the runner, over once the
// function has returned. On Linux a runner that has died is replaced, as the
// owner of a robust mutex is.

const (
	onceMark    uint32 = 0x4f4e_0000
	onceAllowed        = attrShared
)

// A Once runs one function once, in all processes that share it. C code can use
// it, too, as the ost_once_t of csrc/ost_once.h (POSIX: pthread_once_t). The
// zero value is for one process, and no function has run. It must not be copied
// after first use.
//
// A runner that dies, in a process that is killed or on a thread that ends,
// leaves the Once as if it had not been called: then a function runs again,
// over what the dead one left. That is seen on Linux alone.
//
// In the terms of the Go memory model, the return of the function synchronizes
// before the return of any Do.
type Once struct {
	owner owner
	attr  attrs
	_     uint32
}

// Init makes o one whose function has not run. processShared says that
// processes share o. Nobody may use o meanwhile. Init returns ErrUnsupported if
// the system cannot share between processes.
func (o *Once) Init(processShared bool) error {
	flags, err := flagsFor(0, processShared)
	if err != nil {
		return failed("Once.Init", err)
	}
	o.attr.word.Store(onceMark | flags)
	o.owner.word.Store(0)
	return nil
}

// Do calls f, unless a function has run. If another call runs one, Do waits for
// its end. If f panics, or ends the goroutine, o is as if Do had not been
// called. A goroutine that has no thread of its own stays on its thread while f
// runs.
//
// Do returns nil once a function has run, ErrDeadlock if f calls it, and
// ErrCorrupt if the memory does not hold a Once.
//
// POSIX: pthread_once.
func (o *Once) Do(f func()) error { return o.do("Once.Do", f, forever()) }

// DoTimeout is Do that waits for another call for at most d; then it returns
// ErrTimeout.
func (o *Once) DoTimeout(d time.Duration, f func()) error {
	return o.do("Once.DoTimeout", f, within(d))
}

// DoContext is Do that waits for another call until ctx is done; then it
// returns ctx's cause. If a function has run it returns nil even then.
func (o *Once) DoContext(ctx context.Context, f func()) error {
	if o.Done() {
		return nil
	}
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return o.do("Once.DoContext", f, l)
}

// DoUntil is Do that waits for another call until d; then it returns
// ErrTimeout.
func (o *Once) DoUntil(d Deadline, f func()) error {
	if err := d.check(); err != nil {
		return failed("Once.DoUntil", err)
	}
	return o.do("Once.DoUntil", f, untilTime(d))
}

// Done reports whether a function has run.
func (o *Once) Done() bool { return isOver(o.owner.word.Load()) }

func (o *Once) do(call string, f func(), l limit) error {
	flags, err := o.attr.load(onceMark, onceAllowed)
	if err == nil && !o.Done() {
		err = o.run(flags, f, l)
	}
	if err == errEnded {
		return l.err(call)
	}
	return named(call, err)
}

// run runs f if it gets to own o.
func (o *Once) run(flags uint32, f func(), l limit) error {
	self, pinned := pinSelf(canRobust)
	defer unpin(pinned)
	if isOwner(o.owner.word.Load(), self) {
		return ErrDeadlock
	}
	robust := flags
	if canRobust {
		robust |= attrRobust
	}
	switch err := o.owner.lock(o, self, robust, l); err {
	case nil:
	case ErrOwnerDead:
		o.owner.word.And(^ownerInconsistent)
	case ErrNotRecoverable: // over
		return nil
	default:
		return err
	}
	returned := false
	defer func() {
		if returned {
			o.owner.finish(flags)
		} else {
			o.owner.unlock(flags)
		}
	}()
	f()
	returned = true
	return nil
}
