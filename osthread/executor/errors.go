package executor

import (
	"errors"
	"fmt"

	"example.com/thread/internal/fault"
	"example.com/thread/osthread"
)

// These are the errors of package osthread that this package returns too.
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
	ErrCancelled = errors.New("executor: future cancelled")
	// ErrBroken says that a pool is unusable since OnStart failed on one of its
	// threads (Python: BrokenThreadPool). The error that is ErrBroken also is
	// what OnStart returned or ended with.
	ErrBroken = errors.New("executor: broken")
	// ErrFull says that the backlog is full.
	ErrFull = errors.New("executor: backlog full")
	// ErrInvalidState says that a promise was kept before, or that its future is
	// not in the state that the call requires (Python: InvalidStateError).
	ErrInvalidState = errors.New("executor: invalid future state")
	// ErrInvalid says that an option or an argument is out of range.
	ErrInvalid = errors.New("invalid argument")
	// ErrBusy says that a worker is not waiting for work.
	ErrBusy = errors.New("executor: worker busy")
	// ErrRunning comes with the error of a call whose caller gave up while its
	// function ran. The function continues, and its result is lost.
	ErrRunning = errors.New("function still running")
	// ErrNotOwner says that the caller is not on the worker's thread. It is
	// osthread.ErrNotOwner.
	ErrNotOwner = fault.New("executor: caller not on the worker's thread", osthread.ErrNotOwner)
)

// A PanicError is the result of a function that panicked.
type PanicError = osthread.PanicError

func invalid(format string, a ...any) error {
	return fmt.Errorf("executor: "+format+": %w", append(a, ErrInvalid)...)
}
