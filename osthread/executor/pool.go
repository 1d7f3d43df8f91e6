package executor

import (
	"errors"
	"slices"
	"sync/atomic"

	"example.com/thread/internal/list"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread"
)

// A pool is an executor without the handle that users hold. Threads and futures
// refer to the pool, so the handle can become garbage. All fields below guard
// are under it. No code of others is called with it, and no two guards are held
// at once. Model: verify/executor.pml.
//
// A task that has not begun is in one of these places:
//
//	waiting   its submitter sleeps until the backlog has room; the thread that
//	          makes room admits the first one and wakes it
//	backlog   until a thread takes it, or it is cancelled
//	given     to one idle thread, which is awake or about to be woken
//
// and a thread in one of these:
//
//	starting --OnStart--> busy <--given-- idle --timeout, close--> ending --> reaped
//	                      |  ^-returning <--^ nothing to take        ^
//	                      +---- its task panicked, or did not return +
//
// A thread is returning from the moment at which the end of its task is visible
// until it takes the guard to look for work. It runs no code of others
// meanwhile, so it will look. A submitter then finds no idle thread but needs
// no new one either; without that state a Submit right after a Result would
// start a second thread. A starting thread will look for work, too, or break
// the pool. Returning and starting threads are the expected ones. But OnStart
// may take long, so a task is left to a starting thread only if no idle thread
// could take it.
//
// An ending thread will not look for work, but its successor will, which starts
// after it if there is work. So an ending thread counts as room in a bounded
// backlog: a pool that replaces a thread is not full.
//
// Invariants while the guard is free:
//
//   - While backlog or waiting is not empty, threads > 0. Before the last
//     thread is removed (reap, startFailed) a new one starts or all tasks fail.
//   - More tasks are queued than threads are expected only if no thread is idle
//     and the number of threads is at its limit, or one could not be started.
//   - While waiting is not empty, backlog is full, with at most one task more
//     for each thread that was expected or ending.
//   - given is set only for a thread that was idle, by the thread that took it
//     out of idle, before it unparks it.
//
// No wakeup is lost: a thread goes idle in the critical section in which it
// finds nothing to do, so a later submitter finds it idle.
//
// Every thread has a goroutine that starts and then joins it (supervise). So
// the thread inherits nothing from the submitter. However it ends, by a task
// that calls Goexit, by C code, or in OnStart, its task and its successor are
// handled after it is gone (reap). Callbacks run there last: the thread is
// unregistered, its successor runs, and every future that ended with it is
// done.
type pool struct {
	Options
	first   int  // number of the first thread
	bounded bool // backlog
	spin    park.Spinner
	results park.Spinner      // of waiters for futures
	end     Promise[struct{}] // kept when the pool is over
	release func()            // of the reserved places; nil: none

	returning atomic.Int32
	goroutine atomic.Bool // with one P: the last submitter was an ordinary goroutine

	guard    wait.Guard
	closed   bool
	broken   error
	threads  int // started or about to be, and not unregistered
	starting int
	ending   int
	reaping  int               // unregistered threads whose callbacks have not been called
	members  []*member         // by number; nil: none
	idle     list.List[member] // the last to come first
	backlog  list.List[task]
	waiting  wait.List // of submitters; Item is the *task
}

func newPool(o Options, first int) *pool {
	p := &pool{Options: o, first: first, bounded: o.Backlog != 0, members: make([]*member, 0, min(o.Threads, 64))}
	p.end.f.self = &p.end.f
	return p
}

// submit gives t to an idle thread, queues it, starts a thread for it, waits
// for room, or runs it.
func (p *pool) submit(t *task, full FullPolicy, l park.Limit) error {
	if park.OnOneP() {
		p.goroutine.Store(!park.OnThread())
	}
	p.guard.Lock()
	err := p.assign(t)
	if err != errNoRoom {
		return err
	}
	p.guard.Unlock()
	switch {
	case full == Reject:
		return ErrFull
	case full == RunInCaller:
		t.runHere()
		return nil
	case l.Expired():
		return l.Err(ErrFull)
	case !trace.Enabled():
		return p.submitWaiting(t, &l)
	}
	trace.Around(t.self, func() bool { err = p.submitWaiting(t, &l); return err == nil }, func() { t.cancel() })
	return err
}

// errNoRoom says that no thread is free for a task and the backlog is full.
var errNoRoom = errors.New("no room")

