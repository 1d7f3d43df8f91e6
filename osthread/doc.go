// Package osthread is Python's threading on real operating-system threads:
// threads with names, daemons, results and hooks, a registry of all live
// threads, and locks, conditions, semaphores, events, barriers, timers and
// thread-local values that threads and goroutines share.
//
//	t, err := osthread.Go(func() error { return render(scene) })
//	if err != nil {
//		return err // the system cannot create another thread
//	}
//	err = t.Join() // what render returned, or *PanicError
//
// Package thread, below, has the threads of the system: stack sizes, affinity,
// C interop, alien threads. A program built on threads calls [RunMain] in main.
//
// # Two kinds of waiters
//
// A waiter may be a thread (made by this module, attached, or created by C; see
// package thread) or an ordinary goroutine. A thread spins briefly where that
// pays off and then sleeps on a futex of its own. A goroutine sleeps in Go's
// scheduler, so 100,000 of them wait without a thread. Both are in the same
// queue, in FIFO order, except for waiters that were woken to retry and failed.
// A goroutine that is locked to its thread by runtime.LockOSThread alone waits
// as a thread, too, if GOMAXPROCS is above 1. With the build tag portablepark,
// and with Go releases that are not known yet, it waits as an ordinary one, and
// each sleep costs it two thread switches. thread.Attach makes it a thread
// everywhere. Package [example.com/thread/osthread/sync] has the names of Go's
// sync for such programs.
//
// # Four shapes
//
// Every operation that waits has four forms: Lock, TryLock, LockTimeout(d),
// LockContext(ctx); likewise Acquire, Wait and Join. With d <= 0 an operation
// never sleeps. The form without a limit waits for as long as it takes, or
// until the thread is canceled. The clock is monotonic. If ctx is already done
// its cause is returned without a try. A waiter that was given something before
// its deadline keeps it, whatever the clock says when it wakes.
//
// A context that is done before its waiter is served (cancel(), then Release)
// ends the wait: the waiter takes nothing, and gives back what it was handed.
// This holds for contexts of package context and those that embed one. Of other
// contexts, with a channel of their own, the waker does not know the state, and
// the wait for a queue, a condition or a barrier may still succeed. A context
// is used before the wait begins and after it has ended, outside every lock of
// this package; it may panic, or use the object that is waited for.
//
// # Cancellation
//
// [Thread.Cancel] ends one wait of a thread, the present one or else the next,
// of any form and any package of this module, and makes [Thread.Context] done
// for all else. The wait ends as after a timeout: it has taken nothing, the
// caller of Condition.Wait holds L. Then
//
//   - a call that returns an error returns the cause: Join, Queue.Get,
//     Future.Result, Worker.Call, thread.Park, thread.Sigwait, and all forms
//     with a context;
//   - any other call, like Lock.Lock or Event.WaitTimeout, panics with a
//     [*CanceledError]. If nothing recovers it, deferred calls run, and the
//     cause becomes the result: of the thread, or of the task or call that ran
//     on it. It is not reported as a panic.
//
// Later waits are as ever, so deferred calls and error handling may wait. A
// wait that is served at the moment of the Cancel succeeds, and the next one
// ends. A call that does not have to wait does not notice, nor does one with a
// timeout of 0 or less, such as a Try. A function that notices by the context
// calls [Canceled], and [Uncanceled] keeps Cancel away from waits that must go
// on.
//
// Not ended are Group.Wait, the wait of a pool's or worker's thread for work,
// TryCall and TryDo of a call that has begun, a Condition's wait for L, and the
// Lock of a sync.Locker that a lock of package shared returns. A wait for a
// shared.Mutex with Inherit ends within a tenth of a second. On a dummy (see
// [Current]), below which may be frames of C, only calls that return an error
// end. A system call or a call of C ends by [thread.Thread.Interrupt].
//
// # Which of the two packages
//
// Package thread has the threads of the system; this package has threads as in
// Python, built on those. Names that both have differ:
//
//	                 thread                              osthread
//	Current          nil on an ordinary goroutine        a dummy there, the main thread in RunMain
//	NumThread        those of Start                      all live threads, including dummies
//	Threads          those with a record, also aliens    those that NumThread counts
//	Key, Local       a value for threads only            for any goroutine, that of its thread
//	Lock             C can share it; no queue            a queue, fairness; see Lock
//	Attr             the attributes                      those and Daemon, Name
//	SetPanicHook     threads of thread.Start alone       threads of this package, Workers, pools
//
// In a program with this package use it for everything except the attributes
// and calls that [Thread.OSThread] gives access to.
//
// # testing/synctest
//
// In a bubble of testing/synctest timeouts use the bubble's time, and an
// ordinary goroutine that waits for an object of this package is durably
// blocked, as with sync.Cond (Go 1.26 and 1.27; with later versions its wait
// holds up the bubble's time until this package supports them). So the object
// must be released from within the bubble. Waits for threads are not durable:
// Thread.Join, the future of a pool, a call to a Worker or the main thread,
// thread.Join and thread.ParkContext. Threads, pinned ones as well, are in no
// bubble, even if they are started in one. Make pools and workers, and let a
// pool start its threads, outside the bubble: otherwise the goroutines that
// supervise them are in it, and it ends only after those.
//
// # iter.Pull
//
// Go ends the process when next of an iter.Pull is called on a goroutine that
// is locked to a thread in another way than where Pull was called. Every thread
// of this module is locked, and a goroutine is while it holds an RLock. Call
// Pull, next and stop on one thread, with the same locks held and the same
// calls of Attach and runtime.LockOSThread outstanding, or with none.
//
// # Watch mode
//
// With OSTHREAD_WATCH=1 in the environment, the build tag osthreadwatch, or
// [Watch] in an init function, locks, semaphores and queues know their holders
// and the calls that acquired them. It is for finding out why a program is
// stuck, or could be: different orders of locking are reported before they
// deadlock. See [Named], and package inspect.
//
// # Misuse
//
// A method that returns an error returns misuse as an error: [ErrStarted],
// [ErrNotStarted], [ErrDeadlock]. Other methods, like Unlock, panic with an
// error that is [ErrNotLocked] and so on by errors.Is. The panic can be
// recovered, and the object is unchanged.
//
// # Memory
//
// Each type says which call synchronizes before which, in the terms of the Go
// memory model. The race detector sees all of these edges.
//
// # Packages below
//
// Package queue has Python's queues. Package executor has its executors and
// futures, and a Worker: one thread for a C library. Package mainthread calls
// functions on the process's first thread. Package inspect shows what the
// threads of the process are doing, and finds deadlocks; its package web does
// so on a page.
//
// See docs/python.md for a table from Python's threading to this package.
package osthread
