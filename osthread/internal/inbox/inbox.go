// Package inbox hands functions to one thread, which calls them: a thread that
// a C library is tied to, or the process's first. Model: verify/inbox.pml.
//
// # Ownership of a call
//
//	made by the caller, waiting
//	  put into the list -------- the list's, under its guard
//	  |  the caller gives up --- the caller's again: the function is not called
//	  taken out by the server -- the server's, until it has set err
//	     waiting -> finished --- the caller's again: it is woken and reads err
//	     waiting -> abandoned -- the caller has given up; the server's for good
//
// Both sides try the last step, which is one compare-and-swap. The function,
// and err, synchronize with the caller by the wakeup (internal/park); the
// caller synchronizes with the function by the guard.
//
// Each way takes one wakeup. The server, once woken, needs no lock that the
// caller holds, and the caller needs none at all. The server announces under
// the guard, after a last check of the list, that it is about to sleep. So the
// caller that adds the first call knows that it has to wake the server, and no
// other caller does.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/protect"
)

// A Box is where calls wait for their thread. The zero value is open and empty.
// It must not be copied after first use.
type Box struct {
	Busy    error // of DoIfIdle, if the server does not wait for work
	Running error // comes with the error of a Do that gave up while its function ran

	// q is of calls, by their nodes, on which nobody sleeps. Its guard protects
	// asleep and closed, too.
	q      wait.Queue
	asleep bool // the server has to be woken
	closed bool
	// goroutine says that with one P the last call came from an ordinary
	// goroutine. The server then sleeps in the scheduler, too, which hands it
	// the P with the wakeup. A thread that a futex wakes finds that the caller
	// still has the P, and sleeps again.
	goroutine bool

	idle       Idler           // nil: the server sleeps in the box; set before the first Next
	thread     *waitfor.Thread // of the server, nil if unknown to the graph; set before the first call
	server     park.Waiter
	serverSpin park.Spinner
	spin       park.Spinner // of callers
	onPost     atomic.Pointer[func()]
}

// An Idler is where a server waits that waits for more than its box: a message
// pump.
type Idler interface {
	// Sleep returns when Wake has been called since it last returned, when
	// there is something to attend to, or spuriously.
	Sleep()
	// Attend handles what is pending, without sleeping. The server calls it
	// before it takes a call out and after each sleep.
	Attend()
	// Wake may be called by any thread, even after the server is gone.
	Wake()
}

// WaitIn makes the server sleep in idle. It is called before the box is shared.
func (b *Box) WaitIn(idle Idler) { b.idle = idle }

// ServeAs sets the thread that serves the box, so that calls that wait for each
// other in a circle are found (internal/waitfor). It is called before the box
// is shared.
func (b *Box) ServeAs(t *waitfor.Thread) { b.thread = t }

// A Call is a function that waits to be called, or is.
type Call struct {
	node   wait.Node
	fn     func() error
	err    error
	posted bool  // its caller does not wait for its end
	outer  *Call // whose function polls, while this one runs; see Server
	edge   *edge // of a caller that serves others, nil if it does not
	state  atomic.Uint32
	waiter park.Waiter
	source context.Context // of the caller's limit: canceled once it has an Err
}

// An edge is in the waits-for graph for a call that a thread which serves
// others waits for. It is in the graph before the call is in the box: the
// server may find the call at once.
type edge struct {
	box   *Box
	maybe bool        // the call goes in only if the server is idle
	in    bool        // the call has gone in; under the box's guard
	over  atomic.Bool // set before the call ends
}

// Servers is waitfor.Edge's.
func (e *edge) Servers(threads []*waitfor.Thread) ([]*waitfor.Thread, bool) {
	e.box.q.Lock()
	refused := !e.in && (e.box.closed || e.maybe)
	e.box.q.Unlock()
	return append(threads, e.box.thread), !refused && !e.over.Load()
}

const (
	waiting = iota
	finished
	abandoned
)

var calls = sync.Pool{New: func() any {
	c := new(Call)
	c.node.Item = c
	return c
}}

