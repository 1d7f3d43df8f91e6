package thread

import (
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/headroom"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/proflabel"
	"example.com/thread/internal/watch"
)

// The life of a thread made by Start, by the owner of its record:
//
//	Start        makes the record and its row, and asks the system for a thread.
//	             It returns at once, unless an attribute may be refused
//	nativeMain,  run on the new thread, which owns the record from here on: set
//	pinnedMain   the slot, apply the attributes, and wake Start and those that
//	             need what is known from here on. If an attribute is refused the
//	             thread ends here, and Start returns the error
//	live         runs the body
//	conclude     runs the destructors of Keys, leaves the COM apartment, which
//	             they may need, and reports a panic
//	finish       clears the slot, gives the row back, publishes the result
//	             under mu and wakes the joiners
//	the system   takes the thread down. A joiner waits for this, too (join.go)
//
// The body may panic or call runtime.Goexit, and so may any destructor. Each
// step is deferred by the step before, so none is skipped, and a panic is
// recovered. A Goexit cannot be recovered: see goexit.go.

// A start is what Start and the new thread share until the body runs.
type start struct {
	fn     func()
	attr   attrs
	labels unsafe.Pointer // of the profiler; the starter's
	err    error          // why the thread could not begin
}

// startSpin learns whether new threads begin while Start spins: if a processor
// is idle, after some 15 us.
var startSpin park.Spinner

// started counts the threads from Start that have not ended.
var started atomic.Int64

// NumThread returns the number of threads made by Start that have not ended.
func NumThread() int { return int(started.Load()) }

// Start runs fn on a new thread. A nil attr and the zero Attr ask for the
// defaults. Start returns when the system has made the thread, which may not
// run yet; methods that need the running thread, such as NativeID and the
// setters, wait for it. If attr has attributes that the system may refuse (all
// but Name, StackSize, GuardSize, Detached and Pinned), Start returns when the
// thread runs with these set.
//
// Start checks the attributes first; a bad one is ErrStackSize or
// syscall.EINVAL, and an attribute that the platform cannot provide is
// errors.ErrUnsupported. What the system refuses is an *os.SyscallError that
// wraps the errno, and leaves no thread behind: syscall.EAGAIN at a limit on
// the number of threads or on memory, syscall.EPERM for a policy, priority or
// niceness that is not permitted, the HRESULT as a syscall.Errno for a COM
// apartment. A nil fn is syscall.EINVAL. A name is best effort: see [Attr].
//
// Go's runtime aborts the process when it cannot make a thread, so Start
// returns EAGAIN GOMAXPROCS + 16 threads before a limit that it knows. These
// are:
//
//   - debug.SetMaxThreads (10,000 by default), for pinned threads only. At most
//     a quarter of it is reserved for the runtime;
//   - on Linux, RLIMIT_NPROC (counting the user's other processes), the pids
//     controller of control groups, max_map_count, threads-max and pid_max;
//   - on Linux, RLIMIT_AS, RLIMIT_DATA and the address space of a 32-bit
//     process. At most half of what is free at the first Start is reserved, so
//     a tight limit may still end the process.
//
// If the kernel refuses a thread below every known limit, as it does in
// containers that other processes share, the current number of threads counts
// as a limit for 100 ms, for pinned threads for 10 s. Nothing is promised if
// other processes use up the room between two checks, nor under strict
// overcommit (vm.overcommit_memory=2).
//
// During package initialization, in init functions and the initializers of
// package variables, Go lets no thread made by C in. A thread started then is
// pinned for all its life; if a stack or guard size is requested, by its Attr
// or SetStackSize, Start returns errors.ErrUnsupported.
//
// What the caller did before Start synchronizes before fn begins.
func Start(fn func(), attr *Attr) (*Thread, error) {
	a, err := attr.check()
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, badAttr("start: nil function")
	}
	if !a.pinned && initializing() {
		if err := a.pin(); err != nil {
			return nil, err
		}
	}
	if err := a.reserve(); err != nil {
		return nil, os.NewSyscallError("pthread_create", err)
	}
	s := &start{fn: fn, attr: a, labels: proflabel.Get()}
	t := &Thread{start: s, serial: newSerial(), name: a.name, detached: a.detached, stack: a.stack}
	if a.pinned {
		t.kind = pinned
	}
	records.add(t)
	started.Add(1)
	if t.kind == pinned {
		goOutside(func() { pinnedMain(t) })
	} else {
		err := osCreate(t, &a)
		headroom.Settle()
		if err != nil {
			started.Add(-1)
			records.remove(t)
			headroom.Refused(err, a.stack)
			return nil, err
		}
	}
	if a.refusable() {
		t.awaitBegun()
	}
	t.made.Store(true)
	if a.refusable() && s.err != nil {
		forever := park.Forever()
		// Without a deadline and a context neither fails.
		_ = t.awaitEnd(Current() != nil, t, &forever)
		_ = t.awaitGone(&forever)
		return nil, s.err
	}
	t.countStart()
	return t, nil
}

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

