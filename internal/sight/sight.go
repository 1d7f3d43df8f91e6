// Package sight explains waits to package osthread/inspect: each package that
// has objects registers what ends a wait for one of its kinds, and what its
// pools have to do, and so exports none of it.
package sight

import (
	"unsafe"

	"example.com/thread/internal/park"
	"example.com/thread/internal/watch"
)

// Needs is which of the servers of a wait must go on for it to end.
type Needs uint8

const (
	Unknown Needs = iota // others can end it
	All                  // each of them
	Any                  // one is enough
)

// A Reason is what a wait needs. Its servers are those of all fields.
type Reason struct {
	Needs   Needs
	Holders bool             // the servers are the holders of the object, but for the waiter (internal/watch)
	Owned   bool             // nobody but its holder can release the object
	Serial  uint64           // of a thread; 0: none
	Slots   []uintptr        // of threads with a record (internal/ident)
	Waiters []unsafe.Pointer // by the addresses of their parkers (internal/park)
	// NativeID is the system's id of a thread, perhaps of another process; 0:
	// none.
	NativeID int
	// Members are all that ever waited for the object, as many as have to; the
	// servers are those that do not wait for it now. Waiting is how many do.
	Members []watch.Member
	Waiting int
}

// explainers are functions for some kinds of objects each. They are registered
// by package initialization.
var explainers []func(object any, parker unsafe.Pointer) (Reason, bool)

// Register adds a function that explains waits for objects of its kinds, and
// reports false for others. parker is the address of the park.Waiter or
// park.Broadcast that the waiter sleeps on.
func Register(explain func(object any, parker unsafe.Pointer) (Reason, bool)) {
	explainers = append(explainers, explain)
}

// A Pool is what a pool or a worker has to do.
type Pool struct {
	Name    string
	Threads int // that run or wait for a task
	Idle    int // of them
	Backlog int // tasks that wait to begin
	Max     int // of Backlog; 0: not bounded
	Blocked int // submitters that wait for room
}

// describers are functions for some kinds of pools each.
var describers []func(owner any) (Pool, bool)

// RegisterPools adds a function that describes a pool of its kinds, the Owner
// of threads in internal/waitfor, and reports false for others. It is called by
// package initialization.
func RegisterPools(describe func(owner any) (Pool, bool)) {
	describers = append(describers, describe)
}

// Describe returns what the pool that owns threads has to do.
func Describe(owner any) (Pool, bool) {
	for _, describe := range describers {
		if p, ok := describe(owner); ok {
			return p, true
		}
	}
	return Pool{}, false
}

// Asleep reports whether nobody has woken the waiter at parker, the address of
// a park.Waiter. One that was woken goes on, but its wait is recorded until it
// runs. The answer counts if the same wait is recorded afterwards: then the
// park.Waiter was that waiter's all the time.
func Asleep(parker unsafe.Pointer) bool { return (*park.Waiter)(parker).Asleep() }

// Explain returns what a wait for object needs.
func Explain(object any, parker unsafe.Pointer) Reason {
	for _, explain := range explainers {
		if r, ok := explain(object, parker); ok {
			return r
		}
	}
	return Reason{}
}
