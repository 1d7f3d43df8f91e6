package thread

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
)

// A PanicError is what Join returns when a thread's body, or the destructor of
// a Key, panicked.
type PanicError struct {
	Value  any    // of the panic
	Stack  []byte // of the thread at the panic, as debug.Stack formats it
	Thread string // the thread's name, "" if it had none
}

// newPanicError is called by the deferred function that recovered v, while the
// panic's frames still stand.
func newPanicError(v any) *PanicError {
	e := &PanicError{Value: v, Stack: debug.Stack()}
	if t := Current(); t != nil {
		e.Thread = t.Name()
	}
	return e
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

var panicHook atomic.Pointer[func(*Thread, *PanicError)]

// SetPanicHook makes h get each panic that leaves the body of a thread made by
// Start, or a Key's destructor, on that thread, just before it ends. nil stands
// for the default, which writes
//
//	Panic in thread NAME: VALUE
//
// and the stack to standard error, with the native id for a thread without a
// name. To have such a panic end the process, as it would in a goroutine:
//
//	thread.SetPanicHook(func(_ *thread.Thread, e *thread.PanicError) { go panic(e) })
//
// A panic of h itself is reported the default way. Panics of functions that
// package osthread runs do not leave a body here: osthread.SetPanicHook is for
// those.
func SetPanicHook(h func(t *Thread, e *PanicError)) {
	if h == nil {
		panicHook.Store(nil)
		return
	}
	panicHook.Store(&h)
}

// PanicHook returns the hook that SetPanicHook has set, nil for the default, so
// that a new one can call it, or put it back.
func PanicHook() func(t *Thread, e *PanicError) {
	if h := panicHook.Load(); h != nil {
		return *h
	}
	return nil
}

// report gives end to the hook if it is a panic.
func (t *Thread) report(end error) {
	e, ok := end.(*PanicError)
	if !ok {
		return
	}
	h := panicHook.Load()
	if h == nil {
		t.printPanic(e)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			t.printPanic(e)
			t.printPanic(newPanicError(v))
		}
	}()
	(*h)(t, e)
}

// printPanic writes in one call, so that the reports of two threads do not mix.
func (t *Thread) printPanic(e *PanicError) {
	name := t.Name()
	if name == "" {
		name = strconv.Itoa(t.nativeID)
	}
	fmt.Fprintf(os.Stderr, "Panic in thread %s: %v\n%s", name, e.Value, e.Stack)
}

// firstOf returns what happened first, if anything did.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
