package executor

import (
	"context"
	"sync/atomic"
	"time"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/inbox"
	"example.com/thread/internal/park"
	"example.com/thread/osthread"
)

// How functions get to a worker's thread, and their results back, is internal/inbox's. slot is the thread's, while it serves: no other has or will
// have it (internal/ident), and no goroutine but the worker's is ever on that thread, so who finds it in its own is on the thread, maybe below a
// callback of C.
//
// However the thread ends, also by C code, after which nothing of serve runs any more, a goroutine that joins it ends the calls that are left (bury).

var (
	// ErrBusy says that a worker is not waiting for work.
	ErrBusy = inbox.ErrBusy
	// ErrRunning comes with the error of a call that was given up while its function ran. That goes on, and what it returns is lost.
	ErrRunning = inbox.ErrRunning
)

// A Worker is one thread that calls functions, one after the other, for whoever asks: what a C library needs that is tied to the thread it was
// first used on, or whose state is the thread's. It must not be copied. One that is forgotten keeps its thread: call Shutdown.
//
// Any thread or goroutine may call any method. On the worker's own thread calls do not go through the queue, but are made at once: so a
// function that the worker runs, or a callback from C in it, may use the worker as everybody else does, and does not wait for itself.
//
// What the methods say of order, of a busy worker, of one that is shut down, and of runtime.Goexit is for other threads: a call on the worker's own
// is just that of the function, with its panic as an error.
//
// A worker in a single-threaded apartment of COM (osthread.Attr.Apartment) dispatches the window messages of its thread while it waits for
// functions, and between them: so calls into its objects are answered, and those who send to its windows go on. While a function runs that is up to
// the function. Messages without a window, WM_QUIT among them, are dropped. A window procedure must not panic.
//
// In the terms of the Go memory model, a call synchronizes before its function begins, and the end of that before the call returns.
type Worker struct {
	box    inbox.Box
	thread *osthread.Thread
	slot   atomic.Uintptr
	bed    bed // nil: the box's own

	running *inbox.Call // the thread's, and when that is gone bury's
}

// NewWorker returns a worker with a thread that has these attributes, nil for the defaults, and waits for work. It returns what
// osthread.Thread.Start does, and for a single-threaded apartment errors.ErrUnsupported where Windows has no windows (Nano Server), and the system's
// error if there is no room for the event that the thread waits on. The end of the process waits for what a worker has to do (see osthread.Shutdown),
// unless attr.Daemon is set.
func NewWorker(attr *osthread.Attr) (*Worker, error) {
	w := new(Worker)
	w.thread = osthread.New(w.serve, attr)
	if err := w.makeBed(attr); err != nil {
		return nil, err
	}
	if err := atExit.add(w, w.thread.Daemon()); err != nil {
		w.stripBed()
		return nil, err
	}
	if err := w.thread.Start(); err != nil {
		atExit.remove(w)
		w.stripBed()
		return nil, err
	}
	go w.bury()
	return w, nil
}

// A bed is where a worker sleeps whose thread has more to wait for than functions.
type bed interface {
	inbox.Bed
	Close()
}

func (w *Worker) makeBed(attr *osthread.Attr) (err error) {
	if w.bed, err = bedFor(attr); w.bed != nil {
		w.box.SleepIn(w.bed)
	}
	return err
}

func (w *Worker) stripBed() {
	if w.bed != nil {
		w.bed.Close()
	}
}

// serve is the thread's function.
func (w *Worker) serve() error {
	w.slot.Store(ident.ID())
	for w.running = w.box.Next(park.Forever()); w.running != nil; w.running = w.box.Next(park.Forever()) {
		w.run()
	}
	return nil
}

// run forgets the call also if its function ends the thread by runtime.Goexit: Run has ended it then.
func (w *Worker) run() {
	defer func() { w.running = nil }()
	w.running.Run()
}

