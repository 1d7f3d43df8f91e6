package executor

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/osthread"
)

// FullPolicy is what Submit does when as many tasks wait as may.
type FullPolicy uint8

const (
	Block  FullPolicy = iota // waits for a place; first come, first served
	Reject                   // returns ErrFull
	// RunInCaller runs the function itself, without OnStart's effects, and
	// returns its future when that is done.
	RunInCaller
)

// NoBacklog is the Backlog of a pool in which no task waits: one is taken only
// if there is a thread for it.
const NoBacklog = -1

// Options are what a pool is made with. The zero value asks for the defaults,
// which are Python's.
type Options struct {
	// Threads is the most threads there may be at a time, at most 4,194,304; 0
	// stands for GOMAXPROCS + 4, at most 32: as in CPython, but that GOMAXPROCS
	// follows a container's limit on processor time.
	Threads int
	// Attr holds the attributes of each thread; nil asks for the defaults. Its
	// Name is a prefix: the threads are PREFIX_0, PREFIX_1 and so on; "" stands
	// for Executor-N, N counting from 1. What it does not set the threads have
	// from the process, not from who submits, whose namespaces, credentials or
	// affinity may be its own. The end of the process waits for the threads of
	// a pool (see osthread.Shutdown) unless Daemon is set; whether the one who
	// submits is a daemon does not matter.
	Attr *osthread.Attr
	// Backlog is how many tasks may wait for a thread: 0 stands for any number,
	// NoBacklog for none.
	Backlog int
	// Full is what Submit does when there are as many.
	Full FullPolicy
	// IdleTimeout is how long a thread waits for work before it ends; 0 stands
	// for as long as the pool is there.
	IdleTimeout time.Duration
	// OnStart runs on each thread before its first task: to make a GL or CUDA
	// context, attach a JVM, enter a namespace. If it returns an error, panics,
	// or does not return, the pool is broken: what waits, and what is submitted
	// later, gets an error that is ErrBroken.
	OnStart func() error
	// OnStop runs on each thread after its last task, if OnStart has returned
	// nil, even if a task has called runtime.Goexit; not if C code ends the
	// thread. A thread's successor starts when that is gone: no more than
	// Threads have done OnStart and not OnStop.
	OnStop func()
}

// maxThreads is Linux's PID_MAX_LIMIT, the most threads that any system has.
const maxThreads = 1 << 22

var executors atomic.Uint64 // numbers of default names

// check returns o with its defaults, or what is wrong with it. Nothing is made.
func (o Options) check() (Options, error) {
	switch {
	case o.Threads < 0 || o.Threads > maxThreads:
		return o, invalid("%d threads", o.Threads)
	case o.Backlog < NoBacklog:
		return o, invalid("a backlog of %d", o.Backlog)
	case o.Full > RunInCaller:
		return o, invalid("full policy %d", o.Full)
	case o.IdleTimeout < 0:
		return o, invalid("an idle timeout of %v", o.IdleTimeout)
	}
	attr := cloneAttr(o.Attr)
	o.Attr = attr
	if err := attr.Check(); err != nil {
		return o, err
	}
	if o.Threads == 0 {
		o.Threads = min(32, runtime.GOMAXPROCS(0)+4)
	}
	if attr.Name == "" {
		attr.Name = fmt.Sprintf("Executor-%d", executors.Add(1))
	}
	return o, nil
}

// An Executor is a pool of threads that run functions (Python:
// ThreadPoolExecutor). It comes from New and is closed by Close or Shutdown. An
// Executor that is forgotten closes itself some time after: what waits is run,
// and the threads end.
//
// A thread is made when work comes and no thread is free for it, up to
// Options.Threads. Tasks begin in the order in which they were submitted.
//
// It must not be copied. The zero Executor is one that is closed.
type Executor struct {
	_ noCopy
	*handle
}

// A handle is what the garbage collector finds when an executor is forgotten: a
// copy of that, which vet does not like, has the same, so it is not closed as
// long as it is there.
type handle struct{ p *pool }

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// pool returns e's pool, for the zero Executor one that is closed.
func (e *Executor) pool() *pool {
	if e.handle == nil {
		return noPool
	}
	return e.p
}

// noPool is a pool that takes nothing.
var noPool = func() *pool {
	p := newPool(Options{Attr: &osthread.Attr{Name: "none"}}, 0)
	p.closed = true
	p.announce(true)
	return p
}()

// New returns an executor; its threads start when they are needed. It returns
// an error that is ErrInvalid for an option that cannot be, what thread.Start
// returns for a bad attribute (ErrStackSize, syscall.EINVAL,
// errors.ErrUnsupported), and ErrShutdown once osthread.Shutdown has begun.
func New(o Options) (*Executor, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	p := newPool(o, 0)
	if err := atExit.add(p, p.Attr.Daemon); err != nil {
		return nil, err
	}
	h := &handle{p}
	runtime.AddCleanup(h, (*pool).close, p) // nothing in p leads to h
	return &Executor{handle: h}, nil
}

