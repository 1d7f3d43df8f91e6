package osthread

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/panichook"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/osthread/internal/protect"
)

// The life of a Thread:
//
//	initial --Start--> starting --its body begins--> running --its body has ended--> ended
//	                      |                              (main, and dummies, begin here)
//	                      +--the system has no thread--> initial
//
// It is in the registry from starting to ended. finish, on the thread itself,
// is the one step to ended: it publishes the result, ends the Locals' values,
// and sets done, which WaitAny waits for. Join waits for the thread of package
// thread below, which is gone a little later.

// A Thread is one run of a function on an operating-system thread of its own.
// It comes from New or Go (the zero Thread is a nameless New(nil, nil)); or
// from Main, or from Current in a thread that this package did not start. All
// methods may be called from any goroutine.
type Thread struct {
	origin  origin
	seq     uint64
	run     func() error
	attr    thread.Attr
	trace   hook
	profile hook
	inHook  atomic.Bool
	leaving atomic.Int32 // calls of Shutdown
	slot    uintptr      // of a dummy without a record; under registry.mu
	done    Event

	mu       sync.Mutex
	state    state
	name     string
	daemon   bool
	osThread *thread.Thread // nil before the start, and for dummies of threads of Go's
	ident    thread.Ident
	native   int
	err      error
	atEnd    []ending
	hooks    bool // those that are set count in hooked
}

type origin uint8

const (
	created origin = iota
	first          // Main
	dummy
)

type state uint8

const (
	initial state = iota
	starting
	running
	ended
)

func (s state) String() string {
	return [...]string{"initial", "starting", "started", "stopped"}[s]
}

// Attr holds the attributes of a thread to come; nil and the zero value ask for
// the defaults. Those that are not explained here are as in thread.Attr.
type Attr struct {
	// Name need not be unique. "" stands for "Thread-N (function)", N counting
	// from 1, with the function's bare name; a function literal has the name of
	// the function around it. The system's tools show what fits, on Linux 15
	// bytes.
	Name string
	// Daemon threads are not waited for by Shutdown. A thread is one, too, if
	// the thread that calls New is; see Thread.SetDaemon.
	Daemon bool

	StackSize  int // bytes, for the frames of C code
	GuardSize  int // bytes
	Affinity   []int
	Policy     thread.Policy
	Priority   int
	QoS        thread.QoS
	Nice       int
	SignalMask []os.Signal
	Apartment  thread.Apartment
	Pinned     bool
}

// A Runner is what NewRunner runs: a type with a Run of its own, which can keep
// a result (Python: a subclass of Thread).
type Runner interface{ Run() error }

// A PanicError is what Join returns when a thread's function panicked.
type PanicError = thread.PanicError

var (
	names  atomic.Uint64 // numbers of default names
	starts atomic.Uint64 // order of the registry
)

// New returns a thread that will run fn; what fn returns is Join's result. nil
// stands for a function that returns nil.
func New(fn func() error, attr *Attr) *Thread {
	if fn == nil {
		return newThread(func() error { return nil }, "", attr)
	}
	return newThread(fn, functionName(fn), attr)
}

// NewRunner returns a thread that will call r.Run.
func NewRunner(r Runner, attr *Attr) *Thread {
	return newThread(r.Run, bareName(strings.TrimPrefix(fmt.Sprintf("%T", r), "*")), attr)
}

// Go is New, with the defaults, and Start. If it returns an error the thread
// has not started, and may be later.
func Go(fn func() error) (*Thread, error) { return Start(fn, nil) }

// Start is New and Start. If it returns an error the thread has not started,
// and may be later.
func Start(fn func() error, attr *Attr) (*Thread, error) {
	t := New(fn, attr)
	return t, t.Start()
}

func newThread(run func() error, what string, attr *Attr) *Thread {
	if attr == nil {
		attr = new(Attr)
	}
	t := &Thread{run: run, name: attr.Name, daemon: attr.Daemon, done: Event{byThread: true}}
	// A goroutine without a thread of its own inherits nothing: whose dummy it
	// would be is chance.
	if creator, ok := self.Get(); ok {
		t.daemon = t.daemon || creator.Daemon()
	}
	if t.name == "" {
		t.name = defaultName(what)
	}
	t.attr = attr.lower()
	return t
}

