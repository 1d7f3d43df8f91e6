// Package sync has the names of Go's package sync, on the primitives of package
// osthread. A program whose goroutines are pinned to threads changes one import
// and keeps its code:
//
//	import "example.com/thread/osthread/sync" // was "sync"
//
// A goroutine that is pinned, by [runtime.LockOSThread] or as a thread of this
// module, pays two thread switches for each sleep in Go's scheduler: one away
// from its thread, and one back (golang/go#21827). With this package it spins
// where that pays off, and then sleeps on a futex, which costs none: two pinned
// goroutines that alternate by a Cond are 5 to 10 times as fast. More pinned
// goroutines than GOMAXPROCS that all wait for each other gain nothing, since
// each that wakes has to wait for one of the Ps. With GOMAXPROCS=1, and for
// ordinary goroutines, a waiter sleeps in Go's scheduler as with package sync.
// All kinds may use the same object. Where no goroutine is pinned package sync
// is smaller and faster. The rows "dropin" of bench have the figures.
//
// [Mutex] is an osthread.Lock, [RWMutex] an osthread.RWLock, [Cond] an
// osthread.Condition; [WaitGroup] waits for an osthread.Event, [Once],
// [OnceFunc], [OnceValue] and [OnceValues] on a Mutex. For deadlines and
// contexts use those types. Go's own tests of package sync pass on this one.
//
// # Differences
//
//   - An unlock of what is not locked panics with an error that is
//     [osthread.ErrNotLocked], and changes nothing; in package sync it is a
//     fatal error, which cannot be recovered.
//   - [Cond] wakes its waiters in the order in which they began to wait, even if
//     they then find L taken; L must not change after the first Wait.
//   - Waits are in the events of osthread.SetTrace, and those for a [Mutex] and
//     an [RWMutex] in the mutex profile of package runtime, but not in its block
//     profile.
//   - The race detector does not report a [WaitGroup.Add] that is not ordered
//     before a Wait; the panics about it are the same.
//   - Objects are larger: see the types of package osthread.
//
// [Map], [Pool] and [Locker] are those of package sync.
//
// # Platforms
//
// A goroutine that is locked by [runtime.LockOSThread] alone is recognized with
// the Go releases that are known, not with the build tag portablepark. There it
// sleeps as an ordinary one does, unless it calls thread.Attach.
package sync
