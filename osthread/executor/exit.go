package executor

import (
	"example.com/thread/internal/wait"
	"example.com/thread/osthread"
)

// A thread of a pool that ends with work left, since its task panicked or C
// code ended it, is replaced only when it is gone. Between the two the end of
// the process might find no thread at all and stop new ones from starting. So
// every thread has a hold (wait.HoldExit), which osthread.Shutdown waits for
// until the successor has started.

// holdExit is called before m's thread, t, is started.
func (m *member) holdExit(t *osthread.Thread) {
	if !m.pool.Attr.Daemon { // Shutdown does not wait for a daemon
		m.releaseHold = wait.HoldExit(t)
	}
}

// releaseExit is the last step of m's reaping. It may be called again.
func (m *member) releaseExit() {
	if m.releaseHold != nil {
		m.releaseHold()
		m.releaseHold = nil
	}
}

func (p *pool) closeAtExit() { p.close() }