// assign is submit without a wait. The caller has the guard, which assign
// releases unless it returns errNoRoom.
func (p *pool) assign(t *task) error {
	if err := p.refusal(); err != nil {
		p.guard.Unlock()
		return err
	}
	none := p.waiting.Len() == 0
	switch {
	case none && p.backlog.Len() < int(p.returning.Load()): // rather than wake an idle thread
		p.queue(t)
	case p.idle.Len() > 0:
		m := p.popIdle()
		m.given = t
		p.guard.Unlock()
		m.node.Unpark()
		return nil
	case none && p.threads < p.Threads && p.backlog.Len() >= p.expected():
		m := p.addWorker()
		p.queue(t)
		p.guard.Unlock()
		return p.startFor(m, t)
	case none && p.hasRoom():
		p.queue(t)
	default:
		return errNoRoom
	}
	p.guard.Unlock()
	return nil
}

// submitWaiting is submit that waits for room.
func (p *pool) submitWaiting(t *task, l *park.Limit) error {
	n := wait.New(nil, l)
	defer n.Free()
	n.ByThread()
	p.guard.Lock()
	if err := p.assign(t); err != errNoRoom {
		return err
	}
	n.Item, n.For, t.where = t, t.self, waiting
	p.waiting.PushBack(n)
	p.guard.Unlock()
	if l.Never() {
		if here := waitfor.Here(); here != nil {
			if !here.Wait((*roomWait)(t)) && p.withdraw(n) {
				return ErrDeadlock
			}
			defer here.Resume()
		}
	}
	switch {
	case !wait.Sleep(n, p.withdraw, l):
		return l.Err(ErrFull)
	case n.Got == refused:
		return t.err
	case l.Canceled() && t.cancel(): // perhaps before there was room
		return l.Err(nil)
	default:
		return nil
	}
}

// What the node of a submitter that waits for room gets.
const (
	_ = iota // nothing: it gave up
	admitted
	refused // task.err says why
)

// A place is where a task is.
type place uint8

const (
	elsewhere place = iota // given to a thread, or with its submitter
	waiting                // its submitter's node is in pool.waiting
	queued                 // in pool.backlog
)

// refusal returns why no task is taken at all. The caller has the guard.
func (p *pool) refusal() error {
	if p.broken != nil {
		return p.broken
	}
	if p.closed {
		return ErrShutdown
	}
	return nil
}

// expected returns how many threads will look for work without being woken. The
// caller has the guard. The number of returning threads may grow meanwhile; it
// falls under the guard only.
func (p *pool) expected() int { return p.starting + int(p.returning.Load()) }

// hasRoom reports whether the backlog takes one more task. The caller has the
// guard.
func (p *pool) hasRoom() bool {
	return !p.bounded || p.backlog.Len()-p.expected()-p.ending < max(p.Backlog, 0)
}

// queue adds t to the backlog. The caller has the guard.
func (p *pool) queue(t *task) {
	t.where = queued
	p.backlog.PushBack(t)
}

// pop takes out the next task, nil if there is none. If that makes room it
// admits the first submitters that wait, whose nodes it returns. The caller has
// the guard.
func (p *pool) pop() (t *task, woken wait.Chain) {
	if p.backlog.Len() == 0 { // a backlog of no tasks
		p.admit(&woken)
	}
	if t = p.backlog.Pop(); t != nil {
		t.where = elsewhere
		p.fill(&woken)
	}
	return t, woken
}

// fill admits submitters while there is room and adds their nodes to woken. The
// caller has the guard.
func (p *pool) fill(woken *wait.Chain) {
	for p.waiting.Len() > 0 && p.hasRoom() {
		p.admit(woken)
	}
}

// admit moves the task of the first submitter that waits, and whose context is
// not done, into the backlog, and adds its node to woken.
func (p *pool) admit(woken *wait.Chain) {
	if n := p.waiting.Pop(); n != nil {
		p.queue(n.Item.(*task))
		woken.PushBack(n)
	}
}

// withdraw takes the node of a submitter out of waiting and reports whether it
// was there.
func (p *pool) withdraw(n *wait.Node) bool {
	p.guard.Lock()
	defer p.guard.Unlock()
	if !p.waiting.Remove(n) {
		return false
	}
	n.Item.(*task).where = elsewhere
	return true
}

