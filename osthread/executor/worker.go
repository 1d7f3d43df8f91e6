package executor

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/pump"
	"example.com/thread/internal/waitfor"
	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/inbox"
	"example.com/thread/osthread/internal/protect"
)

// internal/inbox hands functions to a worker's thread and their results back.
// slot is that of the thread while it serves. No other thread has the same slot
// (internal/ident), and no goroutine but the worker's ever runs on that thread.
// So a caller that finds slot in its own thread is on the worker's, perhaps
// below a callback from C.
//
// A goroutine joins the thread and fails the calls that are left (reap),
// however the thread ends: C code may end it so that nothing of main runs any
// more. The same goroutine starts the thread, so it inherits nothing from the
// caller of NewWorker.

// A Worker is one thread that calls functions, one after the other, for any
// caller. It is for a C library that is tied to the thread on which it was
// first used, or whose state belongs to a thread. It comes from NewWorker or
// NewWorkerWith; the zero Worker is shut down. It must not be copied. A Worker
// is not garbage collected; call Shutdown or Close to release its thread.
//
// Any thread or goroutine may call any method. On the worker's own thread a
// call does not go through the queue: the function runs at once. So a function
// that the worker runs, or a callback from C in it, may use the worker like any
// other caller and does not wait for itself.
//
// What the methods say about order, about a busy worker, about one that is shut
// down, and about runtime.Goexit holds for other threads. A call on the
// worker's own thread is a plain call of the function, with its panic as an
// error.
//
// A library with an event loop of its own runs the loop in a function of the
// worker. The loop calls [Worker.Poll] or [Worker.Wait], and [Worker.OnPost]
// wakes it:
//
//	w.OnPost(func() { C.uv_async_send(async) }) // whose callback calls w.Poll
//	w.Go(func() { C.uv_run(loop, C.UV_RUN_DEFAULT) })
//
// A worker in a single-threaded apartment of COM (osthread.Attr.Apartment)
// dispatches the window messages of its thread while it waits for functions and
// between them. So calls into its objects are answered, and senders to its
// windows continue. While a function runs, dispatching is up to the function.
// Messages without a window, including WM_QUIT, are dropped. A window procedure
// must not panic.
//
// In the terms of the Go memory model, a call synchronizes before its function
// begins, and the end of the function synchronizes before the return of the
// call.
type Worker struct {
	_      noCopy
	box    inbox.Box
	thread *osthread.Thread // nil: the zero Worker
	slot   atomic.Uintptr
	host   waitfor.Thread
	pump   *pump.Pump // nil: the worker waits in its box
	o      WorkerOptions

	started bool         // OnStart has returned nil
	begun   chan error   // nil once the worker serves, or why it does not
	server  inbox.Server // of the thread, and after its end of reap
}

// WorkerOptions are the options of a worker; the zero value stands for the
// defaults.
type WorkerOptions struct {
	// Attr holds the attributes of the thread; nil stands for the defaults. A
	// Name of "" stands for worker-N, N counting from 1.
	Attr *osthread.Attr
	// OnStart runs on the thread before all functions: to make a GL context,
	// attach a JVM. If it returns an error, panics or does not return,
	// NewWorkerWith returns an error that is ErrBroken and that error. The
	// worker cannot be used in it.
	OnStart func() error
	// OnStop runs on the thread after the last function, if OnStart returned
	// nil, even if a function called runtime.Goexit, but not if C code ends the
	// thread.
	OnStop func()
}

var workers atomic.Uint64 // numbers of default names

// NewWorker returns a worker whose thread has these attributes, nil for the
// defaults, and waits for work. It returns what osthread.Thread.Start does; for
// a single-threaded apartment errors.ErrUnsupported where Windows has no
// windows (Nano Server), and the system's error if it cannot create an event.
// The end of the process waits for the work of a worker (see
// osthread.Shutdown), unless attr.Daemon is set.
//
// What attr does not set the thread inherits from the process, not from the
// caller, which may be a daemon and whose namespaces, credentials or affinity
// may be its own.
func NewWorker(attr *osthread.Attr) (*Worker, error) {
	return NewWorkerWith(WorkerOptions{Attr: attr})
}

