package executor

import (
	"example.com/thread/internal/wait"
	"example.com/thread/osthread"
)

// The end of the process closes all pools, but those of daemons, as it closes
// workers (atexit.go). A thread of a pool that ends meanwhile with work left,
// since its task panicked, or C code has ended it, is replaced only when it is
// gone. Before that osthread might see no thread at all, and stop new ones from
// starting. So every thread holds the end of the process (wait.HoldExit) until
// its successor has started: osthread.Shutdown waits for it till then.

// holdExit is called before m's thread, t, is started.
func (m *member) holdExit(t *osthread.Thread) {
	if !m.pool.Attr.Daemon { // nobody waits for a daemon
		m.letExit = wait.HoldExit(t)
	}
}

// releaseExit is the last of m's reaping. It may be called again.
func (m *member) releaseExit() {
	if m.letExit != nil {
		m.letExit()
		m.letExit = nil
	}
}

func (p *pool) closeAtExit() { p.close() }
