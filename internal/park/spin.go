package park

import (
	"runtime"
	"sync/atomic"
)

// Spinning before a sleep pays when the other side runs on another processor
// meanwhile, or would run on this one if let: a sleep and its wake-up cost some
// 10 us of two threads' time, and 50 us where a processor has gone idle; a look
// at a word costs 15 ns, a yield 300. It never pays with one P.
const (
	looks         = 300 // in a spin, about 40 us: what a sleep and a wake-up cost
	pausesPerLook = 4   // about 60 ns: a look costs the other side its cache line
	looksPerYield = 16  // the other side may wait for this very processor
	mostSkips     = 32  // of spins that would likely fail, before one finds out
	firstShared   = 8   // spins in a row that a yield ended, before a sleep
	mostShared    = 512 // the same, where sleeps have not helped
)

// A Spinner looks at a condition again and again before its owner sleeps. The
// zero value is ready. Any number of goroutines may share one: what one of them
// learns serves all, and a count that two of them change at once does no harm.
//
// Where a spin did not pay the next are skipped, twice as many after each
// failure. A spin is long or it is not made at all: two threads that hand
// something back and forth and once fell asleep wake each other later than a
// short spin lasts, so short spins would fail for ever.
//
// A condition that comes true right after a yield tells that the other side has
// the same processor. Two threads could go on so for long, at 3 us a turn
// instead of 0.1, while another processor is idle: the kernel moves threads
// that it wakes, rather than ones that run. So now and then one of them sleeps.
type Spinner struct{ skips, skipped, shared, bearable atomic.Int32 }

// Until reports whether cond came true while it looked.
func (s *Spinner) Until(cond func() bool) bool {
	if s.skipped.Load() < s.skips.Load() {
		s.skipped.Add(1)
		return false
	}
	if s.shared.Load() >= max(s.bearable.Load(), firstShared) {
		s.shared.Store(0)
		s.bearable.Store(min(2*max(s.bearable.Load(), firstShared), mostShared))
		return false
	}
	for look := range looks {
		yielded := look%looksPerYield == looksPerYield-1
		if yielded {
			yield()
		} else {
			pause(pausesPerLook)
		}
		if cond() {
			s.succeeded(yielded)
			return true
		}
	}
	s.skipped.Store(0)
	s.skips.Store(min(2*s.skips.Load()+1, mostSkips))
	return false
}

func (s *Spinner) succeeded(yielded bool) {
	if s.skips.Load() != 0 {
		s.skips.Store(0)
	}
	switch {
	case yielded:
		s.shared.Add(1)
	case s.shared.Load() != 0:
		s.shared.Store(0)
		s.bearable.Store(0)
	}
}

// CanSpin reports whether the other side can run while the caller spins.
func CanSpin() bool { return !oneP() }

// Pause idles the processor for about n times 15 ns without giving it up.
func Pause(n int) { pause(uint32(n)) }

// Yield lets another thread run on this processor (POSIX: sched_yield).
func Yield() { yield() }

// Procs returns how many threads can run Go code at once. Asking the runtime
// takes the scheduler's lock, which those who go to sleep and wake up contend
// for, so GOMAXPROCS is kept for some calls; being late with a change costs
// time alone.
func Procs() int {
	if asked.Add(1)%procsCalls == 1 {
		procs.Store(int32(min(runtime.GOMAXPROCS(0), runtime.NumCPU())))
	}
	return int(procs.Load())
}

func oneP() bool { return Procs() == 1 }

// OnOneP reports what CanSpin denies, by the last answer that the runtime gave:
// for those who unlock, and must not contend even for the count of calls.
func OnOneP() bool { return procs.Load() == 1 }

const procsCalls = 256

var (
	asked atomic.Uint32
	procs atomic.Int32
)

// OnThread reports whether the calling goroutine has a thread of its own.
func OnThread() bool { return onThread() }
