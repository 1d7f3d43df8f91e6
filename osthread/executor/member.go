package executor

import (
	"fmt"

	"example.com/thread/internal/list"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread"
)

// A member's thread and its supervisor, the goroutine that starts and joins it,
// never run at the same time. What is not under the pool's guard belongs to the
// supervisor before Start, to the thread until its end, and to the supervisor
// again after Join; Start and Join order it. Only the supervisor removes a
// member, in reap or startFailed, when the thread is gone for certain. See
// pool.go for the states.

// A member is a thread of a pool.
type member struct {
	list.Links[member] // in pool.idle

	pool   *pool
	number int
	begun  chan error // what Start has returned
	host   *waitfor.Thread

	// Of the thread; of the supervisor before Start and after Join.
	node      *wait.Node
	task      *task // that it runs
	started   bool  // OnStart has returned nil
	returning bool  // it counts in pool.returning

	releaseHold func() // of the supervisor; see holdExit

	// Under pool.guard.
	thread   *osthread.Thread
	expected bool // it counts in pool.starting
	ending   bool // it counts in pool.ending
	isIdle   bool // it is in pool.idle
	given    *task
}

// addWorker registers one more thread, which the caller starts after releasing
// the guard.
func (p *pool) addWorker() *member {
	m := &member{pool: p, begun: make(chan error, 1), expected: true, host: &waitfor.Thread{Owner: p}}
	p.threads++
	p.starting++
	for i, other := range p.members {
		if other == nil {
			m.number = i
			p.members[i] = m
			return m
		}
	}
	m.number = len(p.members)
	p.members = append(p.members, m)
	return m
}

// startFor starts m for the queued task t. If it returns an error t has failed
// with it.
func (p *pool) startFor(m *member, t *task) error {
	go p.supervise(m)
	if err := <-m.begun; err != nil && t.isDone() && t.err == err {
		return err
	}
	return nil
}

// supervise is the goroutine that starts m's thread, joins it and cleans up.
func (p *pool) supervise(m *member) {
	attr := *p.Attr
	attr.Name = fmt.Sprintf("%s_%d", attr.Name, p.first+m.number)
	t := osthread.New(m.main, &attr)
	p.guard.Lock()
	m.thread = t
	p.guard.Unlock()
	m.holdExit(t)
	if err := t.Start(); err != nil {
		p.startFailed(m, err)
		return
	}
	m.begun <- nil
	p.reap(m, t.Join())
}

// startFailed handles the failure to start m. The other threads take its work;
// if there are none, all tasks fail.
func (p *pool) startFailed(m *member, err error) {
	p.guard.Lock()
	p.unregister(m)
	var tasks []*task
	var submitters *wait.Node
	if p.threads == 0 {
		tasks, submitters = p.takeQueued(), p.takeWaiting()
	}
	p.guard.Unlock()
	var late callbacks
	failAll(tasks, err, &late)
	refuse(submitters, err)
	m.begun <- err // startFor checks whether its task has failed
	p.callLate(&late, m)
}

// reap cleans up after m, whose thread has ended with end: it completes the
// task that did not return, and starts a successor if there is work. Only the
// last step calls code of others.
func (p *pool) reap(m *member, end error) {
	var tasks []*task
	var submitters *wait.Node
	var idle []*member
	var successor *member
	p.guard.Lock()
	given := m.given
	p.unregister(m)
	if !m.started { // it ended in OnStart, which breaks p
		if p.broken == nil {
			p.broken = broken(end)
		}
		tasks, submitters = p.takeQueued(), p.takeWaiting()
		idle = p.takeIdle()
	} else if p.backlog.Len()+p.waiting.Len() > p.expected() {
		successor = p.addWorker()
	}
	why := p.broken
	p.guard.Unlock()

	var late callbacks
	if t := m.task; t != nil {
		t.err = end
		first, _ := t.publish(Finished, nil)
		late.add(first)
	}
	if given != nil { // C code has ended the thread before it took the task
		late.add(given.fail(end))
	}
	failAll(tasks, why, &late)
	refuse(submitters, why)
	unparkAll(idle)
	if successor != nil {
		go p.supervise(successor)
		// Its own supervisor handles a failure. From here on the end of the
		// process waits for the successor.
		<-successor.begun
	}
	p.callLate(&late, m)
}

// broken returns the error of the tasks of a pool whose OnStart ended with why.
func broken(why error) error { return fmt.Errorf("%w: %w", ErrBroken, why) }

