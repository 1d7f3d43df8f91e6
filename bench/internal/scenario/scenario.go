// Package scenario says what is measured, independently of the contenders.
package scenario

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A Kind is a kind of work. Its comment has the fields of Spec that it uses,
// and what one operation is.
type Kind string

const (
	// Lock is think, lock, work, unlock, on each of Threads threads. An
	// operation is one section, its wait the call of lock.
	Lock Kind = "lock"
	// Recursive is lock and unlock of a recursive lock by a single thread.
	Recursive Kind = "recursive"
	// RWLock is sections of Work steps on each of Threads threads, Reads
	// percent of them shared. The wait is the call of lock. With 100 percent
	// the time of an operation halves with twice the processors if readers do
	// not write to what they share.
	RWLock Kind = "rwlock"
	// Condition is Pairs of threads that alternate, each pair using a lock and
	// a condition. An operation is one pass of the token by one thread,
	// its wait a whole round trip.
	Condition Kind = "condition"
	// Event is Pairs of threads that alternate, each pair using one event per
	// direction; otherwise as Condition.
	Event Kind = "event"
	// Park is one pair that alternates by parking and waking a given thread;
	// otherwise as Condition.
	Park Kind = "park"
	// Semaphore is acquire, Work steps, release, on each of Threads threads, of
	// a semaphore with Permits. The wait is the call of acquire.
	Semaphore Kind = "semaphore"
	// Barrier is Parties threads that meet. An operation is one thread's call,
	// which is its wait too.
	Barrier Kind = "barrier"
	// DropIn is a program that is compiled with package osthread/sync in place
	// of sync. Op is what it uses: a Mutex as in Lock, an RWMutex as in RWLock,
	// a Cond as in Condition, WaitGroups as in Barrier. A thread is a goroutine
	// that is locked to one.
	DropIn Kind = "dropin"
	// Shared is the objects that C and Go share (package shared, csrc). With a
	// mutex as the Object ("normal", "errorcheck", "recursive", "robust",
	// "inherit") it is lock, Work steps, unlock, on each of Threads threads,
	// the wait the call of lock; with Op "processes" each thread is the only
	// one of its process, and the processors' time is that of one process.
	// With "semaphore" and "event" it is a thread of
	// C and one of the contender's that wake each other in turns; an operation
	// is one wakeup. With "ring" a thread of C writes records of 64 bytes, in
	// batches, that one of the contender's reads; an operation is one record.
	Shared Kind = "shared"
	// Queue is Producers that put and Consumers that get through a queue of
	// Capacity. An operation is one item, its wait the call of get.
	Queue Kind = "queue"
	// StartJoin is starting a thread with an empty body and Stack bytes of
	// stack, and joining it; the wait is all of it. In Go an ordinary goroutine
	// does this and Many, elsewhere a thread does.
	StartJoin Kind = "startjoin"
	// Submit is submitting an empty task to a pool of one thread and waiting
	// for its result; the wait is all of it.
	Submit Kind = "submit"
	// Call is Think steps of the caller's own, then calling an empty function
	// on one given thread and waiting for it to return; the wait is the call.
	Call Kind = "call"
	// Lua is Threads callers that have an embedded interpreter, which lives on
	// one thread, run a function of about a microsecond; the wait is all of it.
	// It is a real program's use of Call, with a C library that is for one
	// thread.
	Lua Kind = "lua"
	// Callback is a call from C into Go on a thread that C made. Op is "first"
	// (with the start and the end of the thread) or "again".
	Callback Kind = "callback"
	// Identity is a query about the calling thread. Op is "current" (its
	// record), "ident", "nativeid" or "local" (thread-specific data).
	Identity Kind = "identity"
	// Lateness is a timed wait of Sleep, which always times out, by one thread
	// under Policy, on processor 0 alone if Bound. Its time and its wait are
	// the lateness of the timeout. It is what cyclictest measures. Slack is the
	// thread's timer slack. Busy goroutines compute meanwhile.
	Lateness Kind = "lateness"
	// Many is Threads threads started one after the other, all alive and
	// blocked at once. An operation is one start; bytes are the resident memory
	// per thread if there is more than one. Each round has its own process.
	Many Kind = "many"
	// Waiters is Waiters callers that all wait for one Object: a lock, a
	// condition, an event, a permit of a semaphore, an item of a queue, the
	// result of a future. Op is how their waits end: "notify" (each gets what
	// it waits for), "cancel" (of one context), or "timeout" (of one deadline).
	// An operation is one caller; its time is the part of one caller in the
	// time from that moment until the last has returned. Each round has its own
	// process, as in rows of Tasks.
	Waiters Kind = "waiters"
	// WaitAny is one thread that waits for any of Objects locks, and another
	// that releases one. An operation is one lock waited for, so its time is
	// constant if the wait costs as much as it has locks.
	WaitAny Kind = "waitany"
	// Tasks is Tasks empty tasks in the queue of a pool whose one thread is
	// occupied. Op is "submit" (all of them), "run" (all of them) or "cancel"
	// (all of them, in random order). An operation is one task.
	Tasks Kind = "tasks"
)

