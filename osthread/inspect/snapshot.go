package inspect

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// A Snapshot is what the threads of the process, and the goroutines that wait
// for objects of this module, were doing. It is plain data: it can be kept,
// compared and encoded as JSON, in which times are nanoseconds. Numbers that
// stand for parties and objects are indexes of Parties and Objects.
type Snapshot struct {
	Taken   time.Time `json:"taken"`
	Process int       `json:"process"`
	// Watched reports whether watch mode is on. If it is not, Parties has no
	// goroutines, and holders are known of RLocks, and of objects of package
	// shared that have owners, alone.
	Watched   bool       `json:"watched"`
	Parties   []Party    `json:"parties"`
	Objects   []Object   `json:"objects,omitempty"`
	Deadlocks []Deadlock `json:"deadlocks,omitempty"`

	// What follows is not in the snapshots of Deadlocks and of a Report.

	Pools  []Pool  `json:"pools,omitempty"`  // that have a thread
	Queues []Queue `json:"queues,omitempty"` // that are waited for, or have a name
	// Started has how many threads have got a record since the start of the
	// process, by Party.Origin.
	Started map[string]uint64 `json:"started,omitempty"`
	// Ended has the waits that have ended since the start of the process, by
	// Object.Type: of threads with a record, and in watch mode of goroutines.
	// Those of the idle threads of pools and workers are "task"
	// and "call".
	Ended map[string]Waits `json:"ended,omitempty"`
}

// A Kind is what a Party is: KindThread or KindGoroutine.
type Kind string

const (
	KindThread    Kind = "thread"
	KindGoroutine Kind = "goroutine"
)

// The origins of threads.
const (
	OriginNative   = "native"   // made by Start, as a thread of C
	OriginPinned   = "pinned"   // made by Start: a goroutine with a thread of Go's
	OriginAttached = "attached" // a goroutine that is attached to its thread
	OriginAlien    = "alien"    // made by C code
	OriginGo       = "go"       // made by Go, and known to package osthread alone
)

// A Party is a thread, or a goroutine without a thread of its own that waits
// for or holds something.
type Party struct {
	Kind      Kind          `json:"kind"`
	Origin    string        `json:"origin,omitempty"` // of a thread: see OriginNative
	Name      string        `json:"name"`
	Ended     bool          `json:"ended,omitempty"` // it still holds something
	Daemon    bool          `json:"daemon,omitempty"`
	NativeID  int           `json:"native_id,omitempty"`
	Serial    uint64        `json:"serial,omitempty"`    // thread.Thread.Serial
	Goroutine uint64        `json:"goroutine,omitempty"` // its id in Go's dumps; in watch mode
	CPUTime   time.Duration `json:"cpu_ns,omitempty"`    // 0 if the system does not tell
	StackUse  int           `json:"stack_use,omitempty"` // bytes of its stack for C; with Options.Stacks
	StackSize int           `json:"stack_size,omitempty"`
	Wait      *Wait         `json:"wait,omitempty"`  // nil: it does not wait here
	Holds     []Hold        `json:"holds,omitempty"` // in the order in which it took them
	// Stacks has its stack, the innermost frame first. Outside of watch mode it
	// is found by the thread's name, and threads of one name have the stacks of
	// all of them.
	Stacks [][]Frame `json:"stacks,omitempty"`
}

// Needs is which of a wait's servers must go on for the wait to end.
type Needs string

const (
	NeedsUnknown Needs = "unknown" // others may end it
	NeedsAll     Needs = "all"     // each of them: the readers that keep a writer out
	NeedsAny     Needs = "any"     // one is enough: the threads of a pool
)

// A Wait is what a Party waits for.
type Wait struct {
	Object  int           `json:"object"`
	For     time.Duration `json:"for_ns"`
	Ends    bool          `json:"ends,omitempty"` // it has a deadline or a context
	Needs   Needs         `json:"needs"`
	Servers []int         `json:"servers,omitempty"` // the parties that can end it
}

// A Hold is what a Party holds.
type Hold struct {
	Object int     `json:"object"`
	How    string  `json:"how,omitempty"` // "" exclusively; "shared", "3 permits", "2 tasks"
	Taken  []Frame `json:"taken,omitempty"`
}

// An Object is what parties wait for or hold.
type Object struct {
	Type string `json:"type,omitempty"` // without *; see Snapshot.Ended
	Text string `json:"text"`           // its String
	Name string `json:"name,omitempty"` // in watch mode, if osthread.Named gave it one
	// FirstUse is in watch mode the call that acquired it first, of a Lock, an
	// RLock or an RWLock.
	FirstUse *Frame `json:"first_use,omitempty"`
	Holders  []int  `json:"holders,omitempty"`
	Waiters  []int  `json:"waiters,omitempty"`
	// Ended has in watch mode the waits for it that have ended, of a lock or
	// another object that has a name.
	Ended Waits `json:"ended,omitzero"`
}

// Waits are waits that have ended.
type Waits struct {
	Count int64         `json:"count"`
	Time  time.Duration `json:"time_ns"` // of all together
}

// A Pool is an Executor, one of the pools of a Keyed, or a Worker.
type Pool struct {
	Name    string `json:"name"` // of its threads
	Threads int    `json:"threads"`
	Idle    int    `json:"idle"` // of its threads
	Backlog int    `json:"backlog"`
	Max     int    `json:"max,omitempty"`     // of Backlog; 0: no bound, or no place
	Blocked int    `json:"blocked,omitempty"` // submitters that wait for room
}

// A Queue is one of package queue.
type Queue struct {
	Text    string `json:"text"`           // its String
	Name    string `json:"name,omitempty"` // in watch mode, if osthread.Named gave it one
	Len     int    `json:"len"`
	Max     int    `json:"max,omitempty"` // 0: no bound
	Getters int    `json:"getters,omitempty"`
	Putters int    `json:"putters,omitempty"`
}

// A Deadlock is a set of parties that wait for each other, without a limit, so
// that none can go on.
type Deadlock struct {
	// Cycle has the parties, each of which waits for the next, and the last for
	// the first. Where parties wait for any of several, as in a pool whose
	// threads all wait for its own tasks, the order has less of a meaning: see
	// Wait.Servers. One party alone waits for itself, or has ended with what
	// those Behind wait for.
	Cycle []int `json:"cycle"`
	// Behind has the other parties that cannot go on because of it.
	Behind []int `json:"behind,omitempty"`
	// Unless is "", or what would end it all the same: that another party comes
	// to a Barrier than those that have ever waited there.
	Unless string `json:"unless,omitempty"`
}

// A Frame is a call in a stack.
type Frame struct {
	Func string `json:"func"` // with the path of its package
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// String returns function, file and line.
func (f Frame) String() string {
	if f.File == "" {
		return f.Func
	}
	return f.Func + "  " + f.File + ":" + strconv.Itoa(f.Line)
}

// String returns p's name, in quotes if it is a thread's.
func (p Party) String() string {
	if p.Kind == KindGoroutine {
		return p.Name
	}
	return strconv.Quote(p.Name)
}

// String returns o's String and its name, or where it was first used.
func (o Object) String() string {
	switch {
	case o.Name != "":
		return fmt.Sprintf("%s %q", o.Text, o.Name)
	case o.FirstUse != nil:
		return fmt.Sprintf("%s first used at %s:%d", o.Text, filepath.Base(o.FirstUse.File), o.FirstUse.Line)
	default:
		return o.Text
	}
}
