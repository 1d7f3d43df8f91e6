// Package thread runs Go functions on operating-system threads of their own,
// and gives those threads what pthreads have: names, stack and guard sizes,
// processor affinity, scheduling policies, signal masks, idents,
// thread-specific data with destructors, joining and detaching, and a lock that
// C code can take, too.
//
// Use it where a goroutine is not enough: for C libraries that need one thread
// or a big stack; for kernel state of a thread, such as affinity, priority or a
// network namespace; for C threads that call into Go.
//
// # Rules that hold for the whole package
//
//   - A method XTimeout is X for at most d. With d <= 0 it does not sleep: it
//     succeeds only if X would succeed at once.
//   - A method XContext is X until ctx is done, and then returns ctx's cause.
//     If ctx is already done on entry, XContext does nothing else. TryX is
//     XTimeout(0).
//   - The result of a method that reports a state, such as [Thread.Alive],
//     [Lock.Locked] or [Threads], may be stale by the time it is used.
//   - A thread of its own, in the docs of this package, is a thread as listed
//     below, under "The calling thread".
//
// # The calling thread
//
// A goroutine moves from thread to thread unless it is locked to one. It has a
// thread of its own, whose record [Current] returns, in
//
//   - the body of a native thread, made by [Start]: pthread_create calls the
//     body, which stays on that thread;
//   - the body of a pinned thread, made by Start with [Attr.Pinned], during
//     package initialization, and always without cgo except on Windows: a
//     goroutine that is locked to a thread of Go's, which ends with it;
//   - between [Attach] and [Detach], which lock a goroutine to its thread;
//   - a call from C on a thread that C made (an alien thread), which is
//     attached by its first call of this package, until it ends.
//
// In any other goroutine Current returns nil, even in a goroutine that a
// thread's body starts with a go statement.
//
// # What ends a thread, and what ends the process
//
// A panic, [Exit] and runtime.Goexit end the thread that they are called on,
// not the process: in the body, in a Key's Destructor, in the panic hook, and
// in calls from C below those. Calls of runtime.LockOSThread and [Attach] need
// not be undone before a thread ends. What Go makes impossible, and what
// therefore ends the process:
//
//   - what ends any Go process: a panic in a goroutine that a body starts, the
//     runtime's fatal errors, os.Exit;
//   - on an alien thread, a panic or runtime.Goexit that leaves the call from
//     C, except for a Goexit in a Destructor, which ends the thread;
//   - next of an iter.Pull, if its goroutine is not locked to the thread as it
//     was when Pull was called: on another thread, or with another number of
//     calls of runtime.LockOSThread, Attach and osthread's RLock outstanding;
//   - an execution trace (runtime/trace) while a call from C on an alien thread
//     waits for a coroutine of iter.Pull, if the C code is compiled without
//     frame pointers (Go 1.26).
//
// A native thread that ends by Exit or Goexit leaks its goroutine and an M of
// Go's runtime, some 17 KB, and everything that its variables refer to. So does
// a thread that C code ends under its body. Pinned threads leak nothing.
//
// # What blocks what
//
// In the terms of runtime/HACKING.md, for the calls that wait:
//
//	call                                  goroutine   thread   P
//	Lock.Lock and its variants            blocks      blocks   goes to other goroutines
//	Join, Park, Start: on a thread        blocks      blocks   goes to other goroutines
//	Join, Start: in an ordinary goroutine blocks      is free  goes to other goroutines
//
// Start blocks until the new thread runs only if the system may refuse an
// attribute, and on Windows, where it holds the caller's thread.
//
// [Lock] is one futex word, which C can wait on and wake. So a goroutine that
// waits for it occupies a thread. If only goroutines use the lock, sync.Mutex
// serves better.
//
// # Threads and the Go runtime
//
//   - A stack size bounds the frames of C code only. Go code runs on its
//     goroutine's stack, which grows as needed, on any thread.
//   - What an Attr does not set, a native thread inherits from the thread that
//     calls Start, as POSIX specifies, except for the signal mask, which is the
//     one that the process began with. A pinned thread inherits nothing from
//     the caller: it has what the thread that Go picks has, which another
//     goroutine may have changed between Attach and Detach. A thread that Go
//     itself makes meanwhile inherits nothing from a thread of this package.
//   - A thread has the profiler labels (runtime/pprof) of the goroutine that
//     calls Start, as a goroutine would, and thread=NAME if it has a name. An
//     attached thread, and one of C, has thread=NAME until Detach beside the
//     labels that its goroutine had; a thread that names itself changes it. So
//     profiles show each thread's name, and so do stack dumps with
//     GODEBUG=tracebacklabels=1. The build tag portablepark turns the labels
//     off, and a Go later than 1.27 turns thread=NAME off. pprof.Do and
//     SetGoroutineLabels in the body replace both.
//   - During package initialization, in init functions and the initializers of
//     package variables, Go lets no thread made by C in. A thread started then
//     is pinned for good; if it requests a stack or guard size, Start returns
//     errors.ErrUnsupported. Threads of C that call Go wait until main begins.
//   - At most GOMAXPROCS threads run Go code at once, by default as many as
//     there are processors, and a thread that wakes waits for one of these
//     places. A program whose work is done by more threads than that gains by
//     [Reserve].
//   - When main returns the process ends, even if threads are running.
//   - Native threads do not count against debug.SetMaxThreads. Pinned ones do;
//     Start returns EAGAIN before that limit is reached.
//   - For the highest number of threads that were ever alive together, Go's
//     runtime keeps about 15 KB each, which later threads reuse.
//
// Go 1.26 and 1.27 have a race of their own between the end of a thread that C
// made and a stop of the world, with which each garbage collection begins. If
// the two meet within some nanoseconds, all of Go waits until the runtime's
// monitor runs, for one or two minutes. With one collection after another some
// ten threads in 100,000 hit it, in plain cgo as well; pinned threads never do.
//
// # Calls from C
//
// A callback runs on the thread that C calls it on:
//
//   - on a thread of this package, Current, Keys and locks are as in the body;
//   - on an alien thread there is a record until the thread ends, so Keys keep
//     their values from call to call;
//   - on the thread of a goroutine that called C, such as the master of an
//     OpenMP region, sqlite3_exec or rd_kafka_poll, Current is nil and Key.Set
//     returns [ErrNotAttached], although the goroutine cannot leave the thread
//     in the meantime. Call C from a thread or an executor.Worker, or between
//     Attach and Detach; an osthread.Local always works.
//
// On an alien thread the callback must return: a panic that leaves it ends the
// process, as does runtime.Goexit (and so testing's FailNow), and Exit panics.
// Recover there, and pass what was recovered to osthread.ReportPanic.
//
// # C libraries
//
//   - A thread that C code makes on a thread of this package inherits what
//     POSIX specifies: name, affinity, policy and priority, niceness and signal
//     mask, even if an [Attr] has set them; on Linux the timer slack and memory
//     policy, too. With Attr.ResetOnFork a real-time policy is not inherited.
//   - A library with a thread pool for each calling thread, such as OpenMP,
//     makes one for each thread that Go runs the caller on, and keeps it. An
//     executor bounds the number of calling threads.
//   - A library that installs handlers for SIGSEGV, SIGBUS, SIGFPE or SIGILL
//     without SA_ONSTACK, such as a JVM, turns a nil dereference in Go from a
//     panic into the end of the process. Set the flag again after the library
//     has been initialized (sigaction(2)).
//   - With cgo Go does not report that all goroutines are asleep, since a
//     thread of C may be about to call. To find a deadlock, dump the stacks, by
//     SIGQUIT or the goroutine profile.
//
// # Real time
//
// A thread with [PolicyFIFO], [PolicyRR] or [PolicyDeadline] that runs C code
// is as punctual as any. To run Go code it also needs a place to, one of
// GOMAXPROCS, and Go's scheduler has no priorities: while goroutines compute on
// all of them, a thread that wakes waits for 20 to 60 ms on 2 processors. So
// GOMAXPROCS is raised while threads with such a policy live, by one for each
// of them and by three times itself for goroutines that compute: then a thread
// that wakes runs after some 30 us, as in C. If more goroutines than that
// compute at the same time, [Reserve] more places: as many as the others have,
// and two. What places cost is said there; the first such thread stops the
// world for some 20 us, and so does the end of the last one. A policy that was
// set by C code, or is inherited, does not count.
//
// [LockMemory] keeps pages from being paged out.
//
// The locks of package osthread have no priority inheritance, and serve waiters
// by how long they have waited; a shared.Mutex can have it. A thread that is
// preempted while it holds a lock, or the short guard inside one, delays the
// waiters.
//
// # Platforms
//
//	                               linux, cgo   darwin, cgo   windows       anything else, or no cgo
//	native threads                 yes          yes           yes, no cgo   pinned
//	stack size                     yes          yes           to 64 MiB     no
//	guard size                     yes          yes           no            no
//	stack use                      yes          no            no            no
//	name                           yes, 15 B    yes, 63 B     yes           linux, else kept
//	affinity                       yes          no            yes           linux
//	policy and priority            yes          yes           priority      linux
//	QoS class                      no           yes           no            no
//	nice, timer slack              yes          no            no            linux
//	deadlines, memory policy       yes          no            no            linux
//	signal mask                    yes          yes           no            linux
//	signals to threads             yes          no            no            linux
//	interrupting a call            yes          no            no            linux
//	CPU time                       yes          yes           yes           linux
//	COM apartment                  no           no            yes           no
//	alien threads                  yes          yes           yes           do not exist
//	objects shared with C          yes          yes, 14.4     yes           no
//	with other processes           yes          yes, 14.4     no            linux
//	robust, priority inheritance   yes          no            no            linux
//
// "linux" is yes on Linux and no elsewhere. A name that is kept is
// Thread.Name's alone: the system shows none. What a platform does not support
// returns an error that is errors.ErrUnsupported; osthread.h stops the build of
// C code where it cannot share an object. A call can be interrupted on amd64,
// 386, arm64, arm and riscv64; signals can be sent to threads except on MIPS.
// On macOS before 14.4, and with the build tag portablefutex, waiters sleep in
// Go's scheduler, where C cannot wake them.
//
// The tests run on Linux (amd64, 386, and by emulation arm64, arm and riscv64;
// glibc and musl; with and without cgo) and, by wine, on Windows (amd64). The
// code for macOS is only compiled and linked, for arm64 and amd64. All else is
// only compiled.
//
// # Filters and old kernels
//
// Linux may refuse a call, by a filter (seccomp) or because the kernel is too
// old, with ENOSYS or EPERM. Then another way is used, if there is one:
// FUTEX_WAIT for FUTEX_WAIT_BITSET and for deadlines without a clock; /proc for
// prctl, gettid and tgkill. Limits that cannot be read limit nothing.
// Affinities, policies, niceness, timer slacks, signals and processor times
// return an error that wraps the errno, and so does SetName if /proc does not
// take the name either. If every futex call is refused, Go panics, here and in
// its runtime; C code that waits for a Lock then polls it once a millisecond.
package thread