// NewWorkerWith is NewWorker with functions that begin and end the thread. It
// returns when OnStart has returned.
func NewWorkerWith(o WorkerOptions) (*Worker, error) {
	o.Attr = cloneAttr(o.Attr)
	if o.Attr.Name == "" {
		o.Attr.Name = fmt.Sprintf("worker-%d", workers.Add(1))
	}
	w := &Worker{o: o, begun: make(chan error, 1)}
	w.host.Owner = w
	w.box.Busy, w.box.Running = ErrBusy, ErrRunning
	w.box.ServeAs(&w.host)
	if err := w.makePump(); err != nil {
		return nil, err
	}
	if err := atExit.add(w, o.Attr.Daemon); err != nil {
		w.closePump()
		return nil, err
	}
	go w.supervise()
	if err := <-w.begun; err != nil {
		return nil, err
	}
	return w, nil
}

// cloneAttr returns a copy of attr, which may be nil: the caller may change its
// own later.
func cloneAttr(attr *osthread.Attr) *osthread.Attr {
	if attr == nil {
		return new(osthread.Attr)
	}
	return attr.Clone()
}

// makePump makes a worker in a single-threaded apartment dispatch messages
// while it waits. Start checks the attributes.
func (w *Worker) makePump() (err error) {
	if w.o.Attr.Apartment != thread.ApartmentSTA {
		return nil
	}
	if w.pump, err = pump.New(); w.pump != nil {
		w.box.WaitIn(w.pump)
	}
	return err
}

func (w *Worker) closePump() {
	if w.pump != nil {
		w.pump.Close()
	}
}

// supervise is the goroutine that starts and joins the thread.
func (w *Worker) supervise() {
	t := osthread.New(w.main, w.o.Attr)
	w.thread = t
	if err := t.Start(); err != nil {
		w.gone()
		w.begun <- err
		return
	}
	w.reap(t.Join())
}

// main is the thread's function.
func (w *Worker) main() error {
	w.host.Enter()
	if w.o.OnStart != nil {
		if err := w.o.OnStart(); err != nil {
			return err
		}
	}
	w.started = true
	if w.o.OnStop != nil {
		defer w.o.OnStop()
	}
	w.slot.Store(ident.ID())
	w.begun <- nil
	for c := w.box.Next(park.Forever()); c != nil; c = w.box.Next(park.Forever()) {
		w.server.Run(c)
	}
	return nil
}

// reap shuts the worker down after its thread.
func (w *Worker) reap(end error) {
	w.box.Close(true)
	w.server.Fail(end)
	w.gone()
	if !w.started {
		w.begun <- broken(end)
	}
}

// gone releases what the thread had.
func (w *Worker) gone() {
	w.slot.Store(ident.None) // with 32 bits another thread may get it later
	w.host.Leave()
	w.closePump()
	atExit.remove(w)
}

// Call calls f on the worker's thread, after the calls made before, and returns
// what f returned, or a *PanicError if f panicked. A nil f does nothing. If the
// worker is shut down first Call returns ErrShutdown and f is not called. An f
// that calls runtime.Goexit or thread.Exit ends the thread and with it the
// worker; Call then returns ErrGoexit or ErrExit, or osthread.ErrPthreadExit if
// C code ends the thread.
//
// Call returns ErrDeadlock, and f is not called, if the worker waits for the
// calling thread, directly or over other workers and pools: a function of A
// calls B, and the function that B calls for it calls A. Calls with a limit end
// by themselves and are not checked.
//
// f must not call the next or stop of an iter.Pull that was called elsewhere,
// nor pass its own to other goroutines. Go resumes a coroutine only with the
// thread in the state of runtime.LockOSThread in which iter.Pull was called, on
// the same thread if it was locked, and otherwise ends the process ("coro: OS
// thread locking must match locking at coroutine creation"). A worker's thread
// is locked; most other goroutines are not. Pull the values on one side and
// pass them to the other.
func (w *Worker) Call(f func() error) error {
	return w.call(f, park.Unlimited())
}

