// Package caught makes the error of a panic that was recovered.
package caught

import (
	"example.com/thread"
	"example.com/thread/internal/keep"
)

// Panic returns the error for the panic with value v. It is called by the
// deferred function that recovered v, while the panic's frames are still on the
// stack.
func Panic(v any) *thread.PanicError { return keep.Recovered(v).(*thread.PanicError) }
