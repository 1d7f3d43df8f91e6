//go:build !plan9

package shared

import (
	"errors"
	"syscall"

	"example.com/thread"
	"example.com/thread/osthread"
)

// These are the errors of other packages that this one returns too.
var (
	ErrTimeout     = thread.ErrTimeout     // POSIX: ETIMEDOUT
	ErrDeadlock    = thread.ErrDeadlock    // POSIX: EDEADLK
	ErrNotAttached = thread.ErrNotAttached // a goroutine without a thread of its own
	ErrNotOwner    = osthread.ErrNotOwner  // POSIX: EPERM
	ErrCount       = osthread.ErrCount     // POSIX: EAGAIN
	ErrOverflow    = osthread.ErrOverflow  // POSIX: EOVERFLOW
	ErrUnsupported = errors.ErrUnsupported // POSIX: ENOTSUP
)

var (
	// ErrBusy says that an object could not be acquired without waiting.
	ErrBusy error = &posixError{"busy", syscall.EBUSY}
	// ErrOwnerDead says that the last owner of an object has died while it held
	// it. The caller holds it now, unless a method says otherwise, and what it
	// protects may be inconsistent.
	ErrOwnerDead error = &posixError{"owner died", errnoOwnerDead}
	// ErrNotRecoverable says that a robust object was unlocked after an owner's
	// death without Consistent. Only Init makes it usable again.
	ErrNotRecoverable error = &posixError{"state not recoverable", errnoNotRecoverable}
	// ErrInvalid says that attributes or arguments are invalid, or do not
	// combine.
	ErrInvalid error = &posixError{"invalid argument", syscall.EINVAL}
	// ErrCorrupt says that an object holds what no call could have left there.
	ErrCorrupt error = &posixError{"corrupt object", syscall.EBADMSG}
	// ErrLayout says that memory holds no segment or object, or one of another
	// version, word size or byte order.
	ErrLayout error = &posixError{"layout differs", syscall.EINVAL}
)

// A posixError has the number by which POSIX calls it, which may be the number
// of several: an object that is corrupt has invalid arguments.
type posixError struct {
	text  string
	errno syscall.Errno
}

func (e *posixError) Error() string { return e.text }

// Is reports whether err is the error's number.
func (e *posixError) Is(err error) bool { return err == error(e.errno) }

// A callError is err as the error of a call. Errors of other packages get the
// numbers by which POSIX calls them.
type callError struct {
	call string
	err  error
}

func (e *callError) Error() string { return "shared: " + e.call + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// Is reports whether err is the error's number.
func (e *callError) Is(err error) bool {
	switch errno, _ := err.(syscall.Errno); errno {
	case syscall.ETIMEDOUT:
		return e.err == ErrTimeout
	case syscall.EDEADLK:
		return e.err == ErrDeadlock
	case syscall.EPERM:
		return e.err == ErrNotOwner
	case syscall.EAGAIN:
		return e.err == ErrCount
	case syscall.EOVERFLOW:
		return e.err == ErrOverflow
	case syscall.ENOTSUP:
		return e.err == ErrUnsupported
	}
	return false
}

// failed returns err as the error of a call.
func failed(call string, err error) error { return &callError{call, err} }

// isLocked reports whether a lock that returned err holds its object.
func isLocked(err error) bool { return err == nil || errors.Is(err, ErrOwnerDead) }

// ownerDied returns ErrOwnerDead. What a thread did that has ended with a lock
// has no edge to the lock that finds that: the kernel clears what both read. So
// this reads the count that each thread of [thread.Start] writes at its end.
func ownerDied() error {
	_ = thread.NumThread()
	return ErrOwnerDead
}
