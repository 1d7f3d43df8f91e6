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
// # From Python
//
//	threading                         here                              difference
//	active_count                      NumThread
//	enumerate                         Threads                           an iterator over a snapshot
//	current_thread                    Current                           a dummy also for a goroutine, of the thread it is on at the moment; it goes with its
//	                                                                    thread; after that Alive says false, with no error
//	main_thread                       Main                              the thread that ran init; ends with RunMain's function
//	get_ident                         thread.Self                       the type thread.Ident
//	get_native_id                     thread.NativeID
//	stack_size                        thread.StackSize, SetStackSize    also for each thread: Attr.StackSize; the least is MinStackSize
//	settrace, setprofile              SetTrace, SetProfile              of threads, not of lines: start, end, panic, block, resume, release
//	gettrace, getprofile              Trace, Profile
//	settrace_all_threads, ...         SetTraceAll, SetProfileAll        and Thread.SetTrace for one thread
//	excepthook                        SetPanicHook, PanicHook           gets the Thread; nil is the
//	                                                                    default one, so there is no "set
//	                                                                    to None" and no __excepthook__;
//	                                                                    "Panic in thread" for "Exception
//	                                                                    in thread"
//	ExceptHookArgs                    *PanicError                       value and stack
//	TIMEOUT_MAX                       TimeoutMax                        a time.Duration cannot be more, nor NaN or infinite
//	ThreadError                       ErrNotLocked, ErrNotOwner, ...    an error for each kind
//	serialize_iterator and kin        -                                 range over a queue, or a function under a Lock
//	_register_atexit                  AtShutdown; AtExit for atexit
//	_shutdown                         Shutdown, RunMain                 takes a context, and returns who still runs
//	interrupt_main                    InterruptMain                     a real signal, so one without os/signal does what it does by default
//	_thread.start_new_thread          thread.Start                      returns a thread that can be joined
//	_thread.exit, SystemExit          thread.Exit                       Join returns ErrExit
//	_thread.allocate_lock             new(Lock), and thread.Lock for C
//	_thread._count                    thread.NumThread
//	_thread.set_name                  thread.SetName
//	fork                              -                                 a Go process cannot go on in a forked child; use os/exec
//
//	Thread(target, args)              New(func)                         arguments by closure; no group
//	Thread subclass                   NewRunner
//	name                              Name, SetName                     "Thread-N (function)"; the kernel's is cut to what fits, in whole characters
//	daemon                            Daemon, SetDaemon, Attr.Daemon    inherited; ErrStarted after Start, also after the end
//	start                             Start                             also a function, New and Start
//	                                                                    in one; ErrStarted; ErrShutdown
//	                                                                    after Shutdown; a Start that
//	                                                                    fails may be tried again
//	run                               the function, or Runner.Run
//	join(timeout)                     Join, TryJoin, JoinTimeout, ...   returns how the thread ended; a dummy's is ErrNotJoinable; a live daemon's waits
//	                                                                    also during Shutdown
//	is_alive                          Alive
//	ident, native_id                  Ident, NativeID                   0 before Start
//	repr                              String                            of all types, at any time
//	context=                          -                                 values and contexts go by closure
//	exception in run                  Join returns *PanicError          and the hook gets it
//
//	local                             Local[T]                          one typed value; New for __init__; Has, Delete and All besides
//
//	Lock                              Lock                              also Fair; waiting longer than 1 ms is not passed by
//	acquire(blocking, timeout)        Lock, TryLock, LockTimeout, ...   no combinations to refuse; a negative timeout is a try
//	release                           Unlock                            panics with ErrNotLocked, ErrNotOwner
//	locked                            Locked
//	RLock                             RLock                             a goroutine stays on its thread
//	                                                                    while it holds one
//	RLock._is_owned                   Owned, Owner, Depth               _release_save and
//	                                                                    _acquire_restore are Condition's
//	an owner that has ended           the lock stays locked             and, unlike there, no later
//	                                                                    thread owns it (see RLock)
//
//	Condition(lock)                   NewCondition(l)                   any sync.Locker
//	wait, wait_for                    Wait, WaitFor and their shapes    a notified waiter returns true even if its time is up (CPython loses the wake-up)
//	notify(n), notify_all             Notify, NotifyN, NotifyAll        waiters move to the lock's queue
//	not held                          panics with ErrNotLocked,         WaitFor of what is true already does not ask, as there; of other
//	                                  ErrNotOwner                       Lockers than ours it cannot be told
//
//	Semaphore(value)                  NewSemaphore                      the zero value has none; Fair: first come, first served
//	BoundedSemaphore                  NewBoundedSemaphore               the same type; panics with ErrOverflow, nothing released
//	acquire, release(n)               Acquire(n), Release(n)            acquires several at once, too; Value tells how many there are
//	Event                             Event                             and AutoReset
//	Barrier                           NewBarrier                        a timeout is given to each wait; the one that timed out gets ErrTimeout and ErrBroken;
//	                                                                    who comes while the last round is on its way out need not wait for it
//	parties, n_waiting, broken        Parties, Waiting, Broken
//	BrokenBarrierError                ErrBroken
//	Timer                             NewTimer                          Cancel tells whether it came in time; finished is set also if the function panics
//	with                              With, Semaphore.With              or defer l.Unlock()
//	interruption by signals           -                                 signals are os/signal's, and interrupt no wait; contexts do
//	copy, pickle, subclassing         -                                 vet finds copies
//	camelCase aliases                 -
//
// What Python has not: RWLock with upgrade and downgrade, WaitAny and WaitAll,
// contexts, weighted and fair waiting, results.
package osthread
