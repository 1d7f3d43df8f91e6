package thread

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// A kind is how a thread got its record.
type kind uint8

const (
	native kind = iota // by Start: created by C
	pinned             // by Start: a goroutine locked to a thread of Go's
	bound              // by Attach: the same, until Detach
	alien              // by its first call of this package: created by other C code
)

func (k kind) String() string { return [...]string{"native", "pinned", "attached", "alien"}[k] }

// A Thread is the record of an operating-system thread: one made by Start, or
// attached (see Current). All methods may be called from any goroutine. The
// zero Thread stands for no thread: its methods treat it as a thread that has
// ended and was detached.
type Thread struct {
	kind     kind
	serial   uint64
	slot     uintptr
	ident    Ident
	nativeID int
	stack    int
	permit   park.Waiter
	spin     park.Spinner // of permit

	// Used only on the thread itself.
	start     *start
	values    []value   // of Keys
	attached  int       // calls of Attach without Detach
	exiting   bool      // by Exit
	apartment Apartment // to leave at the end
	labels    labelling

	mu       sync.Mutex
	name     string
	named    bool // by SetName
	ended    bool
	detached bool
	kept     bool // cannot be detached; see internal/keep
	result   error
	cpu      time.Duration // when ended
	joiners  joiners
	starters []*park.Waiter // callers that need what is known once t has begun
	handle   handle
	realTime bool // its policy, as far as it was set here
	lost     bool // attached, and found gone

	measured bool                     // MeasureStack; used only on the thread itself
	stackUse atomic.Pointer[StackUse] // when ended, if measured

	since int64       // when it was attached, by osClock; 0 if made by Start
	made  atomic.Bool // the system has made it, if Start does
	begun atomic.Bool // its slot and ids are set, and its attributes

	interrupt interrupt
	sent      atomic.Uint32 // signals, by Signal; see sigwait
}

// fromStart reports whether Start made t.
func (t *Thread) fromStart() bool { return t.kind == native || t.kind == pinned }

// awaitBegun waits until t has begun, unless t is the zero Thread.
func (t *Thread) awaitBegun() {
	if t.begun.Load() || t.isZero() {
		return
	}
	w := &park.Waiter{Spin: &startSpin}
	t.mu.Lock()
	if t.begun.Load() {
		t.mu.Unlock()
		return
	}
	t.starters = append(t.starters, w)
	t.mu.Unlock()
	w.Park(park.Forever())
}

// announce wakes the callers that wait until t has begun. t itself calls it,
// once.
func (t *Thread) announce() {
	t.made.Store(true) // Start may not have come to it yet
	t.mu.Lock()
	t.begun.Store(true)
	waiting := t.starters
	t.starters = nil
	t.mu.Unlock()
	for _, w := range waiting {
		w.Unpark()
	}
}

// isZero reports whether t is the zero Thread.
func (t *Thread) isZero() bool { return t.slot == unknown }

// String returns the thread's name, kind, state and native id.
func (t *Thread) String() string {
	state := "running"
	if !t.Alive() {
		state = "ended"
	}
	return fmt.Sprintf("thread %q (%v, %s, %d)", t.Name(), t.kind, state, t.NativeID())
}

// Alive reports whether t has not ended. For an attached thread other than the
// caller's it also asks the system, which on Linux takes some 10 us.
func (t *Thread) Alive() bool {
	t.notice()
	return !t.hasEnded()
}

func (t *Thread) hasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended || t.isZero()
}

// An Ident identifies a running thread: pthread_self, on Windows the thread id.
// It is never 0. The system may give the ident of an ended thread to a new one,
// and does so soon.
type Ident uintptr

// Self returns the ident of the calling thread. The result may be stale by the
// time it is used, unless the goroutine is locked to its thread.
func Self() Ident { return osSelf() }

// NativeID returns the id of the calling thread as the kernel, ps, top and gdb
// show it. The result may be stale by the time it is used, unless the goroutine
// is locked to its thread.
func NativeID() int {
	if n := ident.Slot(); ident.Row(n) != 0 {
		// A goroutine can be on a pinned thread that has not begun: the body
		// before it has unlocked the thread.
		if t := records.at(n); t != nil && t.begun.Load() {
			return t.nativeID
		}
	}
	return osNativeID()
}

// Serial returns a number that no other thread of the process has or will have,
// unlike idents and native ids. On 32-bit systems the serial of an attached
// thread may be reused after 2,147,483,647 threads.
func (t *Thread) Serial() uint64 { return t.serial }

// Ident returns the ident of t. It is valid after t has ended, too. Just after
// Start it waits until t runs.
func (t *Thread) Ident() Ident {
	t.awaitBegun()
	return t.ident
}

// NativeID returns the id of t as the kernel, ps, top and gdb show it. It is
// valid after t has ended, too. Just after Start it waits until t runs.
func (t *Thread) NativeID() int {
	t.awaitBegun()
	return t.nativeID
}

// StackSize returns the stack size in bytes that was requested for t, rounded
// up to whole pages, or 0 for the default.
func (t *Thread) StackSize() int { return t.stack }

// Yield lets other goroutines run, and other threads of the same priority
// (POSIX: sched_yield).
func Yield() { osYield() }
