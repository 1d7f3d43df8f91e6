package executor

import "example.com/thread/internal/wait"

// The end of the process closes all pools, but those of daemons, as it closes
// workers (atexit.go). A thread of a pool that ends meanwhile with work left,
// since its task panicked, is replaced only when it is gone. Before that
// osthread might see no thread at all, and stop new ones from starting. So from
// a thread's last step until its successor has started it holds the end of the
// process (wait.HoldExit), which osthread.Shutdown waits for as it does for
// threads.

// holdExit is the last that m's thread, which is about to end, does.
func (m *member) holdExit() {
	if !m.pool.Attr.Daemon { // nobody waits for a daemon
		m.letExit = wait.HoldExit()
	}
}

// releaseExit is the last of m's reaping.
func (m *member) releaseExit() {
	if m.letExit != nil { // neither a daemon nor ended by C code
		m.letExit()
	}
}

func (p *pool) closeAtExit() { p.close() }
