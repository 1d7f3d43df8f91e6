package executor

import (
	"errors"
	"sync/atomic"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread"
)

// A pool is an executor without the handle that users hold; threads and futures
// refer to it, so the handle can become garbage. Everything below guard is
// under it, but for what is atomic. Nothing of others' is called with it, and
// no two guards are held at once.
//
// A task that nobody has begun is in one of these places:
//
//	waiting   its submitter sleeps until there is a place in the backlog; the
//	          thread that makes one moves the first over, and wakes the submitter
//	backlog   until a thread takes it, or it is cancelled
//	given     to one idle thread, which is awake or about to be
//
// and a thread in one of these:
//
//	starting --OnStart--> busy <--given-- idle --timeout, close--> ending --> reaped
//	                      |  ^-- back <-----^ nothing to take        ^
//	                      +---- its task panicked, or did not return +
//
// A thread is back from the moment in which the end of its task can be seen
// until it takes the guard to look for work: it runs no code but ours, so it
// will look. Who submits in that moment finds no thread idle, but needs no new
// one either; without that state a Submit right after a Result would start a
// second thread. A starting thread will look, too, or else break the pool.
// These two kinds are the expected. But OnStart may take long: what is left to
// a starting thread is only what no idle one could have.
//
// An ending thread will not look, but its successor will, which starts when the
// thread is gone if there is work. So it stands for a place in a bounded
// backlog: a pool that replaces a thread is not full.
//
// The invariants, whenever the guard is open:
//
//   - What is in backlog or waiting has a thread that will come: threads > 0.
//     What would take the last one away (reap, startFailed) first starts a new
//     one or fails all tasks that are left.
//   - More tasks queue than threads are expected only if no thread is idle and
//     there are as many threads as may be, or one could not be started.
//   - While waiting is not empty backlog holds as many tasks as may be, and
//     maybe one more for each thread that was expected or ending.
//   - given is set only for a thread that was idle, by the one that took it out
//     of idle, before the unpark that the thread waits for.
//
// So no wakeup is lost: a thread goes idle in the same step in which it sees
// that there is nothing to do, and a submitter that comes afterwards finds it
// there.
//
// Every thread has a goroutine that starts and then joins it (supervise): so
// the thread inherits nothing from who submits; and however it ends, by a task
// that calls Goexit, by C code, in OnStart, its task and its place are seen to
// (reap), after it is gone. Callbacks of others run there only when all is in
// order again: the thread is unregistered, its successor runs, and every future
// that ends with it has ended.
type pool struct {
	Options
	first   int  // number of the first thread
	bounded bool // backlog
	spin    park.Spinner
	results park.Spinner // of those who wait for futures
	ended   osthread.Event
	back    atomic.Int32

	guard    wait.Guard
	closed   bool
	broken   error
	threads  int // that are started, or are to be, and not unregistered
	starting int
	ending   int
	reaping  int       // threads that are unregistered, and whose callbacks have not been called
	members  []*member // by number; nil: none
	idle     *member   // the last to come
	backlog  taskList
	waiting  taskList
}

func newPool(o Options, first int) *pool {
	return &pool{Options: o, first: first, bounded: o.Backlog != 0, members: make([]*member, 0, min(o.Threads, 64))}
}