func (c *Call) free() {
	c.fn, c.err, c.posted, c.source, c.outer, c.edge, c.waiter.For = nil, nil, false, nil, nil, nil, nil
	c.state.Store(waiting)
	calls.Put(c)
}

// errCanceled is the end of a call that the server has not begun, since its
// caller's context was already done.
var errCanceled = errors.New("canceled")

// Do makes the server call fn, and returns what fn returned, or a *PanicError
// or ErrGoexit. If the box is closed first it returns ErrShutdown. If l ends it
// returns ErrTimeout or the context's cause, and fn is not called; if fn has
// begun b.Running comes with it. If l does not end, Do returns ErrDeadlock, and
// fn is not called, if the server waits for the calling thread, directly or
// over other servers. obj is the object of trace events.
func (b *Box) Do(fn func() error, l park.Limit, obj any) error {
	return b.doTraced(fn, &l, false, obj)
}

// DoIfIdle is Do that does nothing and returns b.Busy unless the server is
// waiting for work. It waits for fn without a limit.
func (b *Box) DoIfIdle(fn func() error, obj any) error {
	l := park.Forever()
	return b.doTraced(fn, &l, true, obj)
}

func (b *Box) doTraced(fn func() error, l *park.Limit, ifIdle bool, obj any) (err error) {
	if !trace.Enabled() {
		return b.do(fn, l, ifIdle, obj)
	}
	if task := trace.NewTask("call of " + trace.TypeOf(obj)); task != nil {
		defer task.End()
		inner := fn
		fn = func() (err error) {
			if inner != nil {
				task.Run(func() { err = inner() })
			}
			return err
		}
	}
	trace.Around(obj, func() bool { err = b.do(fn, l, ifIdle, obj); return true }, nil)
	return err
}

func (b *Box) do(fn func() error, l *park.Limit, ifIdle bool, obj any) error {
	c := calls.Get().(*Call)
	c.fn, c.source, c.waiter.For = fn, l.Source(), obj
	// An ordinary goroutine spins, too: the server keeps its P while it polls
	// for more, and others take the woken goroutine from that P's queue only
	// after a while.
	c.waiter.Spin = &b.spin
	if b.thread != nil && l.Never() {
		if here := waitfor.Here(); here != nil {
			c.edge = &edge{box: b, maybe: ifIdle}
			if !here.Wait(c.edge) {
				c.free()
				return osthread.ErrDeadlock
			}
			defer here.Resume()
		}
	}
	if err := b.put(c, ifIdle); err != nil {
		c.free()
		return err
	}
	if c.waiter.Park(*l) != park.Unparked {
		if b.remove(c) {
			c.free()
			return l.Err(osthread.ErrTimeout)
		}
		if c.state.CompareAndSwap(waiting, abandoned) {
			return fmt.Errorf("%w: %w", l.Err(osthread.ErrTimeout), b.Running)
		}
		c.waiter.Park(park.Forever()) // the wakeup is on its way
	}
	err := c.err
	c.free()
	if err == errCanceled {
		return l.Err(nil)
	}
	return err
}

// Post makes the server call fn, and returns at once: nil, or ErrShutdown. A
// panic of fn is reported as that of a thread's function.
func (b *Box) Post(fn func()) error {
	c := calls.Get().(*Call)
	task := trace.NewTask("posted call") // does not end if the call is dropped
	if fn != nil {
		c.fn = func() error {
			defer task.End()
			task.Run(fn)
			return nil
		}
	}
	c.posted = true
	err := b.put(c, false)
	if err != nil {
		task.End()
		c.free()
	}
	return err
}

// OnPost makes f be called by each caller that has added a call, and once when
// the box is closed; nil stands for none. A panic of f is reported as that of a
// thread's function.
func (b *Box) OnPost(f func()) {
	if f == nil {
		b.onPost.Store(nil)
		return
	}
	b.onPost.Store(&f)
}

