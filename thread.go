package thread

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/fault"
	"example.com/thread/internal/headroom"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/park"
	"example.com/thread/internal/stranded"
)

// The life of a thread made by Start, as a record handed on:
//
//	Start            makes the record and a row for it, and asks the system for a thread; the record is Start's
//	nativeMain,      runs on the new thread, which the record belongs to from now on: sets the slot, applies the attributes,
//	pinnedMain       and tells Start (begun), which returns. On failure it ends here, and Start returns the error
//	live             runs the body
//	conclude         runs the destructors of Keys, leaves the apartment, reports a panic
//	finish           empties the slot, gives the row back, publishes the result (under mu) and wakes the joiners
//	the system       takes the thread down. A joiner waits for this too (join.go)
//
// A body may panic or call runtime.Goexit, and so may what runs after it. Each
// step is deferred by the one before, so none is skipped, and a panic is
// recovered. Goexit cannot be: the runtime goes on with it after any recover,
// and where it reaches the call from C that the thread runs in, it ends the
// process, having "no Go caller to return to". So the last deferred function
// of that call does not return, but ends the thread below Go: see leave.

// A kind is how a thread came to have its record.
type kind uint8

const (
	native kind = iota // by Start: created by C
	pinned             // by Start: a goroutine locked to a thread of Go's
	bound              // by Attach: likewise, until Detach
	alien              // by calling Go: created by somebody's C
)

func (k kind) String() string { return [...]string{"native", "pinned", "attached", "alien"}[k] }

// A Thread is the record of an operating-system thread: one made by Start, or
// attached (see Current). All methods may be called from any goroutine. The
// zero Thread stands for no thread: its methods treat it as one that has ended
// and was detached.
type Thread struct {
	kind     kind
	serial   uint64
	slot     uintptr
	ident    Ident
	nativeID int
	stack    int
	permit   park.Waiter
	spin     park.Spinner // of permit

	// For the thread itself alone.
	start     *start
	values    []value   // of Keys
	attached  int       // calls of Attach without Detach
	exiting   bool      // by Exit
	apartment Apartment // to leave at the end

	mu       sync.Mutex
	name     string
	named    bool // by SetName
	ended    bool
	detached bool
	kept     bool // its owner joins it; see internal/keep
	result   error
	cpu      time.Duration // when ended
	joiners  joiners
	handle   handle
	lost     bool // attached, and found gone

	since int64       // when it was attached, by osClock; 0 for one from Start
	begun atomic.Bool // its slot and ids are set
}

// A start is what Start and the new thread share until the body runs.
type start struct {
	fn     func()
	attr   attrs
	begun  park.Waiter
	labels unsafe.Pointer // of the profiler; the starter's
	err    error          // why the thread could not begin
}

// startSpin tells whether new threads begin while Start spins: after some 15 us
// where a processor is free.
var startSpin park.Spinner

// started counts the threads from Start that have not ended.
var started atomic.Int64

// NumThread returns the number of threads made by Start that have not ended.
func NumThread() int { return int(started.Load()) }

// Start runs fn on a new thread. nil and the zero Attr ask for the defaults. It
// returns when the thread runs, with its attributes set and its ident and
// native id known.
//
// Attributes are checked before anything is made; a bad one is ErrStackSize or
// syscall.EINVAL. What the system refuses comes back as an *os.SyscallError
// that wraps the errno, with no thread left: syscall.EAGAIN at a limit on the
// number of threads or memory, syscall.EPERM for a policy, priority or niceness
// that is not allowed, the HRESULT as a syscall.Errno for a COM apartment. What
// the platform cannot do is errors.ErrUnsupported.
//
// Go's runtime ends the process when it cannot make a thread, so Start returns
// EAGAIN by itself GOMAXPROCS + 16 threads before a limit that it knows. These
// are debug.SetMaxThreads (10,000 unless set), which only pinned threads count
// against, where at most a quarter is left to the runtime; and on Linux
// RLIMIT_NPROC with the user's other processes, the pids of control groups,
// max_map_count, threads-max and pid_max; and RLIMIT_AS, RLIMIT_DATA and the
// address space of a 32-bit process, of which at most half of what is free at
// the first Start is kept back, so that a tight limit may still end it. Once
// the kernel has refused a thread where no such limit is seen, as it does for
// processes in other containers, the number that there were is a limit for 100
// ms, for pinned threads 10 s. Nothing is promised if other processes use up
// the room between two looks, nor under strict overcommit
// (vm.overcommit_memory=2).
//
// While packages are initialized, in init functions and the initializers of
// package variables, Go lets no thread that C made in. A thread that is started
// then is pinned, all its life; with a StackSize or GuardSize, also one by
// SetStackSize, which it cannot have, Start returns errors.ErrUnsupported.
//
// What the caller did before Start synchronizes before fn begins. A nil fn is
// syscall.EINVAL.
func Start(fn func(), attr *Attr) (*Thread, error) {
	a, err := attr.check()
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, badAttr("no function")
	}
	if !a.pinned && initializing() {
		if err := a.pin(); err != nil {
			return nil, err
		}
	}
	if err := a.reserve(); err != nil {
		return nil, os.NewSyscallError("pthread_create", err)
	}
	defer headroom.Settle()
	s := &start{fn: fn, attr: a, begun: park.Waiter{Spin: &startSpin}, labels: profLabels()}
	t := &Thread{start: s, serial: newSerial(), name: a.name, detached: a.detached, stack: a.stack}
	if a.pinned {
		t.kind = pinned
	}
	records.add(t)
	started.Add(1)
	if t.kind == pinned {
		go pinnedMain(t)
	} else if err := osCreate(t, &a); err != nil {
		started.Add(-1)
		records.remove(t)
		headroom.Refused(err, a.stack)
		return nil, err
	}
	s.begun.Park(park.Forever())
	if s.err != nil {
		// Without a deadline and a context neither fails.
		_ = t.awaitEnded(park.Forever())
		_ = t.awaitGone(park.Forever())
		return nil, s.err
	}
	return t, nil
}