// Growth reports whether rows of the kind show how cost grows with the amount
// of work.
func (k Kind) Growth() bool { return k == Waiters || k == WaitAny || k == Tasks }

// A Caller is the kind of caller, where a contender has the choice.
type Caller string

const (
	Thread    Caller = "thread"    // an operating-system thread
	Goroutine Caller = "goroutine" // not locked to a thread
)

// Scheduling policies of Lateness.
const (
	Other = "other" // the system's default
	FIFO  = "fifo"  // SCHED_FIFO
)

// What the program of DropIn uses.
const (
	UseMutex     = "mutex"
	UseRWMutex   = "rwmutex"
	UseCond      = "cond"
	UseWaitGroup = "waitgroup"
)

// Processes is the Op of rows of Shared whose threads are of different
// processes.
const Processes = "processes"

// A Spec is one row. Fields that its Kind does not use are zero.
type Spec struct {
	Kind      Kind
	Caller    Caller
	Op        string
	Object    string
	Threads   int
	Waiters   int
	Objects   int
	Tasks     int
	Pairs     int
	Parties   int
	Permits   int
	Capacity  int
	Producers int
	Consumers int
	Reads     int // percent
	Work      int // steps inside a section
	Think     int // steps outside
	Stack     int // bytes; 0 for the contender's default
	Sleep     int // ns
	Policy    string
	Bound     bool
	Slack     int // ns; 0 for the system's default
	Busy      int
	Reserved  int // places beside GOMAXPROCS (thread.Reserve)
	Procs     int // GOMAXPROCS; 0 for all processors, and not part of the name
}

// A Param is one dimension of a row.
type Param struct{ Key, Value string }

// Params returns the dimensions of the row, in the order of its name.
func (s Spec) Params() []Param {
	var ps []Param
	text := func(key, value string) {
		if value != "" {
			ps = append(ps, Param{key, value})
		}
	}
	number := func(key string, n int, kinds ...Kind) {
		if n != 0 || slices.Contains(kinds, s.Kind) {
			ps = append(ps, Param{key, strconv.Itoa(n)})
		}
	}
	text("caller", string(s.Caller))
	text("object", s.Object)
	text("op", s.Op)
	number("threads", s.Threads)
	number("waiters", s.Waiters)
	number("objects", s.Objects)
	number("tasks", s.Tasks)
	number("pairs", s.Pairs)
	number("parties", s.Parties)
	number("permits", s.Permits)
	number("capacity", s.Capacity)
	number("producers", s.Producers)
	number("consumers", s.Consumers)
	number("reads", s.Reads)
	number("work", s.Work, Lock)
	number("think", s.Think)
	number("stack", s.Stack, StartJoin)
	number("sleep", s.Sleep)
	text("policy", s.Policy)
	if s.Kind == Lateness {
		text("bound", strconv.FormatBool(s.Bound))
	}
	number("slack", s.Slack)
	number("busy", s.Busy)
	number("reserved", s.Reserved)
	number("procs", s.Procs)
	return ps
}

