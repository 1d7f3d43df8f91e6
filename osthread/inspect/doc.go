// Package inspect shows what the threads of a process are doing, and finds
// deadlocks. Dump writes it for a person, in the manner of Java's jstack, and
// Take returns it as data:
//
//	defer inspect.OnSignal(syscall.SIGUSR1)() // kill -USR1 PID: a dump on stderr
//
// # Without watch mode
//
// Each thread with a record (package thread) has what it waits for and since
// when, and the threads that must go on first where these are known: the owner
// of an RLock, a thread that is joined, the threads of a Worker or a pool.
// Deadlocks finds cycles of these.
//
// # Watch mode
//
// In watch mode, which osthread.Watch turns on, or OSTHREAD_WATCH=1 in the
// environment, all holders are known, with the calls that acquired, and
// goroutines that wait or hold something are parties as threads are. A
// deadlock is reported once, within a second, to the function of SetHook, and
// by default on stderr. For that the program must import this package. So is an
// inversion: locks that are acquired in different orders, which can deadlock;
// see SetLockOrder and IgnoreLockOrder.
//
// # Figures
//
// Metrics returns counts of threads, waits, pools and queues in the manner of
// runtime/metrics, and Var has them for package expvar. What they take is the
// snapshot that they are read from: waits are counted only where callers sleep.
// Package web, below this one, serves a live page.
package inspect
