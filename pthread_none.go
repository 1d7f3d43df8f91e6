//go:build !windows && !(cgo && ((linux && !android) || darwin))

package thread

import "example.com/thread/internal/ident"

// Without cgo, and on systems that have no file of their own: every thread is
// pinned, a goroutine locked to a thread of Go's. C has no threads here, so
// there are no alien ones, and attached ones are not watched.

const (
	osNative = false
	osAliens = false
	osGuard  = false
	minStack = 0
)

// osCreate is not reached: checked attributes always ask for a pinned thread.
func osCreate(*Thread, *attrs) error { return unsupported("native thread") }

// osKnock is not reached, either.
func osKnock() error { return unsupported("native thread") }

// osTryJoin has nothing to join: the thread is Go's.
func osTryJoin(*Thread) bool { return true }

func osDetach(*Thread) {}

func osMakePreemptible(*Thread) {}
func osWatch(*Thread) error     { return nil }

func osUnwatch() {}

func osOrphan() uintptr { return ident.None }

// osMadeByC is not reached: no thread is C's.
func osMadeByC() (yes, known bool) { return false, true }

// osLeave is not reached: no thread is C's.
func osLeave(uintptr, int) {}

// osSelf returns the thread's native id for want of pthread_self.
func osSelf() Ident { return Ident(osNativeID()) }
