//go:build !linux

package park

import "runtime"

// yield lets other goroutines run: Go does not offer the system's own call
// here.
func yield() { runtime.Gosched() }