// pinnedMain is the life of a pinned thread. The goroutine ends locked, so the
// runtime ends its thread.
func pinnedMain(t *Thread) {
	holdThread()
	if osOnFirstThread() {
		// The process's first thread cannot end: the runtime would park it for
		// ever. While this goroutine holds it, the next one gets another.
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

// holds is how many times a thread from Start is locked initially. A body that
// calls runtime.UnlockOSThread once too often must not lose its thread to other
// goroutines, nor a native thread the protection of holdThread.
const holds = 8

// holdThread locks the calling goroutine to its thread. The runtime has locked
// a thread of C already, but it avoids cloning new threads from the calling one
// only if LockOSThread was called. Such clones would inherit the thread's
// affinity, priority and namespaces.
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

// live is the life of the calling thread as t. It sets how to finish's result.
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

// begin makes the calling thread t's. It returns the body, and whether to run
// it.
func (t *Thread) begin() (fn func(), ok bool) {
	s := t.start
	t.start = nil // what fn refers to must not outlive it
	ident.SetSlot(t.slot)
	if watch.On && t.kind == native {
		watch.BeginThread()
	}
	t.labels.begin(s.labels, t.name)
	t.ident, t.nativeID = osSelf(), osNativeID()
	t.measured = s.attr.measure
	s.err = s.attr.apply(t)
	fn, ok = s.fn, s.err == nil
	t.announce()
	if t.kind == native {
		if reportsOverflows.Load() {
			osLearnGuard()
		}
		osMakePreemptible(t)
	} else {
		headroom.Settle()
	}
	return fn, ok
}

// conclude runs the steps that remain on the calling thread, t, after its body
// has ended with *end, and calls last with the thread's result. No step that
// panics or calls Goexit skips the steps after it.
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

// leaveApartment makes the calling thread, t, leave its apartment. That may
// release objects that are implemented in Go; a panic of one is stored in *end
// unless *end is set.
func (t *Thread) leaveApartment(end *error) {
	if t.apartment == ApartmentNone {
		return
	}
	t.apartment = ApartmentNone
	defer func() {
		if v := recover(); v != nil {
			*end = firstOf(*end, newPanicError(v))
		}
	}()
	osLeaveApartment()
}

// finish marks t as ended and wakes its joiners. It is the last step that runs
// on the thread itself. It returns endDetach if nobody is joining the thread,
// which then detaches itself.
func (t *Thread) finish(result error) (how int) {
	t.endLabels()
	if t.measured && ident.Slot() == t.slot {
		t.measureStack()
	}
	cpu, _ := osCPUTime(0) // 0 where it is not supported, as documented
	switch {
	case ident.Slot() != t.slot:
		// The body of a pinned thread unlocked itself: this is another thread.
	case t.kind == bound && ident.Fast():
		ident.SetSlot(ident.Make(t.serial, 0)) // the same thread, which may hold locks under this serial
	default:
		ident.SetSlot(unknown)
	}
	records.remove(t)
	if t.fromStart() {
		started.Add(-1)
	}
	t.mu.Lock()
	t.result, t.cpu, t.ended = result, cpu, true
	t.hasPolicy(PolicyInherit)
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

// firstOf returns the first of the two that is not nil.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
