//go:build linux && !portablepark && !portablefutex && !race

package park

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"example.com/thread/internal/futex"
)

// The runtime functions below are not public API. The runtime keeps their names
// and types for gVisor and others (golang/go#67401), as a comment at each says.
// sched_public.go is the fallback.

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

//go:linkname gopark runtime.gopark
func gopark(unlockf func(gp, lock unsafe.Pointer) bool, lock unsafe.Pointer, reason, traceReason uint8, traceskip int)

//go:linkname goready runtime.goready
func goready(gp uintptr, traceskip int)

// Sleep sleeps on the word w while it holds old, until a futex.Wake or
// deadline, as futex.Wait does. It holds the calling thread, and hands its P to
// other goroutines before it sleeps.
func Sleep(w *uint32, old uint32, deadline int64) futex.Result {
	return sleepInCrowd(w, old, deadline, &alone)
}

// SleepShared is Sleep on a word in memory that several processes have mapped,
// until a futex.WakeShared.
func SleepShared(w *uint32, old uint32, deadline int64) futex.Result {
	return sleepIn(futex.Shared, w, old, deadline, &alone)
}

var alone atomic.Uint32

// sleepInCrowd is Sleep, after which the thread yields its processor before it
// asks for a P, if crowded is not 0 then.
func sleepInCrowd(w *uint32, old uint32, deadline int64, crowded *atomic.Uint32) futex.Result {
	return sleepIn(futex.Private, w, old, deadline, crowded)
}

func sleepIn(s futex.Scope, w *uint32, old uint32, deadline int64, crowded *atomic.Uint32) futex.Result {
	leak(unsafe.Pointer(w))
	if deadline == futex.Never {
		return futex.RawResult(w, block(w, old, nil, s, crowded))
	}
	ts := futex.MakeTimespec(deadline)
	return futex.RawResult(w, block(w, old, unsafe.Pointer(&ts), s, crowded))
}

// block must not grow its stack between the two calls, and both must be made
// from one frame: the runtime takes the first one's frame as the point up to
// which the stack is scanned meanwhile.
//
//go:nosplit
//go:norace
func block(w *uint32, old uint32, ts unsafe.Pointer, s futex.Scope, crowded *atomic.Uint32) syscall.Errno {
	entersyscallblock()
	errno := futex.RawWait(w, old, ts, s)
	if crowded.Load() != 0 {
		yield()
	}
	exitsyscall()
	return errno
}

// A slot is where a goroutine sleeps in the scheduler.
type slot struct {
	g        uintptr // the sleeper; the runtime keeps every g reachable
	state    *atomic.Uint32
	from, to uint32
}

// sleep moves state from one value to another and sleeps until wake, or does
// neither if state has changed. reason is plain, or durable in a bubble; see
// bubble.go.
func (s *slot) sleep(state *atomic.Uint32, from, to uint32, reason uint8) {
	s.state, s.from, s.to = state, from, to
	gopark(commit, unsafe.Pointer(s), reason, traceBlockGeneric, 1)
}

// The reasons' numbers differ from version to version; 0 is "waiting" in all.
// For waitReasonDurable see sched_reason_*.go.
const (
	plain             = 0
	durable           = waitReasonDurable
	traceBlockGeneric = 0
)

// commit runs on the scheduler's stack once the goroutine is parked, so that a
// wake right after the swap finds it parked.
//
//go:nosplit
func commit(gp, lock unsafe.Pointer) bool {
	s := (*slot)(lock)
	s.g = uintptr(gp)
	return s.state.CompareAndSwap(s.from, s.to)
}

// CanParkUnder says that [Waiter.ParkUnder] works.
const CanParkUnder = true

// ParkUnder parks an ordinary goroutine until [Waiter.Ready]. The caller holds
// guard, a spinlock that a store of 0 unlocks; ParkUnder unlocks it once the
// goroutine is parked. It must not be called if CanParkUnder is false, and not
// in a bubble of testing/synctest ([InBubble]).
func (w *Waiter) ParkUnder(guard *atomic.Uint32) {
	w.slot.state = guard
	gopark(commitUnder, unsafe.Pointer(&w.slot), plain, traceBlockGeneric, 1)
}

// commitUnder runs as commit does. A wake may come right after its store, after
// which the slot is its owner's.
//
//go:nosplit
func commitUnder(gp, lock unsafe.Pointer) bool {
	s := (*slot)(lock)
	guard := s.state
	s.g, s.state = uintptr(gp), nil
	guard.Store(0)
	return true
}

// wake wakes the sleeper. Only the thread that moved state out of to calls it.
func (s *slot) wake() { goready(s.g, 1) }