// How a thread's part in Go ended, as bits; a value that is returned to C.
const (
	endDetach = 1 << iota // nobody is going to join it, so it detaches itself
	endLeave              // functions of Go stand on its stack: its M must not be used again
)

// nativeMain is the life of a native thread in Go. back is for leave.
func nativeMain(slot, back uintptr) (how int) {
	holdThread()
	returned := false
	defer func() {
		if !returned {
			leave(back, how)
		}
	}()
	records.at(slot).live(&how)
	returned = true
	releaseThread()
	return how
}

// leave ends the calling thread of C, whose goroutine is in Goexit, below Go.
// It does not return, so Go's runtime never gets to where it would have to end
// the process. The thread ends as any other; its M and goroutine stay behind,
// with what the functions that stand on its stack still refer to.
func leave(back uintptr, how int) {
	stranded.Threads.Add(1)
	osLeave(back, how)
}

// pinnedMain is the life of a pinned thread. The goroutine ends locked, and so
// does its thread.
func pinnedMain(t *Thread) {
	holdThread()
	if osOnFirstThread() {
		// The first thread cannot end: the runtime would keep it asleep for
		// ever. While this goroutine holds it the next one gets another.
		next := make(chan struct{})
		go func() {
			holdThread()
			close(next)
			t.live(new(int))
		}()
		<-next
		releaseThread()
		return
	}
	t.live(new(int))
}

// holds is how often a thread from Start is locked at first: a body that calls
// runtime.UnlockOSThread once too often must not lose its thread to other
// goroutines, nor a native thread what LockOSThread does for it; see
// holdThread.
const holds = 8

// holdThread locks the calling goroutine to its thread. On a thread of C it is
// locked by the runtime already, but only from a thread that is locked so does
// the runtime not make others, which would inherit this one's affinity,
// priority and namespaces.
func holdThread() {
	for range holds {
		runtime.LockOSThread()
	}
}

// releaseThread undoes holdThread.
func releaseThread() {
	for range holds {
		runtime.UnlockOSThread()
	}
}

// live is the life of the calling thread as t. how it sets as finish says.
func (t *Thread) live(how *int) {
	last := func(end error) { *how = t.finish(end) }
	fn, ok := t.begin()
	if !ok {
		last(nil)
		return
	}
	end := ErrGoexit // until fn returns or panics
	defer t.conclude(&end, last)
	defer func() {
		if v := recover(); v != nil {
			end = newPanicError(v)
		}
		end = t.outcome(end)
	}()
	fn()
	end = nil
}

// conclude does what is left to do on the calling thread, t, whose body ended
// so, and calls last with what came of it. A step that panics or calls Goexit
// skips none of those after it.
func (t *Thread) conclude(end *error, last func(end error)) {
	defer func() { last(*end) }()
	if _, panicked := (*end).(*PanicError); !panicked && len(t.values) == 0 && t.apartment == ApartmentNone {
		return
	}
	defer func() { t.report(*end) }()
	defer t.leaveApartment(end)
	returned := false
	defer func() {
		if !returned {
			*end = firstOf(*end, t.outcome(ErrGoexit))
		}
	}()
	t.destroyValues(end)
	returned = true
}

