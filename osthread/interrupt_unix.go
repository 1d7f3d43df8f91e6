//go:build unix

package osthread

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// lastSignal is the highest signal there may be (SIGRTMAX of Linux).
const lastSignal = 64

// InterruptMain sends sig to the main thread, as if a user had (Python:
// interrupt_main): who asked for it by os/signal gets it, else what it does by
// default happens, which for os.Interrupt ends the process. It does not
// interrupt a wait. A signal that is ignored stays so. It returns an error that
// is syscall.EINVAL for what is no signal.
func InterruptMain(sig os.Signal) error {
	n, ok := sig.(syscall.Signal)
	if !ok || n < 1 || n > lastSignal {
		return fmt.Errorf("osthread: signal %v: %w", sig, syscall.EINVAL)
	}
	if signal.Ignored(n) {
		return nil
	}
	return signalMain(n)
}
