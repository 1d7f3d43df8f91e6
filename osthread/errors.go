package osthread

import (
	"errors"
	"fmt"

	"example.com/thread"
)

// The errors of package thread that this package returns as well. ErrExit is
// what thread.Exit ends a thread with.
var (
	ErrTimeout     = thread.ErrTimeout
	ErrDeadlock    = thread.ErrDeadlock
	ErrNotJoinable = thread.ErrNotJoinable
	ErrNotLocked   = thread.ErrNotLocked
	ErrExit        = thread.ErrExit
	ErrGoexit      = thread.ErrGoexit
	ErrPthreadExit = thread.ErrPthreadExit
)

var (
	// ErrNotOwner says that a lock is not held by the calling thread.
	ErrNotOwner = errors.New("lock is not held by the calling thread")
	// ErrOverflow says that more was given back than was taken.
	ErrOverflow = errors.New("released more often than acquired")
	// ErrCount says that a number is out of range: of permits, of parties.
	ErrCount = errors.New("count out of range")
	// ErrBroken says that a barrier is broken: by Abort or Reset, by a time-out
	// or a done context, or by its action.
	ErrBroken = errors.New("barrier broken")
	// ErrNotStarted says that a thread has not been started.
	ErrNotStarted = errors.New("thread is not started")
	// ErrStarted says that a thread has been started before.
	ErrStarted = errors.New("thread was started before")
	// ErrMainBusy says that the process's first thread is not to be had.
	ErrMainBusy = errors.New("main thread is busy")
	// ErrShutdown says that Shutdown is over, or has begun.
	ErrShutdown = errors.New("shut down")
)

// misuse returns what a method that cannot return an error panics with.
func misuse(what string, err error) error { return fmt.Errorf("osthread: %s: %w", what, err) }

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