// Check returns the error that Thread.Start would return for a, or nil. It
// makes nothing, so what the system alone can refuse is not seen. A nil Attr
// stands for the defaults.
func (a *Attr) Check() error {
	if a == nil {
		return nil
	}
	lower := a.lower()
	return lower.Check()
}

// lower is a without what package thread does not know, as a is now.
func (a *Attr) lower() thread.Attr {
	return thread.Attr{
		StackSize: a.StackSize, GuardSize: a.GuardSize, Affinity: slices.Clone(a.Affinity), Policy: a.Policy,
		Priority: a.Priority, QoS: a.QoS, Nice: a.Nice, SignalMask: slices.Clone(a.SignalMask), Apartment: a.Apartment,
		Pinned: a.Pinned,
	}
}

func defaultName(what string) string {
	n := names.Add(1)
	if what == "" {
		return fmt.Sprintf("Thread-%d", n)
	}
	return fmt.Sprintf("Thread-%d (%s)", n, what)
}

// functionName returns the bare name of fn: run for main.(*server).run, and
// also for a function literal in it, since Linux shows 15 bytes of a thread's
// name.
func functionName(fn func() error) string {
	f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer())
	if f == nil {
		return ""
	}
	return bareName(f.Name())
}

// bareName returns the last element of the name of a function, as package
// runtime has it, or of a type, as fmt prints it: without package, receiver and
// type arguments. A function literal has the name of the function around it.
func bareName(name string) string {
	for {
		open, end := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
		if open < 0 || end < open {
			break
		}
		name = name[:open] + name[end+1:] // type arguments
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = name[strings.IndexByte(name, '.')+1:]
	for {
		rest, last := cutLast(name)
		last, _, _ = strings.Cut(last, "-") // -fm of a method value, -range1 of a loop's body
		if !isLiteral(last) {
			return last
		}
		name = rest
	}
}

// cutLast splits name at its last dot.
func cutLast(name string) (rest, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// isLiteral reports whether the compiler names function literals and go
// statements so: func1, gowrap1, and 2 inside another literal.
func isLiteral(element string) bool {
	switch strings.TrimRight(element, "0123456789") {
	case "":
		return element != ""
	case "func", "gowrap", "deferwrap":
		return element[len(element)-1] <= '9'
	default:
		return false
	}
}

// Start starts t, once, and returns when t runs: Ident and NativeID are known.
// It returns ErrStarted if t was started before, ErrShutdown after Shutdown,
// and else what thread.Start returns; then t is as it was and may be started
// later.
func (t *Thread) Start() error {
	t.mu.Lock()
	if t.state != initial {
		t.mu.Unlock()
		return ErrStarted
	}
	t.state = starting
	t.attr.Name = t.name
	t.mu.Unlock()

	if err := registry.add(t); err != nil {
		t.setState(initial)
		return err
	}
	th, err := thread.Start(t.main, &t.attr)
	if err != nil {
		registry.remove(t)
		t.setState(initial)
		return err
	}
	t.began(th)
	return nil
}

func (t *Thread) setState(s state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = s
}

// began is called by the thread itself and by Start, whichever is first.
func (t *Thread) began(th *thread.Thread) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.osThread == nil {
		t.osThread, t.ident, t.native = th, th.Ident(), th.NativeID()
		t.state = running
	}
}

// main is the thread's body, as package thread sees it.
func (t *Thread) main() {
	_ = self.Set(t) // it fails only where there is no thread
	th := thread.Current()
	keep.Joinable(th) // before anybody else has it
	t.began(th)
	t.takeHooks()
	run := t.run
	t.run = nil     // what it refers to must not outlive it
	if run == nil { // of the zero Thread
		run = func() error { return nil }
	}
	var err error
	defer func() { t.finish(err) }()
	t.runReported(run, &err)
}

// runReported calls run and reports to t's hooks. *end is set before a hook is
// called, which may call runtime.Goexit.
func (t *Thread) runReported(run func() error, end *error) {
	protect.Call(
		func() error {
			t.emit(TraceEvent{Action: TraceStart})
			return run()
		},
		func(err error, returned bool) {
			*end = err
			if p, ok := err.(*PanicError); ok && !returned {
				defer t.report(p)
				t.emit(TraceEvent{Action: TracePanic})
			}
		},
	)
}

// finish ends t, once. It is called on t's thread, or if that is gone already
// on another.
func (t *Thread) finish(err error) {
	defer t.end(err)       // even if a hook calls runtime.Goexit
	if t.origin != dummy { // of a dummy's end it may be told elsewhere
		t.emit(TraceEvent{Action: TraceEnd})
	}
}

func (t *Thread) end(err error) {
	t.mu.Lock()
	if t.state == ended {
		t.mu.Unlock()
		return
	}
	t.state, t.err = ended, err
	atEnd := t.atEnd
	t.atEnd = nil
	t.mu.Unlock()
	defer func() {
		t.dropHooks()
		registry.remove(t)
		t.done.Set()
	}()
	runEndings(atEnd)
}

// runEndings runs all of them, also if one calls runtime.Goexit.
func runEndings(all []ending) {
	for i, e := range all {
		protect.OnGoexit(func() { runEndings(all[i+1:]) }, e.run)
	}
}

// Join waits for t to end, and until it is gone from the system's list of
// threads. It returns what t's function returned, or a *PanicError, ErrExit,
// ErrGoexit or ErrPthreadExit if it ended otherwise. Any number of threads may
// join, any number of times; each gets the same. It returns at once
// ErrNotStarted before Start has returned, ErrDeadlock on the calling thread
// itself, and ErrNotJoinable on a dummy (see Current). The main thread ends
// when RunMain's function does.
//
// What t did synchronizes before the return from Join.
func (t *Thread) Join() error {
	return t.join(true, func() bool { t.done.Wait(); return true }, (*thread.Thread).Join, context.Background())
}

// TryJoin is JoinTimeout(0).
func (t *Thread) TryJoin() error { return t.JoinTimeout(0) }

// JoinTimeout is Join for at most d; past that it returns ErrTimeout. d <= 0
// never sleeps. If t's function may return ErrTimeout itself, Alive tells the
// two apart.
func (t *Thread) JoinTimeout(d time.Duration) error {
	return t.join(
		d > 0,
		func() bool { return t.done.WaitTimeout(d) },
		func(th *thread.Thread) error { return th.JoinTimeout(d) },
		context.Background(),
	)
}

// JoinContext is Join until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look at t.
func (t *Thread) JoinContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.join(
		true,
		func() bool { return t.done.WaitContext(ctx) == nil },
		func(th *thread.Thread) error { return th.JoinContext(ctx) },
		ctx,
	)
}

