package executor

import (
	"example.com/thread/internal/park"
	"example.com/thread/internal/waitfor"
)

// A wait without a limit for a thread of a pool or worker is an edge of the
// waits-for graph (internal/waitfor), which finds deadlocks: a wait for a task,
// for room in a backlog, for any of several tasks, for the end of a pool or of
// a thread.

// isOwn reports whether the caller is the thread that runs t.
func (t *task) isOwn() bool {
	return t.load() == Running && t.host != nil && waitfor.Here() == t.host
}

// servers appends the threads any one of which can complete t. It reports false
// if others can too, or t is done.
func (t *task) servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	switch t.load() {
	case Running:
		if t.host != nil {
			return append(threads, t.host), true
		}
	case Pending:
		if t.pool != nil {
			t.pool.guard.Lock()
			defer t.pool.guard.Unlock()
			return t.pool.servers(threads)
		}
	}
	return threads, false
}

// isNextTo reports whether t, like the last pending task that was checked, has
// not begun and is of the pool last: then the same threads can complete it.
func (t *task) isNextTo(last **pool) bool {
	if t.pool == nil || t.load() != Pending {
		return false
	}
	same := t.pool == *last
	*last = t.pool
	return same
}

// servers appends the threads that could take a task of p's that has not begun.
// It reports false if there may be others: threads that start, or could be
// started. The caller has the guard.
func (p *pool) servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	if p.threads < p.Threads || p.expected()+p.ending > 0 {
		return threads, false
	}
	return p.hosts(threads), true
}

// hosts appends p's threads. The caller has the guard.
func (p *pool) hosts(threads []*waitfor.Thread) []*waitfor.Thread {
	for _, m := range p.members {
		if m != nil {
			threads = append(threads, m.host)
		}
	}
	return threads
}

// A taskWait is the edge of a thread that waits for a task.
type taskWait task

// Servers is waitfor.Edge's.
func (w *taskWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	return (*task)(w).servers(threads)
}

// A roomWait is the edge of a thread that waits in Submit for room in the
// backlog.
type roomWait task

// Servers is waitfor.Edge's.
func (w *roomWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	p := w.pool
	p.guard.Lock()
	defer p.guard.Unlock()
	if w.where != waiting {
		return threads, false
	}
	return p.servers(threads)
}

// A hostWait is the edge of a thread that waits for the end of one, which ends
// only if it waits for nothing.
type hostWait waitfor.Thread

// Servers is waitfor.Edge's.
func (w *hostWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	return append(threads, (*waitfor.Thread)(w)), true
}

// An endWait is the edge of a thread that waits for a pool's end, and so for
// all of its threads. The edges of the graph mean any of several threads, so
// of a pool whose threads are blocked one by one, a free one hides the others;
// see blocksEnd.
type endWait pool

// Servers is waitfor.Edge's.
func (w *endWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	p := (*pool)(w)
	p.guard.Lock()
	defer p.guard.Unlock()
	if p.isOver() || p.reaping > 0 {
		return threads, false
	}
	return p.hosts(threads), true
}

// blocksEnd reports whether a thread of p's cannot end before the caller, the
// thread here, continues.
func (p *pool) blocksEnd(here *waitfor.Thread) bool {
	p.guard.Lock()
	hosts := p.hosts(nil)
	p.guard.Unlock()
	for _, h := range hosts {
		if !here.Ends((*hostWait)(h)) {
			return true
		}
	}
	return false
}

// deadlocks reports whether the caller, the thread here, would wait for itself.
// If not it adds the edge. Since it checks all tasks, a range that waits for
// each of many checks at the start and when few are left.
func (c *collector) deadlocks(here *waitfor.Thread, l *park.Limit) bool {
	c.guard.Lock()
	left := len(c.tasks) - len(c.order)
	c.guard.Unlock()
	if c.looked && left > few {
		return false
	}
	c.looked = true
	all := c.want == len(c.tasks) && !c.errs
	own := false
	var last *pool
	for _, t := range c.tasks {
		switch {
		case t == nil || t.isDone() || t.isNextTo(&last):
		case t.isOwn():
			own = true
		case all && l.Never() && !here.Ends((*taskWait)(t)):
			return true
		}
	}
	if own && (all || left == 1) {
		return l.Context() != nil || l.Never() // a timeout is no error
	}
	return l.Never() && !here.Wait((*collectorWait)(c))
}

const few = 16

// A collectorWait is the edge of a thread that waits for any of the tasks.
type collectorWait collector

// Servers is waitfor.Edge's. A task that is done and not in order yet has a
// note on its way, which may end the wait.
func (w *collectorWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	var last *pool
	done := 0
	for _, t := range w.tasks {
		switch {
		case t == nil || t.isDone():
			done++
			continue
		case t.isNextTo(&last):
			continue
		}
		var known bool
		if threads, known = t.servers(threads); !known {
			return threads, false
		}
	}
	c := (*collector)(w)
	c.guard.Lock()
	defer c.guard.Unlock()
	return threads, len(c.order) >= done && !c.enough()
}
