//go:build !cgo || windows

package main

import (
	"errors"
	"fmt"
)

// recurseInC is not reached where threads with a stack size cannot be had, and
// elsewhere has no C to call.
func recurseInC(int) {}

func callFromC(int, func(int)) error {
	return fmt.Errorf("no C code in this build: %w", errors.ErrUnsupported)
}
