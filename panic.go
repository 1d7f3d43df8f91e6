package thread

import (
	"fmt"
	"runtime/debug"
	"strconv"

	"example.com/thread/internal/keep"
	"example.com/thread/internal/panichook"
	"example.com/thread/internal/park"
)

// A PanicError is what Join returns when a thread's body, or the destructor of
// a Key, panicked.
type PanicError struct {
	Value  any    // of the panic
	Stack  []byte // of the thread at the panic, as debug.Stack formats it
	Thread string // the thread's name, "" if it had none
}

// newPanicError returns the error for the panic with value v. It is called by
// the deferred function that recovered v, while the panic's frames are still on
// the stack.
func newPanicError(v any) *PanicError {
	e := &PanicError{Value: v, Stack: debug.Stack()}
	if t := Current(); t != nil {
		e.Thread = t.Name()
	}
	return e
}

// A CanceledError is what a call panics with that returns no error, if
// osthread.Thread.Cancel has ended its wait.
type CanceledError struct{ Cause error }

// Error returns the cause.
func (e *CanceledError) Error() string { return "thread canceled: " + e.Cause.Error() }

// Unwrap returns Cause.
func (e *CanceledError) Unwrap() error { return e.Cause }

func init() {
	keep.Recovered = recovered
	keep.Panicked = func(v any) error { return newPanicError(v) }
	park.NewCanceled = func(cause error) any { return &CanceledError{cause} }
}

// recovered returns the error of a function that has panicked with v: a
// *PanicError, or the cause if it was canceled.
func recovered(v any) error {
	if c, ok := v.(*CanceledError); ok {
		return c.Cause
	}
	return newPanicError(v)
}

// Error returns the thread's name, if it had one, and the panic's value,
// without the stack: panic in thread "NAME": VALUE.
func (e *PanicError) Error() string {
	if e.Thread == "" {
		return fmt.Sprintf("panic in thread: %v", e.Value)
	}
	return fmt.Sprintf("panic in thread %q: %v", e.Thread, e.Value)
}

// Unwrap returns Value if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

var panicHook = panichook.Hook[*Thread, *PanicError]{
	Default:   func(t *Thread, e *PanicError) { panichook.Print(t.label(), e.Value, e.Stack) },
	Recovered: newPanicError,
}

// SetPanicHook sets the function that gets each panic that leaves the body of a
// thread made by Start, or a Key's destructor. h is called on that thread, just
// before it ends. nil stands for the default, which writes
//
//	Panic in thread NAME: VALUE
//
// and the stack to standard error, with the native id for a thread without a
// name. To have such a panic end the process, as it would in a goroutine:
//
//	thread.SetPanicHook(func(_ *thread.Thread, e *thread.PanicError) { go panic(e) })
//
// A panic of h itself is reported the default way. Panics of functions that
// package osthread runs do not leave a body of this package: they are reported
// to osthread.SetPanicHook.
func SetPanicHook(h func(t *Thread, e *PanicError)) { panicHook.Set(h) }

// PanicHook returns the hook that SetPanicHook has set, nil for the default, so
// that a new one can call it, or restore it.
func PanicHook() func(t *Thread, e *PanicError) { return panicHook.Get() }

// report passes end to the hook if it is a panic.
func (t *Thread) report(end error) {
	if e, ok := end.(*PanicError); ok {
		panicHook.Report(t, e)
	}
}

// label returns t's name, or its native id if it has none.
func (t *Thread) label() string {
	if name := t.Name(); name != "" {
		return name
	}
	return strconv.Itoa(t.nativeID)
}