// Len returns the number of calls that wait to begin.
func (b *Box) Len() int {
	b.q.Lock()
	defer b.q.Unlock()
	return b.q.Len()
}

func (b *Box) put(c *Call, ifIdle bool) error {
	b.q.Lock()
	switch {
	case b.closed:
		b.q.Unlock()
		return osthread.ErrShutdown
	case ifIdle && !b.asleep:
		b.q.Unlock()
		return b.Busy
	}
	if c.edge != nil {
		c.edge.in = true
	}
	b.q.PushBack(&c.node)
	if park.OnOneP() {
		b.goroutine = !park.OnThread()
	}
	wake := b.asleep
	b.asleep = false
	// Under the guard: a function that c itself sets is for later calls, and a
	// server that sets one and then polls the box misses no call.
	f := b.onPost.Load()
	b.q.Unlock()
	if wake {
		b.wake()
	}
	if f != nil { // c is in the box, whatever f does
		report(protect.Run(func() error { (*f)(); return nil }))
	}
	return nil
}

// remove takes c out of the list and reports whether it was there.
func (b *Box) remove(c *Call) bool {
	b.q.Lock()
	defer b.q.Unlock()
	return b.q.Remove(&c.node)
}

// pop takes out the first call whose caller still waits, nil if there is none.
// The caller has the guard.
func (b *Box) pop() *Call {
	for n := b.q.Pop(); n != nil; n = b.q.Pop() {
		c := n.Item.(*Call)
		if c.source == nil || c.source.Err() == nil {
			return c
		}
		c.Fail(errCanceled)
	}
	return nil
}

// TryNext takes out the next call, nil if there is none. Only the server calls
// it, Next and Run.
func (b *Box) TryNext() *Call {
	b.q.Lock()
	defer b.q.Unlock()
	return b.pop()
}

// Await sleeps until there is a call to take out, or until l ends. Only the
// server calls it.
func (b *Box) Await(l park.Limit) {
	for inTime := true; inTime; {
		if b.idle != nil {
			b.idle.Attend()
		}
		b.q.Lock()
		if b.q.Head() != nil || b.closed {
			b.q.Unlock()
			return
		}
		inTime = b.sleep(l)
	}
}

// Next takes out the next call and sleeps until there is one, or until l ends.
// It returns nil then, and when the box is closed and empty.
func (b *Box) Next(l park.Limit) *Call {
	for inTime := true; inTime; {
		if b.idle != nil {
			b.idle.Attend()
		}
		b.q.Lock()
		if c := b.pop(); c != nil || b.closed {
			b.q.Unlock()
			return c
		}
		inTime = b.sleep(l)
	}
	return nil
}

// sleep releases the guard, which the caller has, and sleeps until the server
// is woken, and returns true, or until l ends.
func (b *Box) sleep(l park.Limit) (woken bool) {
	b.server.Spin, b.server.For = &b.serverSpin, "call"
	b.asleep = true
	byGoroutine := b.goroutine
	b.q.Unlock()
	if b.idle != nil {
		return b.sleepInIdle(&l)
	}
	if b.server.ParkIdle(park.OnThread(), byGoroutine, &l) == park.Unparked {
		return true
	}
	b.q.Lock()
	woken = !b.asleep
	b.asleep = false
	b.q.Unlock()
	if woken {
		b.server.Park(park.Forever()) // the wakeup is on its way; the next sleep checks the limit
	}
	return woken
}

// sleepInIdle is sleep of a server that waits in an Idler. That knows no
// limits, so a timer wakes it.
func (b *Box) sleepInIdle(l *park.Limit) (inTime bool) {
	if !l.Never() {
		if l.Context() != nil {
			defer l.AfterDone(b.idle.Wake)()
		} else {
			defer time.AfterFunc(l.Left(), b.idle.Wake).Stop()
		}
	}
	record := park.BeginWait("call", unsafe.Pointer(b), l, rouseIdle)
	if !l.Asked() {
		b.idle.Sleep()
	}
	record.End()
	b.q.Lock()
	b.asleep = false // a caller that cleared it before calls Wake, which at worst ends the next sleep
	b.q.Unlock()
	return !l.Expired()
}

