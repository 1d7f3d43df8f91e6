package park

import "runtime"

// Spinning before a sleep pays when the other side runs on another processor meanwhile, or would run on this one if let: a sleep and its
// wake-up cost some 10 us of two threads' time, and 50 us where a processor has gone idle; a look at a word costs 15 ns, a yield 300. It never
// pays with one P.
const (
	looks         = 300 // in a spin, about 40 us: what a sleep and a wake-up cost
	pausesPerLook = 4   // about 60 ns: a look costs the other side its cache line
	looksPerYield = 8   // the other side may wait for this very processor
	mostSkips     = 32  // of spins that would likely fail, before one finds out
)

// A Spinner looks at a condition again and again before its owner sleeps. Where that did not pay it is skipped, twice as often after
// each failure. The zero value is ready. Only the owner uses it.
//
// A spin is long or it is not made at all: two threads that hand something back and forth and once fell asleep wake each other later than a
// short spin lasts, so short spins would fail for ever.
type Spinner struct{ skips, skipped uint8 }

// Until reports whether cond came true while it looked.
func (s *Spinner) Until(cond func() bool) bool {
	if s.skipped < s.skips {
		s.skipped++
		return false
	}
	s.skipped = 0
	for look := range looks {
		if cond() {
			s.skips = 0
			return true
		}
		if look%looksPerYield == looksPerYield-1 {
			yield()
		} else {
			pause(pausesPerLook)
		}
	}
	s.skips = min(2*s.skips+1, mostSkips)
	return false
}

// CanSpin reports whether the other side can run while the caller spins.
func CanSpin() bool { return !oneP() }

// Pause idles the processor for about n times 15 ns without giving it up.
func Pause(n int) { pause(uint32(n)) }

// Yield lets another thread run on this processor (POSIX: sched_yield).
func Yield() { yield() }

func oneP() bool { return runtime.GOMAXPROCS(0) == 1 }
