// Package watch knows, in watch mode, what each goroutine and thread holds:
// which locks it has locked, which permits it has taken, and by which call.
// Outside of watch mode it does nothing.
//
// # Cost
//
// A primitive asks [On] in its fast path, a plain bool, or compares its word
// with [Free], or finds in its slow path that the word has a flag which watch
// mode has set. So a program that does not use watch mode pays nothing for it.
//
// In watch mode an acquisition finds the caller's [Party] by its g, writes down
// a [Hold] and walks a few frames of the stack. It asks no clock, allocates
// nothing, and shares no lock and no cache line with other parties: a watch
// that serializes the program would hide what it looks for.
//
// # Concurrent reads
//
// A Party is written by its own goroutine, and read by others at any time. A
// Hold is valid while its number is not 0, and no number of a party is used
// twice:
//
//	acquire   the fields, then the number
//	release   the number: 0
//	read      the number, the fields, the number again; both must be the same
//
// One write comes from outside. A lock that another goroutine unlocks than
// locked it is taken from its holder by a compare-and-swap of the number. From
// then on the object is marked as handed off, and its holders are a guess: two
// goroutines that release it at once may take away the same hold. See
// [State.HandedOff].
//
// The stores of a party are in program order: plain ones on amd64, where
// processors keep it, and sequentially consistent ones elsewhere (store_*.go).
package watch

import "os"

// On says that the process is watched. It is written only during package
// initialization: by this package if the environment has OSTHREAD_WATCH=1 or
// the build has the tag osthreadwatch, and by [Enable].
var On = enabledAtStart()

// Free is the word of a free lock, 0, for the compare-and-swap of a fast path.
// In watch mode no lock has that word, so the path fails, without a branch of
// its own.
var Free uint64

func enabledAtStart() bool {
	if !tagged && os.Getenv("OSTHREAD_WATCH") != "1" {
		return false
	}
	setup()
	return true
}

// Enable turns watch mode on. It must be called by an init function or a
// package variable's initialization, before other goroutines use what is
// watched.
func Enable() {
	if !On {
		setup()
		On = true
		for _, f := range onEnable {
			f()
		}
	}
}

// Here returns the calling goroutine's party. Watch mode must be on.
func Here() *Party { return here() }

// Acquired notes that the caller has acquired n of object: permits or tasks, 1
// for a lock.
func Acquired(object any, how How, n int) { here().Acquired(object, how, n) }

// Released notes that the caller has released n of object. If the caller does
// not hold it, that is a handoff: the oldest holder's is taken away.
func Released(object any, how How, n int) { here().Released(object, how, n) }

// onEnable are called when watch mode turns on.
var onEnable []func()

// OnEnable makes f be called when watch mode turns on, or at once if it is on.
// It must be called by package initialization.
func OnEnable(f func()) {
	if On {
		f()
		return
	}
	onEnable = append(onEnable, f)
}
