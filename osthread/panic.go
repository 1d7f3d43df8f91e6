package osthread

import (
	"example.com/thread/internal/panichook"
	"example.com/thread/osthread/internal/protect"
)

var panicHook = panichook.Hook[*Thread, *PanicError]{
	Default:   func(t *Thread, e *PanicError) { panichook.Print(t.Name(), e.Value, e.Stack) },
	Recovered: protect.Panicked,
}

// SetPanicHook sets the function that gets each panic that leaves the function
// of a thread or timer, a trace function, or an exit function. h is called on
// the panicking thread. nil stands for the default, which writes
//
//	Panic in thread NAME: VALUE
//
// and the stack to standard error. To have such a panic end the process, as it
// would in a goroutine:
//
//	osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) { go panic(e) })
//
// A panic of h itself is reported the default way.
func SetPanicHook(h func(t *Thread, e *PanicError)) { panicHook.Set(h) }

// PanicHook returns the hook that SetPanicHook has set, nil for the default, so
// that a new one can call it, or restore it.
func PanicHook() func(t *Thread, e *PanicError) { return panicHook.Get() }

// ReportPanic reports e as the panic of the calling thread's function: it calls
// the hook of SetPanicHook, or writes e to standard error. It is for code that
// calls functions of others on its threads and recovers their panics.
func ReportPanic(e *PanicError) { Current().report(e) }

func (t *Thread) report(e *PanicError) { panicHook.Report(t, e) }
