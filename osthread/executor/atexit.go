package executor

import (
	"sync"

	"example.com/thread/osthread"
)

// The end of the process (osthread.Shutdown) closes all workers, but those of daemons, and then waits for their threads, which do first what
// is queued.

// atExit are those that the end of the process closes.
var atExit exitSet

type closer interface{ closeAtExit() }

type exitSet struct {
	mu      sync.Mutex
	told    bool // osthread calls closeAll
	exiting bool
	open    map[closer]struct{}
}

// add returns ErrShutdown once the end of the process has begun, also for a daemon, which is not kept.
func (s *exitSet) add(c closer, daemon bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exiting {
		return osthread.ErrShutdown
	}
	if !s.told {
		if err := osthread.AtShutdown(s.closeAll); err != nil {
			return err
		}
		s.told = true
		s.open = map[closer]struct{}{}
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