// TryCall is Call that does nothing and returns ErrBusy unless the worker is
// waiting for work.
func (w *Worker) TryCall(f func() error) error {
	if w.isHere() {
		return protect.Run(f)
	}
	if w.thread == nil {
		return ErrShutdown
	}
	return w.box.DoIfIdle(f, w)
}

// CallTimeout is Call for at most d; past that it returns an error that is
// ErrTimeout. If f has begun by then the error is ErrRunning too: f continues,
// and may still use what it shares with the caller. With d <= 0 f is not
// called. On the worker's own thread d is ignored.
func (w *Worker) CallTimeout(f func() error, d time.Duration) error {
	if d <= 0 && !w.isHere() {
		if w.thread == nil || w.box.IsShut() {
			return ErrShutdown
		}
		return ErrTimeout
	}
	return w.call(f, park.For(d))
}

// CallContext is CallTimeout until ctx is done, with ctx's cause in place of
// ErrTimeout.
func (w *Worker) CallContext(ctx context.Context, f func() error) error {
	return park.WithContext(ctx, func(l park.Limit) error { return w.call(f, l) })
}

// Go makes the worker call f, after the calls made before, and does not wait
// for it, even on the worker's own thread. A panic of f is reported like that
// of a thread's function (see osthread.SetPanicHook). Go returns ErrShutdown if
// the worker is shut down. A worker that is shut down later still calls f,
// unless ShutdownNow drops it.
func (w *Worker) Go(f func()) error {
	if w.thread == nil {
		return ErrShutdown
	}
	return w.box.Post(f)
}

// Poll calls as many functions as are waiting when it begins, in order, and
// returns how many it called: fewer if callers have given up, or if one of the
// functions polled, too. It is for the event loop of a library, in a function
// of the worker; on other threads it returns ErrNotOwner. It does not sleep.
// Once the worker is shut down and nothing is left it returns ErrShutdown: the
// loop should end.
func (w *Worker) Poll() (int, error) {
	if !w.isHere() {
		return 0, ErrNotOwner
	}
	n := 0
	for most := w.box.Len(); n < most; n++ {
		c := w.box.TryNext()
		if c == nil { // called below another function that polls
			break
		}
		w.server.Run(c)
	}
	if w.box.IsClosed() {
		return n, ErrShutdown
	}
	return n, nil
}

// Wait is Poll that sleeps until there is a function to call or the worker is
// shut down. Meanwhile the worker is not busy: TryCall succeeds.
func (w *Worker) Wait() (int, error) { return w.await(park.Unlimited()) }

// WaitTimeout is Wait for at most d.
func (w *Worker) WaitTimeout(d time.Duration) (int, error) {
	if d <= 0 {
		return w.Poll()
	}
	return w.await(park.For(d))
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause.
func (w *Worker) WaitContext(ctx context.Context) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return 0, err
	}
	n, err := w.await(l)
	if n == 0 && err == nil && l.Canceled() { // not if a caller gave up
		err = l.Err(nil)
	}
	return n, err
}

func (w *Worker) await(l park.Limit) (int, error) {
	if !w.isHere() {
		return 0, ErrNotOwner
	}
	w.box.Await(l)
	n, err := w.Poll()
	if n == 0 && err == nil && l.Asked() {
		err = l.Err(nil)
	}
	return n, err
}

