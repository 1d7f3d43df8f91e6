package osthread

import (
	"fmt"
	"os"

	"example.com/thread/internal/interrupt"
)

// InterruptMain sends sig to the main thread, as if a user had sent it
// (Python: interrupt_main). The channels of os/signal.Notify get it; without
// one its default action happens, which for os.Interrupt ends the process. It
// does not interrupt a wait, and a signal that is ignored has no effect. It
// returns an error that is syscall.EINVAL if sig is not a signal, or on Linux
// one that [thread.Thread.Signal] does not send, and errors.ErrUnsupported
// where the system has no call for it (Windows).
func InterruptMain(sig os.Signal) error {
	if err := interrupt.Thread(sig, mainThread.native); err != nil {
		return fmt.Errorf("osthread: InterruptMain: %w", err)
	}
	return nil
}
