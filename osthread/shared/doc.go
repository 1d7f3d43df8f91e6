//go:build !plan9

// Package shared has the objects that C and Go share: each is some words whose
// layout is that of a C type in csrc, and both languages use them at the same
// time, without a call from one into the other. With an attribute they may lie
// in memory that several processes have mapped.
//
// # Waiting
//
// A wait in this package holds the calling thread, in a goroutine as on a
// thread: C can wake a futex, not a goroutine. Its P goes to other goroutines
// meanwhile. So thousands of goroutines that wait here are as many threads; use
// package osthread for what C does not touch.
//
// Methods that wait come in shapes: Lock, TryLock, LockTimeout, LockContext,
// LockUntil. A timeout of zero or less tries once. Until takes a [Deadline], a
// time of one of the system's clocks. If osthread.Thread.Cancel ends a wait,
// the call returns the cause.
//
// # Errors
//
// Calls return errors, in which they differ from package osthread: what an
// object says depends on others, perhaps on other processes. An error is the
// package's, and errors.Is also finds it by POSIX's number: [ErrOwnerDead] is
// syscall.EOWNERDEAD. No error, and no content of an object, makes a call touch
// memory outside of it.
//
// # Several processes
//
// Objects made with the attribute ProcessShared may lie in memory that several
// processes have mapped, best in a [Segment]. They need Linux, or macOS 14.4
// with cgo; elsewhere Init returns an error that is [ErrUnsupported]. Plan 9,
// which has no error numbers, has no such package. A waiter
// there checks its object again ten times a second, so that one which is killed
// between its change and its wakeup leaves no other asleep.
//
// What lies in such memory is at the mercy of all that have mapped it. A peer
// that writes there at will can make a call wait, return too early, or return
// an error, as [ErrCorrupt]; it cannot make a call crash, use memory outside of
// the object, or keep the processor busy without end. A peer that can shrink
// the file behind the memory can end the process: see [Segment].
package shared