// submit gives t to an idle thread, queues it, starts a thread for it, waits
// for a place, or runs it.
func (p *pool) submit(t *task, full FullPolicy, l park.Limit) error {
	p.guard.Lock()
	err := p.place(t)
	if err != errNoPlace {
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

// errNoPlace says that there is nobody for a task, and no place in the backlog.
var errNoPlace = errors.New("no place")

// place is submit if nobody has to wait. The caller has the guard, which place
// gives back unless it returns errNoPlace.
func (p *pool) place(t *task) error {
	if err := p.refusal(); err != nil {
		p.guard.Unlock()
		return err
	}
	switch {
	case p.waiting.n == 0 && p.backlog.n < int(p.back.Load()): // rather than wake one that sleeps
		p.backlog.push(t)
		p.guard.Unlock()
		return nil
	case p.idle != nil:
		m := p.popIdle()
		m.given = t
		p.guard.Unlock()
		m.node.Unpark()
		return nil
	case p.threads < p.Threads && p.waiting.n == 0 && p.backlog.n >= p.expected():
		m := p.addWorker()
		p.backlog.push(t)
		p.guard.Unlock()
		return p.startFor(m, t)
	case p.waiting.n == 0 && p.hasPlace():
		p.backlog.push(t)
		p.guard.Unlock()
		return nil
	default:
		return errNoPlace
	}
}

// submitWaiting is submit that waits for a place.
func (p *pool) submitWaiting(t *task, l *park.Limit) error {
	n := wait.New(nil, l)
	defer n.Free()
	n.ByThread()
	p.guard.Lock()
	if err := p.place(t); err != errNoPlace {
		return err
	}
	t.applicant = n
	p.waiting.push(t)
	p.guard.Unlock()
	leave := func(*wait.Node) bool { return p.withdraw(t) }
	if l.Never() {
		if here := waitfor.Here(); here != nil {
			if !here.Wait((*placeWait)(t)) && leave(n) {
				return ErrDeadlock
			}
			defer here.Resume()
		}
	}
	switch {
	case !wait.Sleep(n, leave, l):
		return l.Err(ErrFull)
	case n.Got == turnedAway:
		return t.err
	case l.Canceled() && t.cancel(): // before there was a place, it may be
		return l.Err(nil)
	default:
		return nil
	}
}

// What an applicant's node says.
const (
	undecided = iota // its time is up
	admitted
	turnedAway // task.err says why
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
// caller has the guard. Of those back more may come; none goes without the
// guard.
func (p *pool) expected() int { return p.starting + int(p.back.Load()) }

// hasPlace reports whether the backlog takes one more. The caller has the
// guard.
func (p *pool) hasPlace() bool {
	return !p.bounded || p.backlog.n-p.expected()-p.ending < max(p.Backlog, 0)
}

// pop takes out the task that is next. If that makes a place it moves the first
// applicants over, and returns their nodes. The caller has the guard.
func (p *pool) pop() (t *task, woken *wait.Node) {
	t = p.backlog.pop()
	if t == nil {
		if t = p.waiting.pop(); t == nil {
			return nil, nil
		}
		woken = t.admit()
	}
	rest := p.fill()
	if woken == nil {
		return t, rest
	}
	*woken.NextLink() = rest
	return t, woken
}

// fill moves applicants into the backlog while there is a place, and returns
// their nodes. The caller has the guard.
func (p *pool) fill() (first *wait.Node) {
	last := &first
	for p.waiting.n > 0 && p.hasPlace() {
		t := p.waiting.pop()
		p.backlog.push(t)
		n := t.admit()
		*last = n
		last = n.NextLink()
	}
	return first
}

func (t *task) admit() *wait.Node {
	n := t.applicant
	t.applicant = nil
	*n.NextLink() = nil
	return n
}

// withdraw takes t out of waiting and reports whether it stood there.
func (p *pool) withdraw(t *task) bool {
	p.guard.Lock()
	defer p.guard.Unlock()
	if t.list != &p.waiting {
		return false
	}
	p.waiting.remove(t)
	t.applicant = nil
	return true
}

// forget takes t, which has been cancelled, out of the backlog. One that is
// given, or whose submitter waits, is passed over by the thread that gets it.
func (p *pool) forget(t *task) {
	p.guard.Lock()
	var woken *wait.Node
	if t.list == &p.backlog {
		p.backlog.remove(t)
		woken = p.fill()
	}
	p.guard.Unlock()
	wait.WakeAll(woken, admitted)
}

// failAll fails the tasks from orphans on, and adds to late their callbacks.
func failAll(orphans *task, err error, late *callbacks) {
	for t := orphans; t != nil; {
		next := t.next
		t.prev, t.next = nil, nil
		late.add(t.fail(err))
		t = next
	}
}

// turnAway has the submitters of the tasks from applicants on return err.
func turnAway(applicants *task, err error) {
	for t := applicants; t != nil; {
		next := t.next
		t.prev, t.next = nil, nil
		t.err = err
		n := t.admit()
		n.Got = turnedAway
		n.Unpark()
		t = next
	}
}

// runHere runs t in the submitter's goroutine, which a Goexit of t ends.
func (t *task) runHere() {
	t.begin(waitfor.Here()) // no other thread has it yet
	defer t.settle(Finished, nil)
	t.self.call()
}

// isOver reports whether p is closed and has nothing left. The caller has the
// guard.
func (p *pool) isOver() bool { return p.closed && p.threads == 0 && p.reaping == 0 }

func (p *pool) finish(over bool) {
	if over {
		atExit.remove(p)
		p.ended.Set()
	}
}

// close makes p take no more work, and its idle threads end.
func (p *pool) close() {
	p.guard.Lock()
	p.closed = true
	idle := p.takeIdle()
	applicants := p.waiting.takeAll()
	over := p.isOver()
	p.guard.Unlock()
	turnAway(applicants, ErrShutdown)
	idle.wakeAll()
	p.finish(over)
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
	for t := p.backlog.head; t != nil; t = t.next {
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
		return p.living(), ErrDeadlock
	}
	inTime := true
	switch ctx := l.Context(); {
	case ctx != nil:
		inTime = p.ended.WaitContext(ctx) == nil
	case l.Never():
		if here := waitfor.Here(); here != nil {
			if p.deadlocks(here) {
				return p.living(), ErrDeadlock
			}
			defer here.Resume()
		}
		p.ended.Wait()
	default:
		inTime = p.ended.WaitTimeout(l.Left())
	}
	if !inTime {
		return p.living(), l.Err(ErrTimeout)
	}
	return nil, nil
}

// deadlocks reports whether a thread of p's cannot end before the caller, the
// thread here, goes on. If not it puts in that here waits for p's end.
func (p *pool) deadlocks(here *waitfor.Thread) bool {
	p.guard.Lock()
	var hosts []*waitfor.Thread
	for _, m := range p.members {
		if m != nil {
			hosts = append(hosts, m.host)
		}
	}
	p.guard.Unlock()
	for _, h := range hosts {
		if !here.Ends((*hostWait)(h)) {
			return true
		}
	}
	return !here.Wait((*endWait)(p))
}

// A hostWait is the edge of a thread that waits for the end of one, which ends
// only if it waits for nothing.
type hostWait waitfor.Thread

// Servers is waitfor.Edge's.
func (w *hostWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	return append(threads, (*waitfor.Thread)(w)), true
}

// An endWait is the edge of a thread that waits for a pool's end: for all of
// its threads, but the graph has no all, so of several blocked ones a free one
// hides the others.
type endWait pool

// Servers is waitfor.Edge's.
func (w *endWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	p := (*pool)(w)
	p.guard.Lock()
	defer p.guard.Unlock()
	if p.isOver() || p.reaping > 0 {
		return threads, false
	}
	for _, m := range p.members {
		if m != nil {
			threads = append(threads, m.host)
		}
	}
	return threads, true
}

// isHere reports whether the caller is on a thread of p's, one that calls
// callbacks for it included.
func (p *pool) isHere() bool {
	here := waitfor.Here()
	return here != nil && here.Owner == any(p)
}

// living returns the threads that have started and are not gone.
func (p *pool) living() (threads []*osthread.Thread) {
	p.guard.Lock()
	members := make([]*member, 0, len(p.members))
	for _, m := range p.members {
		if m != nil && m.thread != nil {
			members = append(members, m)
		}
	}
	p.guard.Unlock()
	for _, m := range members {
		if m.thread.Alive() {
			threads = append(threads, m.thread)
		}
	}
	return threads
}

func (p *pool) queued() int {
	p.guard.Lock()
	defer p.guard.Unlock()
	return p.backlog.n
}

// servers appends the threads that could take a task of p's that nobody has
// begun. It reports false if there may be others: ones that start, or could be
// started. The caller has the guard.
func (p *pool) servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	if p.threads < p.Threads || p.expected()+p.ending > 0 {
		return threads, false
	}
	for _, m := range p.members {
		if m != nil {
			threads = append(threads, m.host)
		}
	}
	return threads, true
}

// A placeWait is the edge of a thread that waits in Submit for a place.
type placeWait task

// Servers is waitfor.Edge's.
func (w *placeWait) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	p := w.pool
	p.guard.Lock()
	defer p.guard.Unlock()
	if w.list != &p.waiting {
		return threads, false
	}
	return p.servers(threads)
}
