//go:build !linux

package park

import "runtime"

// yield lets other goroutines run: the system's own call is not one that Go
// offers here.
func yield() { runtime.Gosched() }
