// Package scenario says what is measured. It knows nothing of who takes part.
package scenario

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A Kind is a sort of work. The fields of Spec that it uses, and what one
// operation of it is, stand with it.
type Kind string

const (
	// Lock is think, lock, work, unlock, on each of Threads threads; an
	// operation is one section, its wait the call of lock.
	Lock Kind = "lock"
	// Recursive is lock and unlock of a recursive lock by one thread alone.
	Recursive Kind = "recursive"
	// RWLock is sections of Work steps on each of Threads threads, Reads
	// percent of them shared; the wait is the call of lock.
	RWLock Kind = "rwlock"
	// Condition is Pairs of threads that take turns, each pair with a lock and
	// a condition; an operation is one turn of one thread, its wait a whole
	// round.
	Condition Kind = "condition"
	// Event is Pairs of threads that take turns, each pair with an event a
	// direction; as Condition.
	Event Kind = "event"
	// Park is one pair that takes turns by the means to sleep and to wake one
	// given thread; as Condition.
	Park Kind = "park"
	// Semaphore is acquire, Work steps, release, on each of Threads threads, of
	// a semaphore with Permits; the wait is the call of acquire.
	Semaphore Kind = "semaphore"
	// Barrier is Parties threads that meet; an operation is one thread's
	// passing, its wait that call.
	Barrier Kind = "barrier"
	// Queue is Producers that put and Consumers that get, Capacity items
	// between them at most; an operation is one item, its wait the call of get.
	Queue Kind = "queue"
	// StartJoin is making a thread with an empty body, with Stack bytes of
	// stack, and waiting for its end; all of it is the wait too. In Go an
	// ordinary goroutine does it, and has Many made, elsewhere a thread.
	StartJoin Kind = "startjoin"
	// Submit is an empty task handed to a pool of one thread and the wait for
	// its result; all of it is the wait too.
	Submit Kind = "submit"
	// Call is an empty function run on one given thread and the wait for its
	// end; all of it is the wait too.
	Call Kind = "call"
	// Callback is a call from C into Go on a thread that C made: Op is "first"
	// (with the thread's start and end) or "again".
	Callback Kind = "callback"
	// Identity is a question about the calling thread: Op is "current" (its
	// record), "ident", "nativeid" or "local" (thread-specific data).
	Identity Kind = "identity"
	// Lateness is a wait of Sleep that nobody ends, by one thread under Policy,
	// on processor 0 alone if Bound; its time and its wait are by how much it
	// ended late, an operation one such wait. It is what cyclictest measures.
	Lateness Kind = "lateness"
	// Many is Threads threads started one after the other, all alive and
	// blocked at once; an operation is one start, bytes are resident memory a
	// thread, of more than one. Each round has a process of its own.
	Many Kind = "many"
)

// A Caller is what calls, where a contender has the choice.
type Caller string

const (
	Thread    Caller = "thread"    // an operating-system thread
	Goroutine Caller = "goroutine" // one that is not locked to a thread
)

// Scheduling policies of Lateness.
const (
	Other = "other" // the system's default
	FIFO  = "fifo"  // SCHED_FIFO
)

// A Spec is one row: fields that its Kind does not use are zero.
type Spec struct {
	Kind      Kind
	Caller    Caller
	Op        string
	Threads   int
	Pairs     int
	Parties   int
	Permits   int
	Capacity  int
	Producers int
	Consumers int
	Reads     int // percent
	Work      int // steps inside a section
	Think     int // steps outside
	Stack     int // bytes; 0: the contender's default
	Sleep     int // ns
	Policy    string
	Bound     bool
	Procs     int // GOMAXPROCS; 0: all processors, and no dimension of the row
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
	text("op", s.Op)
	number("threads", s.Threads)
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
	number("procs", s.Procs)
	return ps
}

// Name is the kind and the parameters as benchstat reads them:
// kind/key=value/...
func (s Spec) Name() string {
	var b strings.Builder
	b.WriteString(string(s.Kind))
	for _, p := range s.Params() {
		fmt.Fprintf(&b, "/%s=%s", p.Key, p.Value)
	}
	return b.String()
}

// Batch is how many operations a thread does between two looks at whether the
// round is over: some microseconds' worth, so that the look costs nothing.
func (s Spec) Batch() int {
	switch s.Kind {
	case Identity, Recursive:
		return 1024
	case Lock, RWLock, Semaphore:
		if s.Threads == 1 {
			return 1024
		}
		return max(1, min(128, 5000/(s.Work+s.Think+1)))
	case Queue:
		return 32
	case StartJoin, Callback, Lateness, Many:
		return 1
	default:
		return 8
	}
}

// HasThreads reports whether contenders whose threads do not run under
// GOMAXPROCS can do the row: it is about threads, and about all processors.
func (s Spec) HasThreads() bool {
	return s.Caller != Goroutine && (s.Procs == 0 || s.Procs == runtime.NumCPU())
}

// Waits reports whether each operation's wait can be told from the rest of it.
func (s Spec) Waits() bool {
	switch s.Kind {
	case Identity, Recursive, Many:
		return false
	case Callback:
		return s.Op == "first"
	default:
		return s.Kind != Lock || s.Threads > 1
	}
}

// Counted returns how many threads' operations are counted, each by itself: of
// a queue the consumers'.
func (s Spec) Counted() int {
	switch s.Kind {
	case Lock, RWLock, Semaphore:
		return s.Threads
	case Condition, Event:
		return 2 * s.Pairs
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

// Work does n steps that each need the one before: one multiplication and one
// addition, about a nanosecond together. Contenders in other languages have the
// same function.
//
//go:noinline
func Work(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}