// Submit makes e run fn and returns the future of its result. It returns a nil
// future and ErrShutdown once e is closed; an error that is ErrBroken, see
// Options.OnStart; what thread.Start returned if e has no thread and cannot
// make one. If as many tasks wait as may it does what Options.Full says; if it
// then waits for a place that cannot come, as all threads of e wait, over
// whatever other pools and workers, for the caller, it returns ErrDeadlock. A
// nil fn does nothing: its result is a zero T and no error, as everywhere in
// this package.
func Submit[T any](e *Executor, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	p := e.pool()
	return submit(p, fn, p.Full, park.Forever())
}

// TrySubmit is Submit that, whatever Options.Full says, neither waits nor runs
// fn if as many tasks wait as may: it returns ErrFull.
func TrySubmit[T any](e *Executor, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	return submit(e.pool(), fn, Reject, park.Forever())
}

// SubmitTimeout is Submit that waits for a place for at most d; past that it
// returns ErrFull and fn will not run. d <= 0 never sleeps.
func SubmitTimeout[T any](e *Executor, fn func() (T, error), d time.Duration) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	p := e.pool()
	return submit(p, fn, p.Full, park.For(d))
}

// SubmitContext is Submit that waits for a place until ctx is done; it then
// returns ctx's cause and fn will not run. If ctx is done already it does not
// try. Once it has returned a future ctx has no more to say: fn may look at it.
func SubmitContext[T any](ctx context.Context, e *Executor, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	l, err := park.Until(ctx)
	if err != nil {
		return nil, err
	}
	p := e.pool()
	return submit(p, fn, p.Full, l)
}

func submit[T any](p *pool, fn func() (T, error), full FullPolicy, l park.Limit) (*Future[T], error) {
	f := &Future[T]{fn: fn}
	f.self = f
	f.pool = p
	if err := p.submit(&f.task, full, l); err != nil {
		return nil, err
	}
	return f, nil
}

// Threads returns e's threads that are not gone, also those that are on their
// way out, in the order of the numbers in their names.
func (e *Executor) Threads() []*osthread.Thread {
	defer runtime.KeepAlive(e.handle)
	return e.pool().alive()
}

// Queued returns how many tasks wait for a thread. The result may be stale by
// the time it is used.
func (e *Executor) Queued() int {
	defer runtime.KeepAlive(e.handle)
	return e.pool().queued()
}

// Close closes e, so that Submit fails, and waits until all work that is in has
// been done and all threads are gone (Python: shutdown(), with). It may be
// called any number of times. On a thread of e's, in a callback, OnStop or the
// destructor of a thread.Key too, it closes e, does not wait, and returns
// ErrDeadlock; and so where a thread of e's waits, over whatever other pools
// and workers, for the calling thread. A caller that waits in Submit for a
// place gets ErrShutdown.
//
// What a caller of Submit runs itself, see RunInCaller, is not waited for.
func (e *Executor) Close() error {
	_, err := e.pool().shutdown(park.Forever())
	return err
}

// TryShutdown is ShutdownTimeout(0): it closes e and does not wait (Python:
// shutdown(wait=False)).
func (e *Executor) TryShutdown() (running []*osthread.Thread, err error) { return e.ShutdownTimeout(0) }

// ShutdownTimeout is Close that waits for at most d; past that it returns the
// threads that are not gone, and ErrTimeout. d <= 0 never sleeps.
func (e *Executor) ShutdownTimeout(d time.Duration) (running []*osthread.Thread, err error) {
	return e.pool().shutdown(park.For(d))
}

// Shutdown is Close until ctx is done; it then returns the threads that are not
// gone, and ctx's cause. If ctx is done already it closes e and does not wait.
func (e *Executor) Shutdown(ctx context.Context) (running []*osthread.Thread, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		l = park.For(0)
	}
	running, late := e.pool().shutdown(l)
	if late == ErrTimeout && err != nil {
		late = err
	}
	return running, late
}

// ShutdownNow is Shutdown that cancels the work that has not begun (Python:
// cancel_futures=True).
func (e *Executor) ShutdownNow(ctx context.Context) (running []*osthread.Thread, err error) {
	e.pool().close()
	e.pool().cancelAll()
	return e.Shutdown(ctx)
}

// String returns the prefix of the threads' names, and how many threads and
// waiting tasks there are.
func (e *Executor) String() string {
	defer runtime.KeepAlive(e.handle)
	return fmt.Sprintf(
		"Executor(%s, %d threads, %d queued)",
		e.pool().Attr.Name,
		len(e.pool().alive()),
		e.pool().queued(),
	)
}
