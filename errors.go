package thread

import (
	"errors"
	"fmt"
)

var (
	// ErrTimeout says that the time given ran out. It has the method Timeout()
	// bool of net.Error.
	ErrTimeout error = timeoutError{}
	// ErrDeadlock says that a thread would wait for itself (POSIX: EDEADLK).
	ErrDeadlock = errors.New("thread would wait for itself")
	// ErrNotJoinable says that a thread was detached, or not made by Start
	// (POSIX: EINVAL).
	ErrNotJoinable = errors.New("thread is not joinable")
	// ErrNotAttached says that the calling goroutine has no thread of its own;
	// see Attach.
	ErrNotAttached = errors.New("goroutine has no thread of its own")
	// ErrEnded says that the thread has ended (POSIX: ESRCH).
	ErrEnded = errors.New("thread has ended")
	// ErrStackSize says that a stack size, or a guard size, is one that no
	// thread can have.
	ErrStackSize = errors.New("invalid stack size")
	// ErrNotLocked says that a Lock was not locked (POSIX: EPERM).
	ErrNotLocked = errors.New("lock is not locked")
)

// How a body ended, where it did not return. Join returns one of these, or a
// *PanicError.
var (
	// ErrExit says that the body called Exit.
	ErrExit = errors.New("thread called Exit")
	// ErrGoexit says that the body called runtime.Goexit, as testing.T.FailNow
	// does.
	ErrGoexit = errors.New("thread called runtime.Goexit")
	// ErrPthreadExit says that C code ended the thread under its body, by
	// pthread_exit, on Windows ExitThread, or by cancellation. The body's
	// deferred calls did not run, and some 17 KB are leaked. On Linux it is also
	// the result of a thread that ended by the system call exit, which Join
	// notices within a second and which leaks the stack.
	ErrPthreadExit = errors.New("thread ended by C code")
)

type timeoutError struct{}

func (timeoutError) Error() string { return "time ran out" }

// Timeout reports true.
func (timeoutError) Timeout() bool { return true }

// misuse makes the value of a panic that only a change of the program avoids.
// It is an error that is err.
func misuse(call string, err error) error { return fmt.Errorf("thread: %s: %w", call, err) }
