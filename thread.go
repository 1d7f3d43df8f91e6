package thread

import (
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/fault"
	"example.com/thread/internal/headroom"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// The life of a thread made by Start, as a record handed on:
//
//	Start            makes the record and a row for it, and asks the system for a thread; the record is Start's
//	nativeMain,      runs on the new thread, which the record belongs to from now on: sets the slot, applies the attributes,
//	pinnedMain       and tells Start (begun), which returns. On failure it ends here, and Start returns the error
//	contain          runs the body, and then the destructors of Keys, and tells how they ended
//	finish           empties the slot, gives the row back, publishes the result (under mu) and wakes the joiners
//	the system       takes the thread down. Who joins waits for this too (join.go)
//
// A body can end in ways that would end the process on a thread that C made: a panic, and runtime.Goexit, for which Go's runtime has "no
// Go caller to return to" and throws. contain stops both; see there.

// A kind is how a thread came to have its record.
type kind uint8

const (
	native kind = iota // by Start: created by C
	pinned             // by Start: a goroutine locked to a thread of Go's
	bound              // by Attach: likewise, until Detach
	alien              // by calling Go: created by somebody's C
)

func (k kind) String() string { return [...]string{"native", "pinned", "attached", "alien"}[k] }

// A Thread is the record of an operating-system thread: one made by Start, or attached (see Current). All methods may be called from any
// goroutine. The zero Thread stands for no thread: its methods treat it as one that has ended and was detached.
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
	fn    func()
	attr  attrs
	begun park.Waiter
	err   error // why the thread could not begin
}

// startSpin tells whether new threads begin while Start spins: after some 15 us where a processor is free.
var startSpin park.Spinner

// started counts the threads from Start that have not ended.
var started atomic.Int64

// NumThread returns the number of threads made by Start that have not ended.
func NumThread() int { return int(started.Load()) }

// Start runs fn on a new thread. nil and the zero Attr ask for the defaults. It returns when the thread runs, with its attributes
// set and its ident and native id known.
//
// Attributes are checked before anything is made; a bad one is ErrStackSize or syscall.EINVAL. What the system refuses comes back as an
// *os.SyscallError that wraps the errno, with no thread left: syscall.EAGAIN at a limit on the number of threads or memory,
// syscall.EPERM for a policy, priority or niceness that is not allowed, the HRESULT as a syscall.Errno for a COM apartment. What the
// platform cannot do is errors.ErrUnsupported.
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
// processes in other containers, the number that there were is a limit for
// 10 s. Nothing is promised if other processes use up the room between two
// looks, nor under strict overcommit (vm.overcommit_memory=2).
//
// What the caller did before Start synchronizes before fn begins. A nil fn is syscall.EINVAL.
func Start(fn func(), attr *Attr) (*Thread, error) {
	a, err := attr.check()
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, badAttr("no function")
	}
	if err := a.reserve(); err != nil {
		return nil, os.NewSyscallError("pthread_create", err)
	}
	defer headroom.Settle()
	s := &start{fn: fn, attr: a, begun: park.Waiter{Spin: &startSpin}}
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

// nativeMain is the life of a native thread in Go. It reports whether the thread is nobody's to join.
func nativeMain(slot uintptr) (detach bool) {
	// The runtime never makes a thread from one that is locked so, but from its own template: else Go's next thread would
	// inherit this one's affinity, priority and namespaces.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t := records.at(slot)
	fn, ok := t.begin()
	if !ok {
		return t.finish(nil)
	}
	return t.finish(t.wrapUp(t.outcome(contain(fn))))
}

// pinnedMain is the life of a pinned thread. The goroutine ends locked, and so does its thread.
func pinnedMain(t *Thread) {
	runtime.LockOSThread()
	if osOnFirstThread() {
		// The first thread cannot end: the runtime would keep it asleep for ever. While this goroutine holds it the next one gets another.
		next := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(next)
			pinnedOn(t)
		}()
		<-next
		runtime.UnlockOSThread()
		return
	}
	pinnedOn(t)
}

func pinnedOn(t *Thread) {
	var end error
	defer func() { t.finish(end) }()
	fn, ok := t.begin()
	if !ok {
		return
	}
	end = ErrGoexit // until fn returns or panics
	defer func() { t.report(end) }()
	defer func() { t.leaveApartment(&end) }()
	defer func() { t.destroyValues(&end) }()
	defer func() {
		if v := recover(); v != nil {
			end = newPanicError(v)
		}
		end = t.outcome(end)
	}()
	fn()
	end = nil
}

