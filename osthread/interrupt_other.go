//go:build !unix

package osthread

import (
	"errors"
	"fmt"
	"os"
)

// InterruptMain sends a signal to the main thread. This system has no call that
// sends one to a process by itself, so it returns an error that is
// errors.ErrUnsupported.
func InterruptMain(os.Signal) error {
	return fmt.Errorf("osthread: InterruptMain: %w", errors.ErrUnsupported)
}
