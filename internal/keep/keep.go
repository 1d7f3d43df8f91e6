// Package keep holds functions of package thread that are for the packages of
// this module alone. Package thread sets them.
package keep

import (
	"example.com/thread/internal/park"
	"example.com/thread/internal/waits"
)

var (
	// Joinable makes Detach of thread, a *thread.Thread, return ErrNotJoinable:
	// its owner joins it.
	Joinable func(thread any)

	// Join is (*thread.Thread).Join of thread until l ends. joined says that
	// err is the thread's result, not why Join gave up. The caller says that it
	// waits for object (internal/waits).
	Join func(thread any, l park.Limit, object any) (joined bool, err error)

	// Wait returns what thread sleeps for. It returns false if it does not
	// sleep.
	Wait func(thread any) (waits.Wait, bool)

	// IsGone reports whether thread has ended, even if C code ended it by a
	// system call, which runs nothing on it. It asks the system.
	IsGone func(thread any) bool

	// Ending returns the error of a function that did not return, in a deferred
	// call of it: ErrExit or ErrGoexit.
	Ending func() error

	// Recovered returns the *thread.PanicError for the panic with value v, or
	// the cause if v is a *thread.CanceledError. It is called by the deferred
	// function that recovered v.
	Recovered func(v any) error

	// Panicked is Recovered that returns a *thread.PanicError in any case.
	Panicked func(v any) error

	// Slot returns the slot of thread, a *thread.Thread; see internal/ident.
	Slot func(thread any) uintptr

	// Kind returns how thread, a *thread.Thread, got its record: native,
	// pinned, attached or alien.
	Kind func(thread any) string

	// Starts returns how many threads have got a record since the start of the
	// process, by kind. A Start that fails does not count.
	Starts func() map[string]uint64

	// Records returns the number of records of threads, for tests.
	Records func() int

	// SystemName returns the calling thread's name as the system's tools show
	// it, "" if there is none, for tests.
	SystemName func() string

	// NativeID returns the system's id of the calling thread, 0 where it has
	// none.
	NativeID func() int
)
