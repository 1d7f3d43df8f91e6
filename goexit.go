package thread

import (
	"runtime"
	"slices"

	"example.com/thread/internal/fault"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/stranded"
)

// A Goexit cannot be recovered: the runtime resumes it after any recover. On a
// thread of C it would reach the call from C, which has "no Go caller to return
// to", and the runtime would abort the process. So the last deferred function
// of that call does not return. It ends the thread below Go: see leave.

// How a thread's part in Go ended, as bits; a value that is returned to C.
const (
	endDetach = 1 << iota // nobody is going to join it, so it detaches itself
	endLeave              // frames of Go are on its stack: its M must not be reused
)

// leave ends the calling thread of C, whose goroutine is in Goexit, below Go.
// It does not return, so the runtime never reaches the point where it would
// abort the process. The thread ends like any other. Its M and its goroutine
// are leaked, with everything that the functions on the stack refer to.
func leave(back uintptr, how int) {
	stranded.Threads.Add(1)
	osLeave(back, how)
}

// outcome distinguishes Exit from the Goexit that it is made of.
func (t *Thread) outcome(end error) error {
	if end == ErrGoexit && t.exiting {
		return ErrExit
	}
	return end
}

func init() {
	keep.Ending = func() error {
		if t := Current(); t != nil {
			return t.outcome(ErrGoexit)
		}
		return ErrGoexit
	}
}

// The misuses of Exit.
var (
	errNoThread   = fault.New("goroutine has no thread of its own", ErrNotAttached)
	errNotStarted = fault.New("thread was not made by Start", ErrNotAttached)
)

// Exit ends the calling thread after its deferred calls have run; Join then
// returns ErrExit. A recover does not stop it. The thread must have been made
// by Start, else Exit panics with an error that is ErrNotAttached, and Exit
// must be called in the body's own goroutine. On a native thread it leaks some
// 17 KB, which a return from the body does not.
func Exit() {
	t := Current()
	switch {
	case t == nil:
		panic(misuse("Exit", errNoThread))
	case !t.fromStart():
		panic(misuse("Exit", errNotStarted))
	}
	t.exiting = true
	runtime.Goexit()
}

// onlyCallByC reports whether the innermost call from C is all that is on the
// thread's stack of Go functions.
func onlyCallByC() bool {
	pcs := make([]uintptr, 64) // the call is a dozen functions away
	pcs = pcs[:runtime.Callers(0, pcs)]
	if entry := entryPC.Load(); entry != 0 {
		if i := slices.Index(pcs, entry); i >= 0 {
			return i+2 == len(pcs) && pcs[i+1] == goexitPC.Load()
		}
	}
	frames := runtime.CallersFrames(pcs)
	for f, more := frames.Next(); more; f, more = frames.Next() {
		if f.Function == "runtime.cgocallback" {
			f, more = frames.Next()
			return f.Function == "runtime.goexit" && !more
		}
	}
	return false
}
