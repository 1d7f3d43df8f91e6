package executor

import (
	"context"
	"fmt"
	"slices"
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

// How functions get to a worker's thread, and their results back, is
// internal/inbox's. slot is the thread's, while it serves: no other has or will
// have it (internal/ident), and no goroutine but the worker's is ever on that
// thread, so who finds it in its own is on the thread, maybe below a callback
// of C.
//
// However the thread ends, also by C code, after which nothing of serve runs
// any more, a goroutine that joins it ends the calls that are left (reap). The
// same goroutine starts it, so it inherits nothing from who calls NewWorker.

// A Worker is one thread that calls functions, one after the other, for any
// caller: what a C library needs that is tied to the thread it was first used
// on, or whose state is the thread's. It comes from NewWorker or NewWorkerWith;
// the zero Worker is one that is shut down. It must not be copied. A Worker is
// not garbage collected: call Shutdown or Close to release its thread.
//
// Any thread or goroutine may call any method. On the worker's own thread calls
// do not go through the queue, but are made at once: so a function that the
// worker runs, or a callback from C in it, may use the worker as everybody else
// does, and does not wait for itself.
//
// What the methods say of order, of a busy worker, of one that is shut down,
// and of runtime.Goexit is for other threads: a call on the worker's own is
// just that of the function, with its panic as an error.
//
// A library with an event loop of its own runs that in a function of the
// worker's, and calls [Worker.Poll] in it, or [Worker.Wait]; [Worker.OnPost]
// wakes it:
//
//	w.OnPost(func() { C.uv_async_send(async) }) // whose callback calls w.Poll
//	w.Go(func() { C.uv_run(loop, C.UV_RUN_DEFAULT) })
//
// A worker in a single-threaded apartment of COM (osthread.Attr.Apartment)
// dispatches the window messages of its thread while it waits for functions,
// and between them: so calls into its objects are answered, and those who send
// to its windows go on. While a function runs that is up to the function.
// Messages without a window, WM_QUIT among them, are dropped. A window
// procedure must not panic.
//
// In the terms of the Go memory model, a call synchronizes before its function
// begins, and the end of that before the call returns.
type Worker struct {
	_      noCopy
	box    inbox.Box
	thread *osthread.Thread // nil: the zero Worker
	slot   atomic.Uintptr
	host   waitfor.Thread
	pump   *pump.Pump // nil: the worker waits in its box
	o      WorkerOptions

	started bool         // OnStart has returned nil
	begun   chan error   // nil, once the worker serves, or why it does not
	server  inbox.Server // the thread's, and when that is gone reap's
}

// WorkerOptions are what a worker is made with; the zero value asks for the
// defaults.
type WorkerOptions struct {
	// Attr holds the attributes of the thread; nil asks for the defaults. A
	// Name of "" stands for worker-N, N counting from 1.
	Attr *osthread.Attr
	// OnStart runs on the thread before all functions: to make a GL context,
	// attach a JVM. If it returns an error, panics or does not return there is
	// no worker, and NewWorkerWith returns an error that is ErrBroken and that
	// error. The worker cannot be used in it.
	OnStart func() error
	// OnStop runs on the thread after the last function, if OnStart has
	// returned nil, even if a function has called runtime.Goexit; not if C code
	// ends the thread.
	OnStop func()
}

var workers atomic.Uint64 // numbers of default names

// NewWorker returns a worker with a thread that has these attributes, nil for
// the defaults, and waits for work. It returns what osthread.Thread.Start does,
// and for a single-threaded apartment errors.ErrUnsupported where Windows has
// no windows (Nano Server), and the system's error if there is no room for the
// event that the thread waits on. The end of the process waits for what a
// worker has to do (see osthread.Shutdown), unless attr.Daemon is set.
//
// What attr does not set the thread has from the process, not from the caller,
// whose namespaces, credentials or affinity may be its own, and who may be a
// daemon.
func NewWorker(attr *osthread.Attr) (*Worker, error) {
	return NewWorkerWith(WorkerOptions{Attr: attr})
}

// NewWorkerWith is NewWorker with functions that begin and end the thread. It
// returns when OnStart has.
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

// cloneAttr returns attr, which may be nil, as it is now: the caller may change
// its own later.
func cloneAttr(attr *osthread.Attr) *osthread.Attr {
	if attr == nil {
		return new(osthread.Attr)
	}
	a := *attr
	a.Affinity, a.SignalMask = slices.Clone(a.Affinity), slices.Clone(a.SignalMask)
	return &a
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

// reap shuts the worker down when its thread is gone.
func (w *Worker) reap(end error) {
	w.box.Close(true)
	w.server.Fail(end)
	w.gone()
	if !w.started {
		w.begun <- broken(end)
	}
}

// gone gives back what the thread had.
func (w *Worker) gone() {
	w.slot.Store(ident.None) // with 32 bits it may be another thread's some day
	w.host.Leave()
	w.closePump()
	atExit.remove(w)
}

// Call calls f on the worker's thread, after what was asked before, and returns
// what f returned, or a *PanicError if it panicked. A nil f does nothing. It
// returns ErrShutdown, and f is not called, if the worker is shut down before.
// An f that calls runtime.Goexit or thread.Exit ends the thread and with it the
// worker; Call then returns ErrGoexit or ErrExit, or osthread.ErrPthreadExit if
// it is C code that ends the thread.
//
// It returns ErrDeadlock, and f is not called, if the worker waits, over
// whatever other workers and pools, for the calling thread: a function of A's
// calls B, and the function that B calls for it calls A. Calls with a limit end
// by themselves and do not look.
//
// An f must not call the next or stop of an iter.Pull that was called
// elsewhere, nor hand out its own: Go resumes a coroutine only with the thread
// in the state of runtime.LockOSThread in which iter.Pull was called, on the
// same thread if it was locked, and ends the process otherwise ("coro: OS
// thread locking must match locking at coroutine creation"). A worker's thread
// is locked, other goroutines mostly are not. Pull the values on one side and
// hand them over.
func (w *Worker) Call(f func() error) error {
	return w.call(f, park.Forever())
}

// TryCall is Call that does nothing and returns ErrBusy unless the worker waits
// for work.
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
// ErrTimeout. If f has begun by then the error is ErrRunning too: f goes on,
// and may still use what it shares with the caller. With d <= 0 f is not
// called. On the worker's own thread d counts for nothing.
func (w *Worker) CallTimeout(f func() error, d time.Duration) error {
	if d <= 0 && !w.isHere() {
		if w.thread == nil || w.box.IsShut() {
			return ErrShutdown
		}
		return ErrTimeout
	}
	return w.call(f, park.For(d))
}

// CallContext is CallTimeout until ctx is done, with ctx's cause for
// ErrTimeout. If ctx is done already f is not called.
func (w *Worker) CallContext(ctx context.Context, f func() error) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return w.call(f, l)
}

// Go has f called on the worker's thread, after what was asked before, and does
// not wait for it, also on the worker's own thread. A panic of f is reported
// like that of a thread's function (see osthread.SetPanicHook). It returns
// ErrShutdown if the worker is shut down; one that is shut down later still
// calls f, unless ShutdownNow drops it.
func (w *Worker) Go(f func()) error {
	if w.thread == nil {
		return ErrShutdown
	}
	return w.box.Post(f)
}

// Poll calls as many functions as wait when it begins, in their order, and
// returns how many it has called: fewer if callers have given up, or one of the
// functions has polled, too. It is for the event loop of a library that a
// function of the worker's runs; on other threads it returns ErrNotOwner. It
// does not sleep. Once the worker is shut down and nothing is left it returns
// ErrShutdown: the loop should end.
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

// Wait is Poll that sleeps until there is something to call, or the worker is
// shut down. Meanwhile the worker is not busy: TryCall finds it waiting.
func (w *Worker) Wait() (int, error) { return w.await(park.Forever()) }

// WaitTimeout is Wait for at most d. d <= 0 never sleeps.
func (w *Worker) WaitTimeout(d time.Duration) (int, error) {
	if d <= 0 {
		return w.Poll()
	}
	return w.await(park.For(d))
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause. If ctx is
// done already it calls nothing.
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
	return w.Poll()
}

// OnPost has f called whenever a function has been asked for, by the one who
// asks, on any thread, and once when the worker is shut down; nil: nothing. It
// is for what wakes a library's event loop, as uv_async_send or
// glfwPostEmptyEvent, so that it comes to Poll. Call OnPost(nil) before the
// loop is destroyed; a call of f that has begun by then goes on. A panic of f
// is reported like that of a thread's function.
func (w *Worker) OnPost(f func()) { w.box.OnPost(f) }

// Call is w.Call of a function that returns a value too.
func Call[T any](w *Worker, f func() (T, error)) (T, error) {
	return valueOf(w.Call, f)
}

// CallTimeout is w.CallTimeout of a function that returns a value too.
func CallTimeout[T any](w *Worker, f func() (T, error), d time.Duration) (T, error) {
	return valueOf(func(f func() error) error { return w.CallTimeout(f, d) }, f)
}

// CallContext is w.CallContext of a function that returns a value too.
func CallContext[T any](ctx context.Context, w *Worker, f func() (T, error)) (T, error) {
	return valueOf(func(f func() error) error { return w.CallContext(ctx, f) }, f)
}

// valueOf brings f's value back by call, which calls what it is given. When
// call gives up on a running function that one may still write its value, so it
// is read only if the function has returned.
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

// Backlog returns how many functions wait to be called. The result may be stale
// by the time it is used.
func (w *Worker) Backlog() int { return w.box.Len() }

// Shutdown makes Call and Go return ErrShutdown, lets the worker do what it was
// asked before, and waits for its thread to end, or until ctx is done; it then
// returns ctx's cause. It may be called again, also to wait longer. If a
// function has ended the thread it returns what Thread.Join does: ErrGoexit,
// ErrExit or ErrPthreadExit; and ErrDeadlock on the worker's own thread, which
// ends nevertheless, or if ctx is never done and the worker waits, over
// whatever other workers and pools, for the calling thread.
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

// Close is Shutdown that waits for as long as it takes. It makes a Worker an
// io.Closer.
func (w *Worker) Close() error { return w.Shutdown(context.Background()) }

// ShutdownNow is Shutdown that does not wait, and drops what has not begun: who
// waits for that gets ErrShutdown. It returns how many functions it has
// dropped, those of Go among them.
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
