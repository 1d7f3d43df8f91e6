// Package headroom refuses a new thread a little before the system or Go's
// runtime would.
//
// At a limit on threads or memory pthread_create fails cleanly, but Go's
// runtime, which makes a thread whenever a goroutine blocks in a system call
// and others are ready, aborts the process when it cannot. So the last few
// threads below each limit are left to the runtime. The limits of the system
// are known on Linux only; that of debug.SetMaxThreads, which pinned threads
// count against, everywhere.
//
// Reading the limits takes half a dozen files (50 us), so a reading is good for
// half of the room that it found: the nearer a limit, the more often it is
// read, and next to it at every call. Between two readings other processes may
// use up the room; then the system refuses, and the runtime has none.
package headroom

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// spare is how many threads besides GOMAXPROCS the runtime may want: one for
// each goroutine in a blocking system call. Programs with more of them at once
// at the limit are on their own.
const spare = 16

func reserve() int { return spare + runtime.GOMAXPROCS(0) }

// A budget is what may be taken before the limits are read again.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool { return b.left.Add(-n) >= 0 }

var (
	looking   sync.Mutex
	threads   budget       // of the system
	bytes     budget       // of address space
	goThreads budget       // of Go's runtime, which pinned ones are
	pending   atomic.Int64 // reservations that have not been settled: the system may not count their threads yet
)

// Native makes sure that there is room for one more thread that C makes, with a
// stack of that many bytes, 0 for the default. It returns nil, and the caller
// then calls Settle once the thread is there or has failed; else
// syscall.EAGAIN, as pthread_create would.
func Native(stack int) error {
	n := stackBytes(stack) + arenaBytes()
	// Both are taken from: the one that is short causes a reading, which renews
	// both.
	if enough := threads.take(1); bytes.take(n) && enough {
		pending.Add(1)
		return nil
	}
	looking.Lock()
	defer looking.Unlock()
	if err := lookAtSystem(n, nativeRefusal); err != nil {
		return err
	}
	pending.Add(1)
	return nil
}

// Pinned is Native for a thread that Go's runtime makes. Those count against
// debug.SetMaxThreads, at which the runtime ends the process.
func Pinned() error {
	n := int64(goStack)
	enough := threads.take(1)
	enough = bytes.take(n) && enough
	if goThreads.take(1) && enough && !refusalStands.Load() {
		pending.Add(1)
		return nil
	}
	looking.Lock()
	defer looking.Unlock()
	if err := lookAtSystem(n, pinnedRefusal); err != nil {
		return err
	}
	if err := lookAtGo(); err != nil {
		return err
	}
	pending.Add(1)
	return nil
}

// Settle ends a reservation by Native or Pinned.
func Settle() { pending.Add(-1) }

// How long the room is thought to end where the system refused a thread. It may
// have done so for another reason, which is over soon; a native thread finds
// out by asking again, a pinned one is Go's to make, which ends the process.
const (
	nativeRefusal = 100 * time.Millisecond
	pinnedRefusal = 10 * time.Second
)

// refusalStands is set while there may be a refusal that counts for a pinned
// thread.
var refusalStands atomic.Bool

// lookAtSystem renews the budgets of what the system limits, if there is room
// for a thread of n bytes.
func lookAtSystem(n int64, refusalFor time.Duration) error {
	threads.left.Store(0) // they have been taken from, again and again where there is no room
	bytes.left.Store(0)
	p := pending.Load()
	free := int64(room(refusalFor)) - int64(reserve()) - p
	if free <= 0 {
		return errAgain
	}
	freeBytes := memory(int64(reserve()) + p)
	if freeBytes < n {
		return errAgain
	}
	threads.left.Store(free / 2)
	bytes.left.Store((freeBytes - n) / 2)
	return nil
}

// lookAtGo renews the budget of Go's threads.
func lookAtGo() error {
	goThreads.left.Store(0)
	most := maxThreads()
	// A program that sets a limit as low as the reserve shall have threads all
	// the same.
	keep := min(int64(reserve()), int64(most)/4)
	free := int64(most) - goThreadCount() - keep - pending.Load()
	if free <= 0 {
		return errAgain
	}
	goThreads.left.Store(free / 2)
	return nil
}

// maxThreads returns the limit of debug.SetMaxThreads, which returns it only in
// exchange for a new limit: for a moment, an unreachable one. If the program
// sets its own limit in that moment, the exchange back shows it, and it is
// restored.
func maxThreads() int {
	const none = math.MaxInt32
	most := debug.SetMaxThreads(none)
	for {
		was := debug.SetMaxThreads(most)
		if was == none || was == most {
			return most
		}
		most = was
	}
}

const goThreadMetric = "/sched/threads/total:threads"

// goThreadCount returns the number of threads that count against
// debug.SetMaxThreads.
func goThreadCount() int64 {
	s := []metrics.Sample{{Name: goThreadMetric}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}