// unqueue takes t, which has been cancelled, out of the backlog. If t was given
// to a thread, that skips it.
func (p *pool) unqueue(t *task) {
	p.guard.Lock()
	var woken wait.Chain
	if t.where == queued {
		t.where = elsewhere
		p.backlog.Remove(t)
		p.fill(&woken)
	}
	p.guard.Unlock()
	wait.WakeAll(woken.Head(), admitted)
}

// takeQueued empties the backlog. The caller has the guard.
func (p *pool) takeQueued() (tasks []*task) {
	for t := p.backlog.Pop(); t != nil; t = p.backlog.Pop() {
		t.where = elsewhere
		tasks = append(tasks, t)
	}
	return tasks
}

// failAll fails tasks, and adds their callbacks to late.
func failAll(tasks []*task, err error, late *callbacks) {
	for _, t := range tasks {
		late.add(t.fail(err))
	}
}

// takeWaiting takes out all submitters that wait for room and returns the chain
// of their nodes, for refuse. The caller has the guard.
func (p *pool) takeWaiting() *wait.Node {
	first := p.waiting.Drain()
	for n := first; n != nil; n = n.Next() {
		n.Item.(*task).where = elsewhere
	}
	return first
}

// refuse makes the submitters of the chain from first on return err.
func refuse(first *wait.Node, err error) {
	for n := first; n != nil; n = n.Next() {
		n.Item.(*task).err = err
	}
	wait.WakeAll(first, refused)
}

// runHere runs t in the submitter's goroutine, which a Goexit of t ends.
func (t *task) runHere() {
	t.begin(waitfor.Here()) // no other thread has it yet
	defer t.complete(Finished, nil)
	t.self.call()
}

// isOver reports whether p is closed and has nothing left. The caller has the
// guard.
func (p *pool) isOver() bool { return p.closed && p.threads == 0 && p.reaping == 0 }

// announce makes p's end known if it is over.
func (p *pool) announce(over bool) {
	if over {
		p.releasePlaces()
		atExit.remove(p)
		_ = p.end.SetResult(struct{}{}) // fails if a second Close has found p over
	}
}

func (p *pool) releasePlaces() {
	if p.release != nil {
		p.release()
	}
}

// close makes p take no more work, and its idle threads end.
func (p *pool) close() {
	p.guard.Lock()
	p.closed = true
	idle := p.takeIdle()
	submitters := p.takeWaiting()
	over := p.isOver()
	p.guard.Unlock()
	refuse(submitters, ErrShutdown)
	unparkAll(idle)
	p.announce(over)
}

// cancelAll cancels what has not begun, in the order in which it came.
func (p *pool) cancelAll() {
	p.guard.Lock()
	var tasks []*task
	for _, m := range p.members {
		if m != nil && m.given != nil {
			tasks = append(tasks, m.given)
		}
	}
	for t := p.backlog.Head(); t != nil; t = t.Next() {
		tasks = append(tasks, t)
	}
	p.guard.Unlock()
	for _, t := range tasks {
		t.cancel()
	}
}

func (p *pool) shutdown(l park.Limit) (running []*osthread.Thread, err error) {
	p.close()
	if p.isHere() {
		return p.alive(), ErrDeadlock
	}
	if here := waitfor.Here(); here != nil && l.Never() && p.blocksEnd(here) {
		return p.alive(), ErrDeadlock
	}
	if !p.end.f.isDone() {
		err = p.end.f.await(&l, nil, (*endWait)(p))
	} else if l.Canceled() {
		err = l.Err(nil)
	}
	if err != nil {
		return p.alive(), err
	}
	return nil, nil
}

// isHere reports whether the caller is on a thread of p's, which includes those
// that call callbacks for it.
func (p *pool) isHere() bool {
	here := waitfor.Here()
	return here != nil && here.Owner == any(p)
}

// alive returns the threads that have started and are not gone.
func (p *pool) alive() (threads []*osthread.Thread) {
	p.guard.Lock()
	for _, m := range p.members {
		if m != nil && m.thread != nil {
			threads = append(threads, m.thread)
		}
	}
	p.guard.Unlock()
	return slices.DeleteFunc(threads, func(t *osthread.Thread) bool { return !t.Alive() })
}

func (p *pool) queued() int {
	p.guard.Lock()
	defer p.guard.Unlock()
	return p.backlog.Len()
}
