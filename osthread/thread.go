package osthread

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// The life of a Thread:
//
//	initial --Start--> starting --its body begins--> running --its body has ended--> ended
//	                      |                              (main, and dummies, begin here)
//	                      +--the system has no thread--> initial
//
// A Thread is in the registry from starting to ended. finish, on the thread
// itself, is the only step to ended. It publishes the result, runs the
// destructors of Locals, and sets done, which WaitAny waits for. Join waits for
// the thread of package thread below, which ends a little later.

// A Thread is one run of a function on an operating-system thread of its own.
// It comes from New or Go, from Main, or from Current on a thread that this
// package did not start. The zero Thread is a nameless New(nil, nil). All
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
	ident   thread.Ident // of Main and dummies, and so is native
	native  int
	done    Event
	wakes   atomic.Pointer[park.Party] // nil until trace functions need it

	mu       sync.Mutex
	state    state
	name     string
	daemon   bool
	osThread *thread.Thread // nil before the start, and for a dummy of a thread made by Go
	err      error
	ctx      *ownContext // nil until it is asked for
	canceled bool        // by Cancel
	waits    bool        // its waits can be ended: its slot is known
	atEnd    []ending
	hooks    bool // trace and profile are counted by trace.Add
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

// A Runner is the body of a thread from NewRunner: a type with a Run of its
// own, which can keep a result (Python: a subclass of Thread).
type Runner interface{ Run() error }

// A PanicError is what Join returns when a thread's function panicked.
type PanicError = thread.PanicError

// A CanceledError is what a call panics with that returns no error, if
// Thread.Cancel has ended its wait. It wraps the cause.
type CanceledError = thread.CanceledError

// New returns a thread that will run fn. What fn returns is the result of Join.
// A nil fn returns nil.
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
// has not started and may be started later.
func Go(fn func() error) (*Thread, error) { return Start(fn, nil) }

// Start is New and Start. If it returns an error the thread has not started and
// may be started later.
func Start(fn func() error, attr *Attr) (*Thread, error) {
	t := New(fn, attr)
	return t, t.Start()
}

func newThread(run func() error, what string, attr *Attr) *Thread {
	if attr == nil {
		attr = new(Attr)
	}
	t := &Thread{run: run, name: attr.Name, daemon: attr.Daemon, done: Event{byThread: true}}
	// A goroutine without a thread of its own inherits nothing: the thread that
	// it happens to be on is arbitrary.
	if creator, ok := self.Get(); ok {
		t.daemon = t.daemon || creator.Daemon()
	}
	if t.name == "" {
		t.name = defaultName(what)
	}
	t.attr = attr.Clone().lower()
	return t
}

// Alive reports whether t has started and not ended.
func (t *Thread) Alive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == running && !(t.origin == dummy && t.osThread == nil && !ident.Exists(t.native))
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

// SetName sets the name of t. While t runs it also sets the name that the
// system's tools show, where it can; see thread.Thread.SetName.
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

// Daemon reports whether t is a daemon, which Shutdown does not wait for.
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

// Ident returns t's ident (thread.Self), 0 before Start. It stays the same
// after t's end.
func (t *Thread) Ident() thread.Ident {
	if th := t.made(); th != nil {
		return th.Ident()
	}
	return t.ident
}

// NativeID returns t's id as the kernel and its tools show it, 0 before Start.
// It stays the same after t's end.
func (t *Thread) NativeID() int {
	if th := t.made(); th != nil {
		return th.NativeID()
	}
	return t.native
}

// made returns the thread of package thread, nil if there is none (yet).
func (t *Thread) made() *thread.Thread {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.osThread
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

// StackUse returns how much of t's stack for C code has been used; see
// thread.Thread.StackUse. Its other errors are OSThread's.
func (t *Thread) StackUse() (thread.StackUse, error) {
	th, err := t.OSThread()
	if err != nil {
		return thread.StackUse{}, err
	}
	return th.StackUse()
}

// String returns t's name, state, whether it is a daemon, its native id, and
// what it sleeps for.
func (t *Thread) String() string { return t.describe() + t.sleepsFor() + ")" }

// describe returns String without what t sleeps for.
func (t *Thread) describe() string {
	native := t.NativeID()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf("Thread(%s, %v", t.name, t.state)
	if t.daemon {
		s += " daemon"
	}
	if native != 0 {
		s += fmt.Sprintf(" %d", native)
	}
	return s
}

// WaitSource makes t a [Waitable].
func (t *Thread) WaitSource() wait.Source { return t.done.WaitSource() }
