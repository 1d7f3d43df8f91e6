//go:build !cgo || !linux || android

package main

import "math/rand/v2"

var systemCallers []caller

// aliens does nothing: no C code is there to make threads.
func (r *round) aliens([]use, *rand.Rand) {}
