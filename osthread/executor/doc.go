// Package executor runs functions on threads of package osthread: on a pool of
// them, as Python's concurrent.futures does, or on one.
//
//	e, err := executor.New(executor.Options{Threads: 4, Attr: &osthread.Attr{StackSize: 64 << 20}})
//	if err != nil {
//		return err
//	}
//	defer e.Close()
//	f, err := executor.Submit(e, func() (Image, error) { return decode(file) })
//	if err != nil {
//		return err
//	}
//	image, err := f.Result()
//
// An [Executor] is a pool; in a [Keyed] one, work with the same key runs on the
// same thread; a [Worker] is one thread that others call functions on.
// [RunIsolated] runs one function on a thread that is not reused. Where any
// goroutine will do, a go statement and a channel cost less.
//
// # What runs where
//
// A function runs on one thread from beginning to end, with what
// Options.OnStart has done there. What it starts by a go statement runs
// elsewhere. State that it leaves in the thread, such as a signal mask, an
// affinity or credentials, affects the next function: use RunIsolated or
// OnStart for such work.
//
// The result of a function that panics is the *PanicError, and the panic hook
// is not called; its thread is replaced, since C code may be in any state. A
// function that calls runtime.Goexit or thread.Exit, or whose thread C code
// ends, ends its thread as well. Every future completes eventually, provided
// that its function ends, even if a thread cannot be started or OnStart fails.
//
// Threads of pools and workers inherit from the process, not from the caller of
// New, Submit or NewWorker: namespaces, credentials, affinity and niceness of
// that thread do not reach them unless the attributes say so. The thread of
// RunIsolated inherits from its caller.
//
// Pools and workers may be created and used in init functions and the
// initializers of package variables. A thread that starts there is pinned (see
// thread.Start) for its whole life. With a stack size in its attributes it
// cannot start there: errors.ErrUnsupported.
//
// Callbacks (OnDone) run on the thread that completes the future. When a thread
// has ended with it, they run after its successor has started, on a thread made
// for them; Close and the end of the process wait for that thread as for the
// pool's own.
//
// # Deadlocks
//
// A function that waits for another of the same pool holds its thread
// meanwhile. Once all threads are held so, none is left to run what they wait
// for. With a bounded backlog the same holds for a function that submits, and
// two workers may wait for each other. The call that closes such a circle gets
// ErrDeadlock: Future.Result, Submit, Worker.Call and their variants return it;
// Wait and AsCompleted, which return no error, panic with it. A deadlock is
// detected if everything in the circle is a thread of a pool or worker that
// waits without a limit for a future, for room or for a worker. It is not
// detected if one of them waits for a lock, a channel or a goroutine, is the
// main thread, or holds a thread in a pool that may start more. A wait with a
// limit ends by itself. Let functions return what is to be done next, or use
// OnDone or a second pool: work may wait for work in pools further down, never
// up. A function that waits for its own future gets ErrDeadlock even with a
// context, and so does one that closes its own pool.
//
// # Costs
//
// A Submit and its Result take some 0.4 us where another processor is free for
// the thread, against 45 us for the start and join of a thread; with
// GOMAXPROCS=1 they take two thread switches, 28 against 180 us (2 processors,
// Linux, BenchmarkSubmitResult and BenchmarkStartJoin). A task is one
// allocation, its future. Idle threads, and waiters for a future, spin for some
// 40 us before they sleep, where that has paid off lately.
//
// See docs/python.md for a table from Python's concurrent.futures to this
// package.
package executor
