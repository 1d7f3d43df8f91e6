package executor

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/osthread"
)

// A FullPolicy says what Submit does when the backlog is full.
type FullPolicy uint8

const (
	Block  FullPolicy = iota // waits for room, in FIFO order
	Reject                   // returns ErrFull
	// RunInCaller runs the function in the caller, without OnStart's effects,
	// and returns its future when that is done.
	RunInCaller
)

// NoBacklog is the Backlog of a pool in which no task waits: a task is accepted
// only if there is a thread for it.
const NoBacklog = -1

// Options are the options of a pool. The zero value stands for the defaults,
// which are Python's.
type Options struct {
	// Threads is the maximum number of threads, at most 4,194,304. 0 stands for
	// GOMAXPROCS + 4, at most 32, as in CPython, except that GOMAXPROCS follows
	// a container's limit on processor time.
	Threads int
	// Attr holds the attributes of each thread; nil stands for the defaults.
	// Its Name is a prefix: the threads are PREFIX_0, PREFIX_1 and so on; ""
	// stands for Executor-N, N counting from 1. What Attr does not set the
	// threads inherit from the process, not from the submitter, whose
	// namespaces, credentials or affinity may be temporary. The end of the
	// process waits for the threads of a pool (see osthread.Shutdown) unless
	// Daemon is set; it does not matter whether the submitter is a daemon.
	Attr *osthread.Attr
	// Backlog is the number of tasks that may wait for a thread: 0 stands for
	// any number, NoBacklog for none.
	Backlog int
	// Full is what Submit does when the backlog is full.
	Full FullPolicy
	// IdleTimeout is how long an idle thread waits for work before it ends; 0
	// stands for the lifetime of the pool.
	IdleTimeout time.Duration
	// Reserve adds Threads places to GOMAXPROCS until the executor has ended,
	// so that its threads can run Go code while goroutines compute; see
	// thread.Reserve for what that costs.
	Reserve bool
	// OnStart runs on each thread before its first task: to make a GL or CUDA
	// context, attach a JVM, enter a namespace. If it returns an error, panics,
	// or does not return, the pool is broken: waiting tasks fail, and later
	// submissions return, with an error that is ErrBroken.
	OnStart func() error
	// OnStop runs on each thread after its last task, if OnStart returned nil,
	// even if a task called runtime.Goexit, but not if C code ends the thread.
	// A thread's successor starts when the thread is gone, so at most Threads
	// threads are between OnStart and OnStop.
	OnStop func()
}

// maxThreads is Linux's PID_MAX_LIMIT, the most threads that any system has.
const maxThreads = 1 << 22

var executors atomic.Uint64 // numbers of default names

// check returns o with its defaults, or what is wrong with it. It creates
// nothing.
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
// Executor that becomes garbage closes itself some time later: waiting tasks
// are run, and the threads end.
//
// A thread is started when work arrives and no thread is free, up to
// Options.Threads. Tasks begin in the order of submission.
//
// It must not be copied. The zero Executor is closed.
type Executor struct {
	_ noCopy
	*handle
}

// A handle is the part of an executor that becomes garbage. A copy of the
// Executor, which vet reports, shares the handle, so the pool is not closed
// while the copy is in use.
type handle struct{ p *pool }

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// pool returns e's pool, for the zero Executor noPool.
func (e *Executor) pool() *pool {
	if e.handle == nil {
		return noPool
	}
	return e.p
}

// noPool is a closed pool.
var noPool = func() *pool {
	p := newPool(Options{Attr: &osthread.Attr{Name: "none"}}, 0)
	p.closed = true
	p.announce(true)
	return p
}()

// New returns an executor; its threads start when they are needed. It returns
// an error that is ErrInvalid for an option out of range, what thread.Start
// returns for a bad attribute (ErrStackSize, syscall.EINVAL,
// errors.ErrUnsupported), what thread.Reserve returns, and ErrShutdown once
// osthread.Shutdown has begun.
func New(o Options) (*Executor, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	p := newPool(o, 0)
	if o.Reserve {
		if p.release, err = thread.Reserve(o.Threads); err != nil {
			return nil, err
		}
	}
	if err := atExit.add(p, p.Attr.Daemon); err != nil {
		p.releasePlaces()
		return nil, err
	}
	h := &handle{p}
	runtime.AddCleanup(h, (*pool).close, p) // nothing in p leads to h
	return &Executor{handle: h}, nil
}

