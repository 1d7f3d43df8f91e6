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
// [RunIsolated] runs one function on a thread that nobody gets afterwards.
// Where any goroutine will do, a go statement and a channel cost less.
//
// # What runs where
//
// A function runs on one thread from its beginning to its end, with what
// Options.OnStart has done there. What it starts by a go statement runs
// elsewhere. Whatever it leaves in the thread, a signal mask, an affinity,
// credentials, the next function finds: such work is for RunIsolated, or for
// OnStart.
//
// A function that panics has the *PanicError for its result, and the hook for
// panics is not told; its thread is replaced, as C code may be in any state.
// One that calls runtime.Goexit or thread.Exit, or whose thread C code ends,
// costs its thread as well. Every future is done some day, if its function
// ends: even if a thread cannot be started, or OnStart fails.
//
// Threads of pools and workers inherit from the process, not from who calls
// New, Submit or NewWorker: what that thread has of its own, namespaces,
// credentials, affinity, niceness, does not reach them unless the attributes
// say so. RunIsolated's inherits from its caller.
//
// Pools and workers may be made, and used, in init functions and the
// initializers of package variables. A thread that starts there is a pinned one
// (see thread.Start), for as long as it lives; with a stack size in its
// attributes it cannot start there, which is errors.ErrUnsupported.
//
// Callbacks (OnDone) run on the thread that ends the future. When a thread has
// ended with it, they come after its successor has started, on a thread that is
// made for them; Close and the end of the process wait for that as for the
// pool's own.
//
// # Deadlocks
//
// A function that waits for another of the same pool holds its thread
// meanwhile. Once all threads are held so, nobody is left to run what they wait
// for, and with a bounded backlog the same goes for a function that submits;
// and two workers may wait for each other. What closes such a circle gets
// ErrDeadlock: Future.Result, Submit, Worker.Call and their kin return it, Wait
// and AsCompleted, which return no error, panic with it. It is known where
// everybody in the circle is a thread of a pool or worker that waits without a
// limit for a future, a place or a worker; and not if one waits for a lock, a
// channel or a goroutine, is the main thread, or holds a thread in a pool that
// may start more. A wait with a limit ends by itself. Let functions return what
// is to be done next, or use OnDone, or a second pool: work may wait for work
// in pools further down, never up. A function that waits for its own future
// gets ErrDeadlock with a context too, and so does one that closes its own
// pool.
//
// # Costs
//
// A Submit and its Result take some 0.4 us where another processor is free for
// the thread, against 45 for the start and the join of a thread; with
// GOMAXPROCS=1 they take two switches of threads, 28 against 180 us (2
// processors, Linux, BenchmarkSubmitResult and BenchmarkStartJoin). A task is
// one allocation, its future. Threads, and waiters for a future, look for
// what they wait for during some 40 us before they sleep, where that has paid
// lately.
//
// The documentation has a table from Python's concurrent.futures to this
// package in docs/python.md.
package executor