// rouseIdle is the Rouser of a server that sleeps in an Idler, which keeps a
// Wake for the next Sleep.
func rouseIdle(parker unsafe.Pointer) (again bool) {
	(*Box)(parker).idle.Wake()
	return false
}

// wake wakes the server, which was about to sleep when the caller held the
// guard.
func (b *Box) wake() {
	if b.idle != nil {
		b.idle.Wake()
		return
	}
	b.server.Unpark()
}

// A Server holds the calls whose functions a thread is running: more than one
// where a function polls. It belongs to the thread, and after its end to the
// goroutine that joins it, which fails what is left.
type Server struct{ running *Call }

// Run calls c's function. c must not be used afterwards.
func (s *Server) Run(c *Call) {
	outer := s.running
	c.outer = outer
	s.running = c
	// Even if c's function calls runtime.Goexit: Run has ended c then.
	defer func() { s.running = outer }()
	c.Run()
}

// Fail ends the calls whose functions have not returned with err.
func (s *Server) Fail(err error) {
	for c := s.running; c != nil; {
		outer := c.outer
		c.Fail(err)
		c = outer
	}
}

// Run calls c's function. c must not be used afterwards.
func (c *Call) Run() {
	protect.Call(c.call, func(err error, _ bool) { c.Fail(err) })
}

func (c *Call) call() error {
	if c.fn == nil {
		return nil
	}
	return c.fn()
}

// Fail ends c, which was taken out, with err.
func (c *Call) Fail(err error) {
	c.err = err
	c.end()
}

func (c *Call) end() {
	if c.edge != nil {
		c.edge.over.Store(true)
	}
	switch {
	case c.posted:
		report(c.err)
		c.free()
	case c.state.CompareAndSwap(waiting, finished):
		c.waiter.Unpark()
	default:
		report(c.err)
	}
}

// report reports a panic that no caller gets.
func report(err error) {
	if p, ok := err.(*osthread.PanicError); ok {
		osthread.ReportPanic(p)
	}
}

// Close makes Do and Post return ErrShutdown from now on, and Next nil once the
// box is empty. With drop the box is emptied: calls that have not begun end
// with ErrShutdown. Close returns the number of dropped calls, including posted
// ones.
func (b *Box) Close(drop bool) (dropped int) {
	b.q.Lock()
	news := !b.closed || drop && b.q.Head() != nil
	b.closed = true
	var out wait.Chain
	for drop && b.q.Head() != nil {
		n := b.q.Pop()
		c := n.Item.(*Call)
		c.err = osthread.ErrShutdown
		if c.edge != nil {
			c.edge.over.Store(true)
		}
		c.state.Store(finished) // before a caller that gives up finds it taken out
		out.PushBack(n)
	}
	wake := b.asleep
	b.asleep = false
	b.q.Unlock()
	if wake {
		b.wake()
	}
	dropped = out.Len()
	for n := out.Pop(); n != nil; n = out.Pop() {
		c := n.Item.(*Call)
		if c.posted {
			c.free()
		} else {
			c.waiter.Unpark()
		}
	}
	if news { // f may use what is gone after the first Close
		if f := b.onPost.Load(); f != nil {
			report(protect.Run(func() error { (*f)(); return nil }))
		}
	}
	return dropped
}

// IsShut reports whether the box takes no more calls.
func (b *Box) IsShut() bool {
	b.q.Lock()
	defer b.q.Unlock()
	return b.closed
}

// IsClosed reports whether the box is closed and empty.
func (b *Box) IsClosed() bool {
	b.q.Lock()
	defer b.q.Unlock()
	return b.closed && b.q.Head() == nil
}

// Idle reports whether the server is waiting for work. The result may be stale
// by the time it is used.
func (b *Box) Idle() bool {
	b.q.Lock()
	defer b.q.Unlock()
	return b.asleep
}