// Submit makes e run fn and returns the future of its result. It returns a nil
// future and: ErrShutdown once e is closed; an error that is ErrBroken, see
// Options.OnStart; what thread.Start returned if e has no thread and cannot
// start one. If the backlog is full it does what Options.Full says. If it then
// waits for room that cannot appear, since all threads of e wait for the
// caller, directly or over other pools and workers, it returns ErrDeadlock. A
// nil fn does nothing: its result is a zero T and no error, as everywhere in
// this package.
func Submit[T any](e *Executor, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	p := e.pool()
	return submit(p, fn, p.Full, park.Unlimited())
}

// TrySubmit is Submit that returns ErrFull if the backlog is full, whatever
// Options.Full says.
func TrySubmit[T any](e *Executor, fn func() (T, error)) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	return submit(e.pool(), fn, Reject, park.Forever())
}

// SubmitTimeout is Submit that waits for room for at most d; past that it
// returns ErrFull and fn will not run.
func SubmitTimeout[T any](e *Executor, fn func() (T, error), d time.Duration) (*Future[T], error) {
	defer runtime.KeepAlive(e.handle)
	p := e.pool()
	return submit(p, fn, p.Full, park.For(d))
}

// SubmitContext is Submit that waits for room until ctx is done; it then
// returns ctx's cause and fn will not run. Once it has returned a future ctx
// has no effect on that: fn may check it.
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
	traced := traceTask(f)
	if err := p.submit(&f.task, full, l); err != nil {
		traced.End()
		return nil, err
	}
	return f, nil
}

// traceTask makes f, which nobody else has yet, a task of the execution trace,
// if one runs.
func traceTask[T any](f *Future[T]) *trace.Task {
	t := trace.NewTask("executor task")
	if t == nil {
		return nil
	}
	f.callbacks = &callback{call: t.End}
	if fn := f.fn; fn != nil {
		f.fn = func() (v T, err error) {
			t.Run(func() { v, err = fn() })
			return v, err
		}
	}
	return t
}

// Threads returns e's threads that are not gone, including those that are
// ending, in the order of the numbers in their names.
func (e *Executor) Threads() []*osthread.Thread {
	defer runtime.KeepAlive(e.handle)
	return e.pool().alive()
}

// Queued returns the number of tasks in the backlog. The result may be stale by
// the time it is used.
func (e *Executor) Queued() int {
	defer runtime.KeepAlive(e.handle)
	return e.pool().queued()
}

// Close closes e, so that Submit fails, and waits until all accepted work is
// done and all threads are gone (Python: shutdown(), with). It may be called
// any number of times. On a thread of e, including in a callback, in OnStop and
// in the destructor of a thread.Key, it closes e, does not wait, and returns
// ErrDeadlock. So it does where a thread of e waits for the calling thread,
// directly or over other pools and workers. A caller that waits in Submit for
// room gets ErrShutdown.
//
// Close does not wait for what a caller of Submit runs itself, see RunInCaller.
func (e *Executor) Close() error {
	_, err := e.pool().shutdown(park.Unlimited())
	return err
}

// TryShutdown is ShutdownTimeout(0): it closes e and does not wait (Python:
// shutdown(wait=False)).
func (e *Executor) TryShutdown() (running []*osthread.Thread, err error) { return e.ShutdownTimeout(0) }

// ShutdownTimeout is Close that waits for at most d; past that it returns the
// threads that are not gone, and ErrTimeout.
func (e *Executor) ShutdownTimeout(d time.Duration) (running []*osthread.Thread, err error) {
	return e.pool().shutdown(park.For(d))
}

// Shutdown is Close until ctx is done; it then returns the threads that are not
// gone, and ctx's cause. If ctx is already done it closes e and does not wait.
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

// ShutdownNow is Shutdown that cancels the tasks that have not begun (Python:
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
