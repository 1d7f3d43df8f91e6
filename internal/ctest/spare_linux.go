//go:build cgo

package ctest

// spare has nothing to do: nothing is locked at a thread's end.
func spare() {}
