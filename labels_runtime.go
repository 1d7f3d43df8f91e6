//go:build !portablepark

package thread

import "unsafe"

// A goroutine inherits the profiler labels of the one that starts it. That of a
// native thread comes from the runtime's store instead, so Start hands them on.
// The runtime keeps these names and types for others (golang/go#67401), and
// says so beside each.

//go:linkname profLabels runtime/pprof.runtime_getProfLabel
func profLabels() unsafe.Pointer

//go:linkname setProfLabels runtime/pprof.runtime_setProfLabel
func setProfLabels(labels unsafe.Pointer)
