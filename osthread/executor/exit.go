package executor

import (
	"sync"

	"example.com/thread/osthread"
)

// The end of the process closes all pools, but those of daemons, as it closes workers (atexit.go). A thread of a pool that ends meanwhile with work
// left, since its task panicked, is replaced only when it is gone. Before that osthread might see no thread at all, and stop new ones from starting.
// So between a thread's last step and its burial there is an exit function, settle, which waits until no thread is in between; and after exit
// functions osthread looks for threads once more. One settle is enough for all, and it is known under mu: a thread that comes before settle forgets
// that there is one is waited for by that; one that comes after leaves a new one.

var burials struct {
	mu      sync.Mutex
	zero    sync.Cond // on mu
	n       int       // threads between their last step and their burial
	settles bool      // osthread has a settle to call
}

func init() { burials.zero.L = &burials.mu }

func settle() {
	burials.mu.Lock()
	defer burials.mu.Unlock()
	burials.settles = false
	for burials.n > 0 {
		burials.zero.Wait()
	}
}

// holdExit is the last that m's thread, which is about to end, does.
func (m *member) holdExit() {
	if m.pool.Attr.Daemon { // nobody waits for it
		return
	}
	burials.mu.Lock()
	defer burials.mu.Unlock()
	m.holds = true
	burials.n++
	if !burials.settles {
		burials.settles = osthread.AtExit(settle) == nil // it cannot fail: this thread is waited for first
	}
}

// letExit is the last of m's burial.
func (m *member) letExit() {
	if !m.holds { // a daemon, or ended by C code
		return
	}
	burials.mu.Lock()
	defer burials.mu.Unlock()
	if burials.n--; burials.n == 0 {
		burials.zero.Broadcast()
	}
}

func (p *pool) closeAtExit() { p.close() }