// join waits for t by joinLow, or by awaitEnd if it is the main thread, until
// ctx is done or the time of either is up; sleeps says whether that may take
// time.
func (t *Thread) join(
	sleeps bool,
	awaitEnd func() bool,
	joinLow func(*thread.Thread) error,
	ctx context.Context,
) error {
	t.mu.Lock()
	state, th := t.state, t.osThread
	t.mu.Unlock()
	switch {
	case t.origin == dummy:
		return ErrNotJoinable
	case state == initial || state == starting:
		return ErrNotStarted
	case state != ended && isSelf(t):
		return ErrDeadlock
	case t.origin == first:
		if !awaitEnd() {
			return cmp.Or(context.Cause(ctx), ErrTimeout)
		}
		return t.result()
	}
	if sleeps && state != ended && trace.Enabled() {
		defer blocked(t)()
	}
	err := joinLow(th)
	if err == ErrTimeout || ctx.Err() != nil && !t.done.IsSet() {
		return err
	}
	if r := t.result(); r != nil {
		return r
	}
	return err
}

// isSelf reports whether the caller runs on t, and t is not just the thread
// that a goroutine is on at the moment.
func isSelf(t *Thread) bool {
	if me, ok := self.Get(); ok {
		return me == t
	}
	// A goroutine attached to the first thread holds it, from RunMain too.
	return t.origin == first && thread.Self() == t.ident && thread.Current() != nil
}