// bury shuts the worker down when its thread is gone.
func (w *Worker) bury() {
	end := w.thread.Join()
	w.box.Close(true)
	if w.running != nil {
		w.running.Fail(end)
	}
	w.stripBed()
	atExit.remove(w)
}

// Call calls f, if that is not nil, on the worker's thread, after what was asked before, and returns what f returned, or a *PanicError if it
// panicked. It returns ErrShutdown, and f is not called, if the worker is shut down before. An f that calls runtime.Goexit or thread.Exit ends the
// thread and with it the worker; Call then returns ErrGoexit, or osthread.ErrPthreadExit if it is C code that ends the thread.
func (w *Worker) Call(f func() error) error {
	return w.call(f, park.Forever())
}

// TryCall is Call that does nothing and returns ErrBusy unless the worker waits for work.
func (w *Worker) TryCall(f func() error) error {
	if w.isCurrent() {
		return inbox.Inline(f)
	}
	return w.box.DoIfIdle(f, w)
}

// CallTimeout is Call for at most d; past that it returns an error that is ErrTimeout. If f has begun by then the error is ErrRunning too: f goes on,
// and may still use what it shares with the caller. With d <= 0 it is TryCall, which does not wait for its turn, but for f however
// long that takes. On the worker's own thread d counts for nothing.
func (w *Worker) CallTimeout(f func() error, d time.Duration) error {
	if d <= 0 {
		return w.TryCall(f)
	}
	return w.call(f, park.For(d))
}

// CallContext is CallTimeout until ctx is done, with ctx's cause for ErrTimeout. If ctx is done already f is not called.
func (w *Worker) CallContext(ctx context.Context, f func() error) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return w.call(f, l)
}

// Go has f called on the worker's thread, after what was asked before, and does not wait for it, also on the worker's own thread. A panic of f is
// reported like that of a thread's function (see osthread.SetPanicHook). It returns ErrShutdown if the worker is shut down; one that is shut down
// later still calls f, unless ShutdownNow drops it.
func (w *Worker) Go(f func()) error { return w.box.Post(f) }

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

// valueOf brings f's value back by call, which calls what it is given. When call gives up on a running function that one may still write its value,
// so it is read only if the function has returned.
func valueOf[T any](call func(func() error) error, f func() (T, error)) (v T, err error) {
	type result struct {
		v    T
		done atomic.Bool
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

// Thread returns the worker's thread.
func (w *Worker) Thread() *osthread.Thread { return w.thread }

// Backlog returns how many functions wait for their turn. By the time the caller looks at the result it may be otherwise.
func (w *Worker) Backlog() int { return w.box.Len() }

// Shutdown makes Call and Go return ErrShutdown, lets the worker do what it was asked before, and waits for its thread to end, or until ctx is done;
// it then returns ctx's cause. It may be called again, also to wait longer. If a function has ended the thread it returns what Thread.Join does:
// ErrGoexit, ErrExit or ErrPthreadExit; and ErrDeadlock on the worker's own thread, which ends nevertheless.
func (w *Worker) Shutdown(ctx context.Context) error {
	w.box.Close(false)
	return w.thread.JoinContext(ctx)
}

// ShutdownNow is Shutdown that does not wait, and drops what has not begun: who waits for that gets ErrShutdown. It returns how many functions it has
// dropped, those of Go among them.
func (w *Worker) ShutdownNow() (dropped int) { return w.box.Close(true) }

// closeAtExit is Shutdown without the wait.
func (w *Worker) closeAtExit() { w.box.Close(false) }

func (w *Worker) call(f func() error, l park.Limit) error {
	if w.isCurrent() {
		return inbox.Inline(f)
	}
	return w.box.Do(f, l, w)
}

// isCurrent reports whether the caller is on the worker's thread.
func (w *Worker) isCurrent() bool {
	s := w.slot.Load()
	return s != ident.None && ident.Slot() == s
}