// OnPost makes f be called for each function that is added, by the caller that
// adds it, on any thread, and once when the worker is shut down; nil stands for
// none. It is for waking a library's event loop, as uv_async_send or
// glfwPostEmptyEvent do, so that it calls Poll. Call OnPost(nil) before the
// loop is destroyed; a call of f that has begun by then continues. A panic of f
// is reported like that of a thread's function.
func (w *Worker) OnPost(f func()) { w.box.OnPost(f) }

// Call is w.Call of a function that also returns a value.
func Call[T any](w *Worker, f func() (T, error)) (T, error) {
	return valueOf(w.Call, f)
}

// CallTimeout is w.CallTimeout of a function that also returns a value.
func CallTimeout[T any](w *Worker, f func() (T, error), d time.Duration) (T, error) {
	return valueOf(func(f func() error) error { return w.CallTimeout(f, d) }, f)
}

// CallContext is w.CallContext of a function that also returns a value.
func CallContext[T any](ctx context.Context, w *Worker, f func() (T, error)) (T, error) {
	return valueOf(func(f func() error) error { return w.CallContext(ctx, f) }, f)
}

// valueOf passes f to call and returns its value. When call gives up on a
// running f, f may still write its value, so the value is read only if f has
// returned.
func valueOf[T any](call func(func() error) error, f func() (T, error)) (v T, err error) {
	type result struct {
		v    T
		done atomic.Bool
	}
	if f == nil {
		return v, call(nil)
	}
	r := new(result)
	err = call(func() (err error) {
		r.v, err = f()
		r.done.Store(true)
		return err
	})
	if r.done.Load() {
		v = r.v
	}
	return v, err
}

// Thread returns the worker's thread, nil for the zero Worker's.
func (w *Worker) Thread() *osthread.Thread { return w.thread }

// Backlog returns the number of functions that wait to be called. The result
// may be stale by the time it is used.
func (w *Worker) Backlog() int { return w.box.Len() }

// Shutdown makes Call and Go return ErrShutdown, lets the worker finish the
// calls made before, and waits for its thread to end, or until ctx is done; it
// then returns ctx's cause. It may be called again, for example to wait longer.
// If a function has ended the thread it returns what Thread.Join does:
// ErrGoexit, ErrExit or ErrPthreadExit. It returns ErrDeadlock on the worker's
// own thread, which ends nevertheless, or if ctx is never done and the worker
// waits for the calling thread, directly or over other workers and pools.
func (w *Worker) Shutdown(ctx context.Context) error {
	w.box.Close(false)
	if w.thread == nil {
		return nil
	}
	if w.isHere() {
		return ErrDeadlock
	}
	if ctx.Done() == nil {
		if here := waitfor.Here(); here != nil {
			if !here.Wait((*hostWait)(&w.host)) {
				return ErrDeadlock
			}
			defer here.Resume()
		}
	}
	return w.thread.JoinContext(ctx)
}

// Close is Shutdown without a limit. It makes a Worker an io.Closer.
func (w *Worker) Close() error { return w.Shutdown(context.Background()) }

// ShutdownNow is Shutdown that does not wait and drops the calls that have not
// begun: their callers get ErrShutdown. It returns the number of dropped calls,
// including those of Go.
func (w *Worker) ShutdownNow() (dropped int) { return w.box.Close(true) }

// closeAtExit is Shutdown without the wait.
func (w *Worker) closeAtExit() { w.box.Close(false) }

// String returns the thread's name, and how many functions wait.
func (w *Worker) String() string {
	if w.thread == nil {
		return "Worker(none)"
	}
	return fmt.Sprintf("Worker(%s, %d queued)", w.thread.Name(), w.box.Len())
}

func (w *Worker) call(f func() error, l park.Limit) error {
	if w.isHere() {
		return protect.Run(f)
	}
	if w.thread == nil {
		return ErrShutdown
	}
	return w.box.Do(f, l, w)
}

// isHere reports whether the caller is on the worker's thread.
func (w *Worker) isHere() bool {
	s := w.slot.Load()
	return s != ident.None && ident.Slot() == s
}
