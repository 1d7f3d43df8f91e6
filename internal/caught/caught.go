// Package caught makes the error of a panic that was recovered.
package caught

import (
	"runtime/debug"

	"example.com/thread"
)

// Panic returns the error for the panic with value v. It is called by the
// deferred function that recovered v, while the panic's frames still stand.
func Panic(v any) *thread.PanicError {
	e := &thread.PanicError{Value: v, Stack: debug.Stack()}
	if t := thread.Current(); t != nil {
		e.Thread = t.Name()
	}
	return e
}
