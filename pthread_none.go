//go:build !windows && !(cgo && ((linux && !android) || darwin))

package thread

import "example.com/thread/internal/ident"

// Without cgo, and on systems without a file of their own, every thread is
// pinned: a goroutine locked to a thread of Go's. C has no threads, so there
// are no alien ones. Attached threads are not watched.

const (
	osNative = false
	osAliens = false
	osGuard  = false

	osExitUnseen = false

	minStack  = 0
	staticTLS = 0
)

// osCreate is not reached: check turns every request into one for a pinned
// thread.
func osCreate(*Thread, *attrs) error { return unsupported("native thread") }

func osProbe() error { return unsupported("native thread") }

func osMakePreemptible(*Thread) {}

func osTryJoin(*Thread) bool { return true }

func osDetach(*Thread) {}

// osLeave is not reached: no thread is C's.
func osLeave(uintptr, int) {}

// osMadeByC is not reached: no thread is C's.
func osMadeByC() (yes, known bool) { return false, true }

func osWatch(*Thread) error { return nil }

func osUnwatch() {}

func osExited() uintptr { return ident.None }

// osSelf returns the thread's native id, for lack of pthread_self.
func osSelf() Ident { return Ident(osNativeID()) }