// begin makes the calling thread t's, and reports whether the body, which it
// returns, is to run.
func (t *Thread) begin() (fn func(), ok bool) {
	s := t.start
	t.start = nil // what fn refers to must not outlive it
	ident.SetSlot(t.slot)
	setProfLabels(withThread(s.labels, t.name))
	t.ident, t.nativeID = osSelf(), osNativeID()
	t.begun.Store(true)
	s.err = osApply(t, &s.attr)
	fn, ok = s.fn, s.err == nil
	s.begun.Unpark()
	if t.kind == native {
		osMakePreemptible(t)
	}
	return fn, ok
}

// finish ends the record. It is the last that happens to it on its thread. It
// returns endDetach if the thread is nobody's to join.
func (t *Thread) finish(result error) (how int) {
	if t.kind == native {
		setProfLabels(nil) // the runtime lends the goroutine to another thread
	}
	cpu, _ := osCPUTime(0) // 0 where the platform cannot tell, as documented
	switch {
	case ident.Slot() != t.slot:
		// The body of a pinned thread has unlocked itself, and this is another.
	case t.kind == bound && ident.Fast():
		ident.SetSlot(ident.Make(t.serial, 0)) // it is the same thread, and may hold what it locked
	default:
		ident.SetSlot(unknown)
	}
	records.remove(t)
	if t.kind == native || t.kind == pinned {
		started.Add(-1)
	}
	t.mu.Lock()
	t.result, t.cpu, t.ended = result, cpu, true
	waiting := t.joiners.end()
	if t.detached && len(waiting) == 0 {
		t.handle.close()
	}
	t.mu.Unlock()
	for _, w := range waiting {
		w.Unpark()
	}
	if len(waiting) == 0 {
		return endDetach
	}
	return 0
}

// outcome tells Exit from the Goexit that it is made of.
func (t *Thread) outcome(end error) error {
	if end == ErrGoexit && t.exiting {
		return ErrExit
	}
	return end
}

func init() {
	keep.Ending = func() error {
		if t := Current(); t != nil {
			return t.outcome(ErrGoexit)
		}
		return ErrGoexit
	}
}

// errNotStarted is for a thread of Attach or from C.
var errNotStarted = fault.New("thread does not come from Start", ErrNotAttached)

// Exit ends the calling thread after its deferred calls have run; Join then
// returns ErrExit. A recover does not stop it. The thread must come from Start,
// else Exit panics with an error that is ErrNotAttached, and it must be called
// in the body's own goroutine. On a native thread some 17 KB stay behind, which
// a return from the body would not leave.
func Exit() {
	t := Current()
	switch {
	case t == nil:
		panic(misuse("Exit", ErrNotAttached))
	case t.kind == bound || t.kind == alien:
		panic(misuse("Exit", errNotStarted))
	}
	t.exiting = true
	runtime.Goexit()
}

// String returns the thread's name, kind, state and native id.
func (t *Thread) String() string {
	state := "running"
	if !t.Alive() {
		state = "ended"
	}
	return fmt.Sprintf("thread %q (%v, %s, %d)", t.Name(), t.kind, state, t.nativeID)
}

// Alive reports whether t has not ended. For an attached thread other than the
// caller's it asks the system as well, which on Linux takes some 10 us.
func (t *Thread) Alive() bool {
	t.notice()
	return !t.hasEnded()
}

func (t *Thread) hasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended || t.isZero()
}

// An Ident names a thread that runs: pthread_self, on Windows the thread's id.
// It is never 0. The system may give the ident of a thread that has ended to a
// new one, and does so soon.
type Ident uintptr

// Self returns the ident of the calling thread. A goroutine that is not locked
// to its thread may be on another one by the time it looks at the result.
func Self() Ident { return osSelf() }

// NativeID returns the id of the calling thread as the kernel, ps, top and gdb
// show it. The caveat of Self holds.
func NativeID() int {
	if n := ident.Slot(); ident.Row(n) != 0 {
		// It has begun; but a goroutine that is on a pinned thread, since the
		// body has unlocked that, sees so by this alone.
		if t := records.at(n); t != nil && t.begun.Load() {
			return t.nativeID
		}
	}
	return osNativeID()
}

// Serial returns a number that no other thread of the process has or will have,
// unlike idents and native ids. On 32-bit systems that of an attached thread
// may be used again after 2,147,483,647 threads.
func (t *Thread) Serial() uint64 { return t.serial }

// Ident returns the ident of t, also after its end.
func (t *Thread) Ident() Ident { return t.ident }

// NativeID returns the id of t as the kernel, ps, top and gdb show it, also
// after its end.
func (t *Thread) NativeID() int { return t.nativeID }

// StackSize returns the size in bytes that t asked for, rounded up to whole
// pages, or 0 if it asked for none.
func (t *Thread) StackSize() int { return t.stack }

// Yield lets other goroutines run, and other threads of the same priority
// (POSIX: sched_yield).
func Yield() { osYield() }
