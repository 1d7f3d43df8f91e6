package osthread

import (
	"errors"
	"fmt"

	"example.com/thread"
)

// These are the errors of package thread that this package returns too.
var (
	ErrTimeout     = thread.ErrTimeout
	ErrDeadlock    = thread.ErrDeadlock
	ErrNotJoinable = thread.ErrNotJoinable
	ErrNotLocked   = thread.ErrNotLocked
	ErrExit        = thread.ErrExit
	ErrEnded       = thread.ErrEnded
	ErrGoexit      = thread.ErrGoexit
	ErrPthreadExit = thread.ErrPthreadExit
)

var (
	// ErrNotOwner says that the calling thread does not hold a lock.
	ErrNotOwner = errors.New("lock not held by the calling thread")
	// ErrOverflow says that a semaphore was released more often than acquired.
	ErrOverflow = errors.New("released more often than acquired")
	// ErrCount says that a number of permits or parties, or the depth of an
	// RLock, is out of range.
	ErrCount = errors.New("count out of range")
	// ErrBroken says that a barrier is broken: by Abort or Reset, by a timeout
	// or a done context, or by its action.
	ErrBroken = errors.New("osthread: barrier broken")
	// ErrNotStarted says that a thread has not been started.
	ErrNotStarted = errors.New("osthread: thread not started")
	// ErrStarted says that a thread was started before.
	ErrStarted = errors.New("osthread: thread already started")
	// ErrMainBusy says that RunMain could not get the process's first thread.
	ErrMainBusy = errors.New("osthread: main thread busy")
	// ErrShutdown says that Shutdown, or that of a queue, pool or worker, has
	// begun or is over, or that a Group has been waited for.
	ErrShutdown = errors.New("osthread: shut down")
)

// misuse returns the error that a method panics with if it cannot return one.
func misuse(what string, err error) error { return fmt.Errorf("osthread: %s: %w", what, err) }

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