// callLate calls the callbacks of the futures that ended with m's thread, on a
// thread made for them, and releases m. For Close and for the end of the
// process that thread is one of the pool's: both wait for it, and callbacks may
// do on it what they may do on the others. If it cannot be started a goroutine
// calls them and nothing waits for it.
func (p *pool) callLate(late *callbacks, m *member) {
	for late.first != nil {
		var host waitfor.Thread
		host.Owner = p
		t := osthread.New(func() error {
			host.Enter()
			late.callAll()
			return nil
		}, &osthread.Attr{Name: fmt.Sprintf("%s_%d done", p.Attr.Name, p.first+m.number), Daemon: p.Attr.Daemon})
		if t.Start() != nil {
			go late.callAll()
			break
		}
		m.releaseExit()
		_ = t.Join() // if C code ended it, another thread calls the rest
		host.Leave()
	}
	p.guard.Lock()
	p.reaping--
	over := p.isOver()
	p.guard.Unlock()
	m.releaseExit()
	p.announce(over)
}

// unregister takes m, which is gone, off all lists; the reaping of m begins.
// The caller has the guard.
func (p *pool) unregister(m *member) {
	m.arrive()
	if m.isIdle {
		p.removeIdle(m)
	}
	if m.ending {
		p.ending--
	}
	p.threads--
	p.reaping++
	p.members[m.number] = nil
	m.host.Leave()
}

// end marks m, whose thread will take no more tasks, as ending. The caller has
// the guard.
func (m *member) end() {
	m.ending = true
	m.pool.ending++
}

// main is the thread's body.
func (m *member) main() error {
	p := m.pool
	m.host.Enter()
	m.node = wait.New(&p.spin, &forever)
	m.node.For = "task"
	if p.OnStart != nil {
		if err := p.OnStart(); err != nil {
			return err
		}
	}
	m.started = true
	if p.OnStop != nil {
		defer p.OnStop()
	}
	for t := m.next(); t != nil; t = m.next() {
		if !m.run(t) {
			break
		}
	}
	return nil
}

// run runs t, unless it was cancelled, and reports whether the thread can be
// used again: a panic may have left C code in any state.
func (m *member) run(t *task) bool {
	if !t.begin(m.host) {
		return true
	}
	m.task = t
	returned := t.self.call()
	m.task = nil
	if returned {
		m.returning = t.complete(Finished, &m.pool.returning)
		return true
	}
	m.pool.guard.Lock()
	m.end() // before the end of t is visible, or a submitter would count on m
	m.pool.guard.Unlock()
	t.complete(Finished, nil)
	return false
}

// next returns the task to run next, sleeping while there is none, or nil if
// the thread is to end.
func (m *member) next() *task {
	p := m.pool
	for {
		p.guard.Lock()
		m.arrive()
		if t, woken := p.pop(); t != nil {
			p.guard.Unlock()
			wait.WakeAll(woken.Head(), admitted)
			return t
		}
		if p.refusal() != nil {
			p.guard.Unlock()
			return nil
		}
		p.pushIdle(m)
		p.guard.Unlock()
		if !m.awaitWork() {
			return nil
		}
		if m.given != nil {
			return m.given
		}
	}
}

// arrive makes m, which is about to look for work, not expected any more. The
// caller has the guard.
func (m *member) arrive() {
	m.given = nil
	if m.expected {
		m.expected = false
		m.pool.starting--
	}
	if m.returning {
		m.returning = false
		m.pool.returning.Add(-1)
	}
}

var forever = park.Forever()

// awaitWork sleeps until another thread has taken m out of idle, and returns
// true, or until the idle timeout, and returns false. An idle thread is not
// blocked, so there are no trace events.
func (m *member) awaitWork() bool {
	p := m.pool
	l := park.Forever()
	if p.IdleTimeout > 0 {
		l = park.For(p.IdleTimeout).Unasked() // a Cancel is for the waits of a task
	}
	if m.node.ParkIdle(m.node.OnThread(), p.goroutine.Load(), &l) == park.Unparked {
		return true
	}
	p.guard.Lock()
	left := m.isIdle
	if left {
		p.removeIdle(m)
		m.end()
	}
	p.guard.Unlock()
	if !left {
		m.node.Await()
	}
	return !left
}

// pushIdle puts m before all idle threads: the last to come may still spin. The
// caller has the guard.
func (p *pool) pushIdle(m *member) {
	m.isIdle = true
	p.idle.PushFront(m)
}

func (p *pool) popIdle() *member {
	m := p.idle.Head()
	if m != nil {
		p.removeIdle(m)
	}
	return m
}

func (p *pool) removeIdle(m *member) {
	m.isIdle = false
	p.idle.Remove(m)
}

// takeIdle takes all idle threads out, for unparkAll.
func (p *pool) takeIdle() (all []*member) {
	for m := p.popIdle(); m != nil; m = p.popIdle() {
		all = append(all, m)
	}
	return all
}

func unparkAll(members []*member) {
	for _, m := range members {
		m.node.Unpark()
	}
}
