//go:build !unix

// Package interrupt sends a signal to a thread of the process.
package interrupt

import (
	"errors"
	"os"
)

// Thread returns an error that is errors.ErrUnsupported: this system has no
// call by which a process sends itself a signal.
func Thread(os.Signal, int) error { return errors.ErrUnsupported }