func (t *Thread) result() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Alive reports whether t has started and not ended.
func (t *Thread) Alive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == running && !(t.origin == dummy && t.osThread == nil && !threadExists(t.native))
}

func (t *Thread) hasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == ended
}

// Name returns the name of t.
func (t *Thread) Name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.name
}

// SetName names t, for the system's tools too while t runs, where it can; see
// thread.Thread.SetName.
func (t *Thread) SetName(name string) error {
	t.mu.Lock()
	th, running := t.osThread, t.state == running
	t.mu.Unlock()
	if running && th != nil {
		if err := th.SetName(name); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.name = name
	return nil
}

// Daemon reports whether Shutdown leaves t alone.
func (t *Thread) Daemon() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.daemon
}

// SetDaemon makes t a daemon or not. It returns ErrStarted once t has been
// started.
func (t *Thread) SetDaemon(daemon bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != initial {
		return ErrStarted
	}
	t.daemon = daemon
	return nil
}

// Ident returns t's ident (thread.Self), 0 before Start, also after its end.
func (t *Thread) Ident() thread.Ident {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ident
}

// NativeID returns t's id as the kernel and its tools show it, 0 before Start,
// also after its end.
func (t *Thread) NativeID() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.native
}

// OSThread returns the [thread.Thread] that t runs on, which has affinity,
// priority, Park and Unpark. It returns ErrNotStarted before Start, and
// thread.ErrNotAttached for a dummy of a thread made by Go. It cannot be
// detached: Detach returns thread.ErrNotJoinable.
func (t *Thread) OSThread() (*thread.Thread, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.osThread != nil:
		return t.osThread, nil
	case t.state == initial || t.state == starting:
		return nil, ErrNotStarted
	default:
		return nil, thread.ErrNotAttached
	}
}

// CPUTime returns how long t has run on a processor; see thread.Thread.CPUTime.
// Its other errors are OSThread's.
func (t *Thread) CPUTime() (time.Duration, error) {
	th, err := t.OSThread()
	if err != nil {
		return 0, err
	}
	return th.CPUTime()
}

// String returns t's name, state, whether it is a daemon, and its native id.
func (t *Thread) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf("Thread(%s, %v", t.name, t.state)
	if t.daemon {
		s += " daemon"
	}
	if t.native != 0 {
		s += fmt.Sprintf(" %d", t.native)
	}
	return s + ")"
}

// WaitSource makes t a [Waitable].
func (t *Thread) WaitSource() wait.Source { return t.done.WaitSource() }

var panicHook = panichook.Hook[*Thread, *PanicError]{
	Default:   func(t *Thread, e *PanicError) { panichook.Print(t.Name(), e.Value, e.Stack) },
	Recovered: protect.Recovered,
}

// SetPanicHook makes h get each panic that leaves a thread's function, a
// timer's, a trace function or an exit function, on that thread. nil stands for
// the default, which writes
//
//	Panic in thread NAME: VALUE
//
// and the stack to standard error. To have such a panic end the process, as it
// would in a goroutine:
//
//	osthread.SetPanicHook(func(_ *osthread.Thread, e *osthread.PanicError) { go panic(e) })
//
// A panic of h itself is reported the default way.
func SetPanicHook(h func(t *Thread, e *PanicError)) { panicHook.Set(h) }

// PanicHook returns the hook that SetPanicHook has set, nil for the default, so
// that a new one can call it, or restore it.
func PanicHook() func(t *Thread, e *PanicError) { return panicHook.Get() }

// ReportPanic does with e what is done with the panic of a thread's function,
// for the calling thread: it calls SetPanicHook's function, or writes e to
// standard error. It is for code that calls others' functions on its threads
// and recovers their panics.
func ReportPanic(e *PanicError) { Current().report(e) }

func (t *Thread) report(e *PanicError) { panicHook.Report(t, e) }
