package watch

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// toStderr is the hook of the start.
var toStderr = func(i Inversion) { i.Write(os.Stderr) }

func init() { SetOrderHook(toStderr) }

// Write writes i for a person. Errors of w are ignored.
func (i Inversion) Write(w io.Writer) {
	fmt.Fprintf(w, "WARNING: locks are acquired in different orders, which can deadlock\n")
	for _, s := range i.Steps {
		fmt.Fprintf(w, "\ngoroutine %d locked %v at\n", s.Goid, s.Held)
		writeStack(w, s.HeldAt)
		fmt.Fprintf(w, "and then wanted %v at\n", s.Wanted)
		writeStack(w, s.WantedAt)
	}
	fmt.Fprintln(w)
}

// String returns the type and address of the lock, and its name if it has one.
func (o Object) String() string {
	if o.Name == "" {
		return o.Value
	}
	return fmt.Sprintf("%s %q", o.Value, o.Name)
}

func writeStack(w io.Writer, pcs []uintptr) {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" {
			fmt.Fprintf(w, "    %s\n        %s:%d\n", f.Function, f.File, f.Line)
		}
		if !more {
			return
		}
	}
}
