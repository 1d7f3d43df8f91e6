package executor

import (
	"errors"
	"fmt"

	"example.com/thread/osthread"
)

// The errors of package osthread that this package returns as well.
var (
	ErrShutdown = osthread.ErrShutdown
	ErrTimeout  = osthread.ErrTimeout
	ErrDeadlock = osthread.ErrDeadlock
	ErrExit     = osthread.ErrExit
	ErrGoexit   = osthread.ErrGoexit
)

var (
	// ErrCancelled says that a future was cancelled: its function has not run
	// and will not (Python: CancelledError).
	ErrCancelled = errors.New("future is cancelled")
	// ErrBroken says that a pool is of no use any more since OnStart failed on
	// one of its threads (Python: BrokenThreadPool). The error that is
	// ErrBroken also is what OnStart returned or ended with.
	ErrBroken = errors.New("executor is broken")
	// ErrFull says that as many tasks wait as may.
	ErrFull = errors.New("backlog is full")
	// ErrInvalidState says that a promise has been kept before, or is not in the state
	// for what was asked (Python: InvalidStateError).
	ErrInvalidState = errors.New("future is in another state")
	// ErrInvalid says that an option or an argument is one that cannot be.
	ErrInvalid = errors.New("invalid argument")
)

// A PanicError is the result of a function that panicked.
type PanicError = osthread.PanicError

func invalid(format string, a ...any) error {
	return fmt.Errorf("executor: "+format+": %w", append(a, ErrInvalid)...)
}
