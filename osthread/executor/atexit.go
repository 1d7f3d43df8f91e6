package executor

import (
	"sync"

	"example.com/thread/osthread"
)

// The end of the process (osthread.Shutdown) closes all workers and pools
// except those of daemons, and then waits for their threads, which finish the
// queued work first.

// atExit is the set of what the end of the process closes.
var atExit exitSet

type closer interface{ closeAtExit() }

type exitSet struct {
	mu      sync.Mutex
	exiting bool
	open    map[closer]struct{}
}

// AtShutdown calls the last registered function first, so this one is called
// after all that could still need a worker.
func init() {
	atExit.open = map[closer]struct{}{}
	_ = osthread.AtShutdown(atExit.closeAll) // Shutdown cannot have begun
}

// add returns ErrShutdown once the end of the process has begun. A daemon is
// not added.
func (s *exitSet) add(c closer, daemon bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exiting {
		return osthread.ErrShutdown
	}
	if !daemon {
		s.open[c] = struct{}{}
	}
	return nil
}

func (s *exitSet) remove(c closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *exitSet) closeAll() {
	s.mu.Lock()
	s.exiting = true
	all := make([]closer, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.closeAtExit()
	}
}
