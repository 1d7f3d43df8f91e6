//go:build !cgo || !linux || android

package main

import "time"

// inC has no C to call.
func inC() { time.Sleep(time.Microsecond) }
