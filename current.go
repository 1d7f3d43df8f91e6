package thread

import (
	"runtime"
	"sync/atomic"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// Current returns the record of the calling thread: one made by Start, or
// attached by Attach or because C made it. It returns nil in a goroutine that
// has no thread of its own. It costs about 2 ns with cgo on amd64, 386, arm64
// and riscv64, and on Windows; elsewhere it costs a system call.
func Current() *Thread {
	slot := ident.Slot()
	if ident.Row(slot) != 0 {
		if t := records.at(slot); t != nil {
			return t
		}
	} else if slot != unknown {
		return nil
	}
	return firstSight()
}

// The packages below ask this one two questions about the calling thread. They
// ask through variables, since the answer differs in cost by build: with cgo an
// unknown thread may be C's, which only this package knows, and attaching it
// needs the table of records. Without cgo there are no such threads.
func init() {
	park.SetOnThread(func() bool { return Current() != nil || park.LockedAndSpins() })
	ident.Unknown = func() { identify() }
}

// identify makes sure that the calling thread has a slot.
func identify() *Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if t := Current(); t != nil {
		return t
	}
	if ident.Slot() == unknown { // no alien threads on this platform, or undecided
		ident.SetSlot(newSlot())
	}
	return nil
}

// firstSight attaches the calling thread if C made it.
func firstSight() *Thread {
	runtime.LockOSThread() // the slot read below must be this thread's
	defer runtime.UnlockOSThread()
	if slot := ident.Slot(); ident.Row(slot) != 0 {
		if t := records.at(slot); t != nil {
			return t // the goroutine was on another thread a moment ago
		}
		// The row of a pinned thread whose body unlocked itself and ended on
		// another thread.
		ident.SetSlot(unknown)
	}
	if !osAliens {
		return nil
	}
	alienThread, known := calledByC()
	if !known {
		if known = initializing(); !known { // during initialization no thread of C is in Go
			alienThread, known = osMadeByC()
		}
	}
	if !alienThread {
		if known && ident.Slot() == unknown {
			ident.SetSlot(newSlot())
		}
		return nil
	}
	t, err := attach(alien)
	if err != nil {
		// The process has no memory or no key left for the watch. A record that
		// is not removed at the thread's end could be taken for another's.
		return nil
	}
	return t
}

// The return addresses at the end of the stack of a goroutine that the runtime
// made for a call from C: in runtime.cgocallback, which calls one function on
// it, and in runtime.goexit. Comparing addresses takes a third of the time that
// looking up names does. Both are 0 until calledByC has found such a stack by
// name; entryPC is stored last.
var goexitPC, entryPC atomic.Uintptr

// calledByC reports whether the runtime created the calling goroutine for a
// call into Go on a thread of C: the outermost function on its stack is then
// the runtime's entry from C. It is not known in a coroutine of iter.Pull,
// which has a stack of its own.
func calledByC() (yes, known bool) {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(0, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 4*len(pcs))
		n = runtime.Callers(0, pcs)
	}
	pcs = pcs[max(0, n-2):n]
	if entry := entryPC.Load(); entry != 0 && len(pcs) == 2 && pcs[0] == entry && pcs[1] == goexitPC.Load() {
		return true, true
	}
	var last, before string
	for frames, more := runtime.CallersFrames(pcs), true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		before, last = last, f.Function
	}
	if last != "runtime.goexit" {
		return false, true
	}
	if before == "runtime.cgocallback" {
		goexitPC.Store(pcs[1])
		entryPC.Store(pcs[0])
		return true, true
	}
	return false, before != "runtime.corostart"
}