// Name returns the kind and the parameters in benchstat's form:
// kind/key=value/...
func (s Spec) Name() string {
	var b strings.Builder
	b.WriteString(string(s.Kind))
	for _, p := range s.Params() {
		fmt.Fprintf(&b, "/%s=%s", p.Key, p.Value)
	}
	return b.String()
}

// Batch returns how many operations a thread does between two checks for the
// end of the round: some microseconds' worth, so that the cost of the check is
// negligible.
func (s Spec) Batch() int {
	switch s.Kind {
	case Identity, Recursive:
		return 1024
	case Shared:
		switch {
		case s.Threads > 1:
			return s.sections()
		case s.Object == "semaphore", s.Object == "event":
			return 8
		}
		return 1024
	case DropIn:
		if s.Threads == 0 {
			return 8
		}
		return s.sections()
	case Lock, RWLock, Semaphore:
		if s.Threads == 1 || s.Reads == 100 {
			return 1024
		}
		return s.sections()
	case Queue:
		return 32
	case StartJoin, Callback, Lateness, Many, Waiters, WaitAny, Tasks:
		return 1
	case Call:
		return max(1, min(8, 50_000/(s.Think+1)))
	default:
		return 8
	}
}

// sections returns how many sections take some microseconds.
func (s Spec) sections() int { return max(1, min(128, 5000/(s.Work+s.Think+1))) }

// HasThreads reports whether contenders whose threads do not run under
// GOMAXPROCS can do the row: it calls from threads, and uses all processors.
func (s Spec) HasThreads() bool {
	if s.Slack+s.Busy+s.Reserved > 0 {
		return false // they are about Go's threads, and about this library's
	}
	if s.Kind == WaitAny || s.Kind == Tasks || s.Kind == DropIn {
		return false // they have no such wait, pools of their own kinds, and no sync
	}
	return s.Caller != Goroutine && (s.Procs == 0 || s.Procs == runtime.NumCPU())
}

// Waits reports whether the wait of an operation is a part of it that can be
// timed.
func (s Spec) Waits() bool {
	switch s.Kind {
	case Identity, Recursive, Many, Waiters, Tasks:
		return false
	case Shared:
		return s.Threads > 1
	case Callback:
		return s.Op == "first"
	default:
		return s.Kind != Lock && s.Reads != 100 || s.Kind == Lock && s.Threads > 1
	}
}

// Apart reports whether each round has a process of its own, since a process
// that has had many threads or goroutines keeps some of their memory.
func (s Spec) Apart() bool { return s.Kind == Many || s.Kind == Waiters || s.Kind == Tasks }

// Memory reports whether the row measures the memory of each thread, caller or
// task. Where there are few, what the process touches for the first time would
// dominate.
func (s Spec) Memory() bool {
	switch s.Kind {
	case Many:
		return s.Threads > 1
	case Waiters:
		return s.Waiters >= 100
	case Tasks:
		return s.Tasks >= 1000
	default:
		return false
	}
}

// Counted returns the number of threads whose operations are counted, each
// separately: in a queue row, the consumers.
func (s Spec) Counted() int {
	switch s.Kind {
	case Lock, RWLock, Semaphore, Lua:
		return s.Threads
	case Shared:
		return max(1, s.Threads)
	case Condition, Event:
		return 2 * s.Pairs
	case DropIn:
		return max(s.Threads, 2*s.Pairs, s.Parties)
	case Park:
		return 2
	case Barrier:
		return s.Parties
	case Queue:
		return s.Consumers
	default:
		return 1
	}
}

// Work does n dependent steps, each one multiplication and one addition,
// together about a nanosecond. Contenders in other languages have the same
// function.
//
//go:noinline
func Work(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}
