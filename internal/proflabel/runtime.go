//go:build !portablepark

// Package proflabel reads and sets the profiler labels of the calling goroutine
// (runtime/pprof).
//
// A goroutine inherits the labels of the goroutine that starts it. The
// goroutine of a native thread comes from a pool of the runtime's instead, so
// Start passes its own labels on.
package proflabel

import "unsafe"

// The runtime keeps these names and types stable for other packages
// (golang/go#67401), and says so beside each.

// Get returns the labels of the calling goroutine, nil for none.
//
//go:linkname Get runtime/pprof.runtime_getProfLabel
func Get() unsafe.Pointer

// Set sets the labels of the calling goroutine.
//
//go:linkname Set runtime/pprof.runtime_setProfLabel
func Set(labels unsafe.Pointer)
