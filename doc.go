// Package thread runs Go functions on operating-system threads of their own and
// gives those threads what pthreads have: names, stack and guard sizes,
// processor affinity, scheduling policies, signal masks, idents,
// thread-specific data with destructors, joining and detaching, and a lock that
// C code can take too.
//
// Use it where a goroutine is not enough: C libraries that want one thread, or
// a big stack; kernel state that belongs to a thread, such as affinity,
// priority or a network namespace; C threads that call into Go.
//
// # Which thread am I on
//
// A goroutine moves from thread to thread unless it is locked to one. It has a
// thread of its own, and [Current] returns that thread's record, where it runs
//
//   - the body of a native thread, made by [Start]: pthread_create calls the
//     body, which stays there;
//   - the body of a pinned thread, made by Start with [Attr.Pinned], in package
//     initialization, and always without cgo except on Windows: a goroutine
//     locked to a thread of Go's that dies with it;
//   - between [Attach] and [Detach], which lock a goroutine to the thread it is
//     on;
//   - a call from C on a thread that C made (an alien thread): it is attached
//     on first sight and until it ends.
//
// In any other goroutine Current returns nil, also in one that a thread's body
// starts with a go statement.
//
// # What ends a thread, and what the process
//
// A panic, [Exit] and runtime.Goexit end the thread they are called on and not
// the process: in the body, a Key's Destructor, the panic hook, and in calls
// from C below those. runtime.LockOSThread and [Attach] may be left open any
// number of times. What Go makes impossible, and ends the process for:
//
//   - what ends any Go process: a panic in a goroutine that a body starts, the
//     runtime's fatal errors, os.Exit;
//   - on an alien thread, a panic or runtime.Goexit that leaves the call from
//     C; but for Goexit in a Destructor, which ends the thread;
//   - next of an iter.Pull, with its goroutine locked to a thread otherwise
//     than where Pull was called: on another thread, or with another number of
//     calls of runtime.LockOSThread, Attach and osthread's RLock open;
//   - an execution trace (runtime/trace) while a call from C on an alien thread
//     waits for a coroutine of iter.Pull, if the C code is compiled without
//     frame pointers (Go 1.26).
//
// A native thread that ends by Exit or Goexit leaves its goroutine and an M
// with Go's runtime for good, some 17 KB, and with them what its variables
// refer to. So does one that C code ends under its body. Pinned threads leave
// nothing.
//
// # What blocks what
//
// As runtime/HACKING.md has it, for the calls of this package that wait:
//
//	call                                  goroutine   thread   P
//	Lock.Lock and its kin                 blocks      blocks   goes to other goroutines
//	Join, Park, Start: on a thread        blocks      blocks   goes to other goroutines
//	Join, Start: in an ordinary goroutine blocks      is free  goes to other goroutines (on Windows Start holds it until the new thread runs)
//
// [Lock] is one futex word, which C can wait on and wake; that is why a
// goroutine that waits for it keeps a thread busy. Where only goroutines meet,
// sync.Mutex serves better.
//
// # Threads and the Go runtime
//
//   - A stack size bounds the frames of C code only. Go code runs on its
//     goroutine's stack, which grows as needed, on any thread.
//   - What an Attr does not set, a native thread inherits from the thread that
//     calls Start, as POSIX says; except for the signal mask, which is the one
//     the process began with. A pinned thread inherits nothing from the caller:
//     it has what the thread has that Go takes, which may be one that another
//     goroutine has changed between Attach and Detach. A thread that Go itself
//     makes meanwhile inherits nothing from a thread of this package.
//   - A thread has the profiler labels of the goroutine that calls Start
//     (runtime/pprof), as a goroutine would, and thread=NAME if its Attr has a
//     Name: so profiles tell threads apart, and dumps of the stacks with
//     GODEBUG=tracebacklabels=1. Not with the build tag portablepark, and
//     thread=NAME not with a Go after 1.27. pprof.Do and SetGoroutineLabels in
//     the body replace both.
//   - While packages are initialized, in init functions and the initializers of
//     package variables, Go lets no thread in that C made. A thread started
//     then is pinned, and stays so; if it asks for a stack or guard size Start
//     returns errors.ErrUnsupported. Threads of C that call Go wait until main
//     begins.
//   - When main returns the process ends, whatever threads run.
//   - Native threads do not count against debug.SetMaxThreads. Pinned ones do;
//     Start returns EAGAIN before it is reached.
//   - Each thread of the highest number that were alive at once leaves about 15
//     KB with Go's runtime, which uses them again.
//
// Go 1.26 and 1.27 have a race of their own between the end of a thread that C
// made and a stop of the world, as each collection begins with: if the two meet
// within some nanoseconds all of Go waits until the runtime's monitor comes by,
// after one or two minutes. With collections one upon the other some ten
// threads in 100,000 meet it, in plain cgo as well; pinned threads never do.
//
// # Calls from C
//
// A callback runs on the thread that C calls it on:
//
//   - on a thread of this package it sees that one: Current, Keys and locks are
//     as in the body;
//   - on an alien thread it sees a record that lasts until the thread's end, so
//     Keys keep their values from call to call;
//   - on the thread of a goroutine that called C, as of the master of an OpenMP
//     region, sqlite3_exec or rd_kafka_poll, Current is nil and Key.Set returns
//     [ErrNotAttached], though the goroutine cannot leave the thread meanwhile.
//     Call C from a thread or an executor.Worker, or between Attach and Detach;
//     an osthread.Local works in any case.
//
// On an alien thread the callback must return: a panic that leaves it ends the
// process, as does runtime.Goexit (also testing's FailNow), and Exit panics.
// Recover there, and give what was recovered to osthread.ReportPanic.
//
// # C libraries
//
//   - A thread that C code makes on a thread of this package inherits what
//     POSIX says: name, affinity, policy and priority, niceness and signal
//     mask, also those that an [Attr] has set.
//   - A library with a pool of threads for each thread that calls it, as OpenMP
//     has, makes one for each thread that Go runs the caller on, and keeps
//     them. Callers on an executor's threads bound that.
//   - A library that installs handlers for SIGSEGV, SIGBUS, SIGFPE or SIGILL
//     without SA_ONSTACK, as a JVM does, makes a nil dereference in Go, which
//     would be a panic, end the process: set the flag again after the library
//     has been initialized (sigaction(2)).
//   - With cgo Go does not report that all goroutines are asleep: a thread of C
//     may be about to call. A deadlock is seen in a dump of the stacks, by
//     SIGQUIT or the goroutine profile.
//
// # Real time
//
// A thread with [PolicyFIFO] or [PolicyRR] that runs C code is as punctual as
// any. To run Go code it also needs a P, one of GOMAXPROCS, and Go's scheduler
// knows no priorities: while other goroutines compute on all of them a thread
// that wakes waits for its turn, 40 to 60 ms on 2 processors. Set GOMAXPROCS
// higher than the number of goroutines that compute, by the number of real-time
// threads; then it is 25 us. Locks have no priority inheritance and serve
// waiters by how long they wait, whatever their priorities; a thread that is
// preempted while it holds one, or the short guard inside one, holds up those
// that wait for it.
//
// # Platforms
//
//	                      linux, cgo   darwin, cgo   windows        anything else, or no cgo
//	native threads        yes          yes           yes, no cgo    pinned
//	stack size            yes          yes           to 64 MiB      no
//	guard size            yes          yes           no             no
//	name                  yes, 15 B    yes, 63 B     yes            linux, else kept
//	affinity              yes          no            yes            linux
//	policy and priority   yes          yes           priority       linux
//	QoS class             no           yes           no             no
//	nice                  yes          no            no             linux
//	signal mask           yes          yes           no             linux
//	CPU time              yes          yes           yes            linux
//	COM apartment         no           no            yes            no
//	alien threads         yes          yes           yes            do not exist
//	lock shared with C    yes          yes, 14.4     yes            no
//
// "linux" is yes on Linux and no elsewhere; a name that is kept is
// Thread.Name's alone, and the system shows none. What a platform cannot do
// returns an error that errors.Is errors.ErrUnsupported; osthread.h stops the
// build of C code where it cannot share a lock. On a macOS before 14.4, and
// with the build tag portablefutex, waiters sleep in Go's scheduler, where C
// cannot wake them.
//
// The tests run on Linux (amd64, 386, and by emulation arm64, arm and riscv64;
// glibc and musl; with and without cgo) and, by wine, on Windows (amd64). What
// is for macOS is only compiled and linked, for arm64 and amd64. All else is
// only compiled.
//
// # Filters and old kernels
//
// What a filter of Linux (seccomp) or a kernel older than a call refuses, by
// ENOSYS or EPERM, is done another way where there is one: FUTEX_WAIT for
// FUTEX_WAIT_BITSET and for deadlines without a clock; /proc for prctl, gettid
// and tgkill. Limits that cannot be read limit nothing. Affinities, policies,
// niceness and processor times come back as an error that wraps the errno, and
// so do names from SetName if /proc does not take them either. A futex call that is refused
// in every way makes Go panic, here and in its runtime; C code that waits for a
// Lock then looks at it once a millisecond.
package thread