// begin makes the calling thread t's, and reports whether the body, which it returns, is to run.
func (t *Thread) begin() (fn func(), ok bool) {
	s := t.start
	t.start = nil // what fn refers to must not outlive it
	ident.SetSlot(t.slot)
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

// finish ends the record. It is the last that happens to it on its thread. It reports whether the thread is nobody's to join.
func (t *Thread) finish(result error) (detach bool) {
	cpu, _ := osCPUTime(0) // 0 where the platform cannot tell, as documented
	if t.kind == bound && ident.Fast() {
		ident.SetSlot(ident.Make(t.serial, 0)) // it is the same thread, and may hold what it locked
	} else {
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
	return len(waiting) == 0
}

// wrapUp does what is left to do on a thread of C whose body ended so: the destructors of Keys, the end of its apartment, and the report of a panic.
func (t *Thread) wrapUp(end error) error {
	if _, panicked := end.(*PanicError); !panicked && len(t.values) == 0 && t.apartment == ApartmentNone {
		return end
	}
	late := contain(func() {
		defer func() { t.report(end) }()
		defer t.leaveApartment(&end)
		t.destroyValues(&end)
	})
	return firstOf(end, t.outcome(late))
}

// outcome tells Exit from the Goexit that it is made of.
func (t *Thread) outcome(end error) error {
	if end == ErrGoexit && t.exiting {
		return ErrExit
	}
	return end
}

// errNotStarted is for a thread of Attach or from C.
var errNotStarted = fault.New("thread does not come from Start", ErrNotAttached)

// maxOpenLocks is how many calls of runtime.LockOSThread a body may leave without their UnlockOSThread.
const maxOpenLocks = 64

// contain runs fn in a coroutine on the calling thread, which must be one of C's, and tells how it ended.
//
// A goroutine that the runtime lent to a thread of C must not end, and runtime.Goexit, once called, cannot be stopped: the runtime
// goes on with it after any recover. So fn has a goroutine of its own that may end, without a thread of its own: the
// coroutine of iter.Pull, to which the thread is lent. Goexit there runs fn's deferred calls, then ours, which panics; Pull
// recovers that panic to hand it to the caller of next, and the Goexit then ends the coroutine in peace, which switches back
// here. Without the panic Pull would call Goexit here. Nothing is left behind: 0 bytes an exit over 100,000 of them.
//
// The runtime wants the thread locked as often at each switch as when the coroutine was made; see lockOnce.
func contain(fn func()) (end error) {
	lockOnce()
	defer func() {
		switch v := recover().(type) {
		case nil:
		case goexitMark:
			end = ErrGoexit
		case *PanicError:
			end = v
		default:
			panic(v)
		}
	}()
	next, _ := iter.Pull(func(func(struct{}) bool) {
		returned := false
		defer func() {
			lockOnce()
			if v := recover(); v != nil {
				panic(newPanicError(v))
			}
			if !returned {
				panic(goexitMark{})
			}
		}()
		fn()
		returned = true
	})
	next()
	return nil
}

type goexitMark struct{}

// lockOnce leaves the calling thread, which must be one of C's, with one LockOSThread to undo, whatever a body, or C code that ended it, has left.
// The runtime lets nobody count, but UnlockOSThread too often does no harm: during a call from C the runtime holds a lock of its own, so the
// goroutine stays.
func lockOnce() {
	for range maxOpenLocks {
		runtime.UnlockOSThread()
	}
	runtime.LockOSThread()
}

// Exit ends the calling thread after its deferred calls have run; Join then returns ErrExit. A recover does not stop it. The thread must come from
// Start, else Exit panics with an error that is ErrNotAttached, and it must be called in the body's own goroutine.
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

// An Ident names a thread that runs: pthread_self, on Windows the thread's id. It is never 0. The system may give the
// ident of a thread that has ended to a new one, and does so soon.
type Ident uintptr

// Self returns the ident of the calling thread. A goroutine that is not locked to its thread may be on another one by the time it
// looks at the result.
func Self() Ident { return osSelf() }

// NativeID returns the id of the calling thread as the kernel, ps, top and gdb show it. The caveat of Self holds.
func NativeID() int {
	if n := ident.Slot(); ident.Row(n) != 0 {
		return records.at(n).nativeID
	}
	return osNativeID()
}

// Serial returns a number that no other thread of the process has or will have,
// unlike idents and native ids. On 32-bit systems that of an attached thread may
// be used again after 2,147,483,647 threads.
func (t *Thread) Serial() uint64 { return t.serial }

// Ident returns the ident of t, also after its end.
func (t *Thread) Ident() Ident { return t.ident }

// NativeID returns the id of t as the kernel, ps, top and gdb show it, also after its end.
func (t *Thread) NativeID() int { return t.nativeID }

// StackSize returns the size in bytes that t asked for, rounded up to whole pages, or 0 if it asked for none.
func (t *Thread) StackSize() int { return t.stack }

// Yield lets other goroutines run, and other threads of the same priority (POSIX: sched_yield).
func Yield() { osYield() }
