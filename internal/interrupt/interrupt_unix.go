//go:build unix

// Package interrupt sends a signal to a thread of the process.
package interrupt

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// lastSignal is the highest signal number (SIGRTMAX of Linux).
const lastSignal = 64

// Thread sends sig to the thread with that native id, or where the system
// cannot, to the process. It does nothing if sig is ignored. The error is
// syscall.EINVAL for what is no signal, and errors.ErrUnsupported where the
// system has no such call.
func Thread(sig os.Signal, thread int) error {
	n, ok := sig.(syscall.Signal)
	if !ok || n < 1 || n > lastSignal {
		return fmt.Errorf("signal %v: %w", sig, syscall.EINVAL)
	}
	if signal.Ignored(n) {
		return nil
	}
	return send(n, thread)
}
