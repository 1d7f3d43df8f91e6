// Package osthread is Python's threading on real operating-system threads:
// threads with names, daemons, results and hooks, a registry of all that are
// alive, and locks, conditions, semaphores, events, barriers, timers and
// thread-local values that threads and goroutines share.
//
//	t, err := osthread.Go(func() error { return render(scene) })
//	if err != nil {
//		return err // the system has no room for one more
//	}
//	err = t.Join() // what render returned, or *PanicError
//
// Package thread, below, has the threads themselves: stack sizes, affinity, C
// interop, alien threads. A program that lives by its threads calls [RunMain]
// in main.
//
// # Two kinds of sleepers
//
// Whatever waits here may be a thread (one of ours, attached, or C's, as
// package thread tells them) or an ordinary goroutine. A thread spins for a
// moment where that pays and then sleeps on a futex of its own; a goroutine
// sleeps in Go's scheduler, so that 100,000 of them wait without a thread. Both
// stand in the same queue, in the order in which they came, unless they were
// woken to look for themselves and found nothing. A goroutine that is locked to
// its thread by runtime.LockOSThread alone is taken for an ordinary one, and
// pays two switches of threads for each sleep: thread.Attach makes it a thread.
//
// # Four shapes
//
// Every operation that waits has them: Lock, TryLock, LockTimeout(d),
// LockContext(ctx); likewise Acquire, Wait and Join. d <= 0 never sleeps; the
// form without a deadline waits for ever; the clock is monotonic. A context
// that is done already gets its cause back without a wait. A waiter that was
// given something before its time was up has it, whatever the clock says.
//
// A context that is done before what the wait is for comes (cancel(), then
// Release) ends the wait, which takes nothing, and gives back what it was
// handed. That holds for contexts of package context and those that embed one;
// of others, with a channel of their own, the one who gives does not know, and
// the wait of a queue, a condition or a barrier may still succeed. A context is
// asked before the wait begins and after it has ended, outside every lock of
// this package; it may panic, or use what is waited for.
//
// # Which of the two packages
//
// Package thread has the threads of the system, this one threads as Python has
// them, which are made of those. Names that both have differ so:
//
//	                 thread                              osthread
//	Current          nil on an ordinary goroutine        a dummy there, the main thread in RunMain
//	NumThread        those of Start                      all that are alive here, also dummies
//	Threads          those with a record, also aliens    the same as NumThread counts
//	Key, Local       a value on threads alone            on any goroutine, its thread's
//	Lock             C can share it; no queue            a queue, fairness; see Lock
//	Attr             the attributes                      those and Daemon, Name
//	SetPanicHook     threads of thread.Start alone       threads of this package, Workers, pools
//
// Where this package is used use it for all but the attributes and calls that
// [Thread.OSThread] gives access to.
//
// # testing/synctest
//
// In a bubble of testing/synctest timeouts are of the bubble's time, and an
// ordinary goroutine that waits for something of this package is durably
// blocked, as with sync.Cond (Go 1.26 and 1.27; with later versions its wait
// holds up the bubble's time until this package knows them). So what is waited
// for must come from the bubble. Waits for threads are not durable:
// Thread.Join, the future of a pool, the call of a Worker or the main thread,
// thread.Join and thread.ParkContext. Make pools and workers, and have a pool
// start its threads, outside the bubble: their goroutines would be in it, and
// it ends only after them. Threads are in no bubble.
//
// # iter.Pull
//
// Go ends the process when next of an iter.Pull is called with its goroutine
// locked to a thread otherwise than where Pull was called. Every thread of this
// module is locked so, and a goroutine is while it holds an RLock: call Pull,
// next and stop all on one thread, with the same locks and calls of Attach and
// runtime.LockOSThread open, or none of them there.
//
// # Misuse
//
// What returns an error returns it: [ErrStarted], [ErrNotStarted],
// [ErrDeadlock]. What cannot, as Unlock, panics with an error that errors.Is
// [ErrNotLocked] and so on; it can be recovered, and the object is as it was.
//
// # Memory
//
// Each type says which call synchronizes before which, in the terms of the Go
// memory model. The race detector sees all of it.
//
// # Packages below
//
// Package queue has Python's queues, package executor its executors and
// futures, and a Worker, one thread for a C library; package mainthread has
// functions called on the process's first thread.
//
// The documentation has a table from Python's threading to this package in
// docs/python.md.
package osthread
