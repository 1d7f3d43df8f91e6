package thread

import (
	"errors"
	"fmt"
)

var (
	// ErrTimeout means that a wait has timed out. It has the method Timeout()
	// bool of net.Error.
	ErrTimeout error = timeoutError{}
	// ErrDeadlock means that a thread would join itself (POSIX: EDEADLK).
	ErrDeadlock = errors.New("thread: deadlock: thread would wait for itself")
	// ErrNotJoinable means that a thread was detached, or not made by Start
	// (POSIX: EINVAL).
	ErrNotJoinable = errors.New("thread: not joinable")
	// ErrNotAttached means that the calling goroutine has no thread of its own;
	// see [Attach].
	ErrNotAttached = errors.New("thread: goroutine has no thread of its own")
	// ErrEnded means that the thread has ended (POSIX: ESRCH).
	ErrEnded = errors.New("thread: thread has ended")
	// ErrNotInterruptible means that a thread is not in [Interruptible].
	ErrNotInterruptible = errors.New("thread: thread is not in Interruptible")
	// ErrStackSize means that no thread can have this stack size or guard size.
	ErrStackSize = errors.New("thread: invalid stack size")
	// ErrNotLocked means that a Lock was not locked (POSIX: EPERM). It is the
	// error of a panic only.
	ErrNotLocked = errors.New("lock is not locked")
)

// How a body that did not return has ended. Join returns one of these, or a
// *PanicError.
var (
	// ErrExit means that the body called Exit.
	ErrExit = errors.New("thread: body called Exit")
	// ErrGoexit means that the body called runtime.Goexit, as testing.T.FailNow
	// does.
	ErrGoexit = errors.New("thread: body called runtime.Goexit")
	// ErrPthreadExit means that C code ended the thread under its body, by
	// pthread_exit, on Windows ExitThread, or by pthread_cancel, which is
	// disabled unless C code enables it. The body's deferred calls did not run,
	// and some 17 KB are leaked. On Linux it is also the result of a thread
	// that ended by the system call exit, which Join notices within a second
	// and which leaks the stack.
	ErrPthreadExit = errors.New("thread: ended by C code")
)

type timeoutError struct{}

func (timeoutError) Error() string { return "thread: timeout" }

// Timeout reports true.
func (timeoutError) Timeout() bool { return true }

// misuse returns the panic value for an error of the program in call. It wraps
// err.
func misuse(call string, err error) error { return fmt.Errorf("thread: %s: %w", call, err) }
