package park

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// Spinning before a sleep pays if the other side runs on another processor
// meanwhile, or would run on this one after a yield. A sleep and its wakeup
// cost some 10 us of two threads' time, and 50 us if a processor has gone idle;
// a poll costs 15 ns, a yield 300. Spinning never pays with one P.
const (
	pollLimit     = 300 // per spin, about 40 us: what a sleep and a wakeup cost
	pausesPerPoll = 4   // about 60 ns: a poll costs the other side its cache line
	pollsPerYield = 16  // the other side may wait for this processor
	maxSkips      = 32  // of spins that would likely fail, before the next try
	firstShared   = 8   // spins in a row that a yield ended, before a sleep
	maxShared     = 512 // the same, if sleeps have not helped
)

// A Spinner polls a condition before its owner sleeps. The zero value is ready.
// Any number of goroutines may share one: it adapts to all of them, and a count
// that two of them change at once does no harm.
//
// After a spin that failed the next ones are skipped, twice as many after each
// failure. There are no short spins: two threads that alternate and once fell
// asleep wake each other later than a short spin lasts, so short spins would
// fail for ever.
//
// If a condition comes true right after a yield both sides share a processor.
// Two threads could go on like that for long, at 3 us an alternation instead of
// 0.1, while another processor is idle: the kernel migrates threads when it
// wakes them. So now and then one of them sleeps.
type Spinner struct{ skips, skipped, shared, bearable atomic.Int32 }

// Until polls cond, and reports whether it came true.
func (s *Spinner) Until(cond func() bool) bool {
	if s.skipped.Load() < s.skips.Load() {
		s.skipped.Add(1)
		return false
	}
	if s.shared.Load() >= max(s.bearable.Load(), firstShared) {
		s.shared.Store(0)
		s.bearable.Store(min(2*max(s.bearable.Load(), firstShared), maxShared))
		return false
	}
	for poll := range pollLimit {
		yielded := poll%pollsPerYield == pollsPerYield-1
		if yielded {
			yield()
		} else {
			pause(pausesPerPoll)
		}
		if cond() {
			s.succeeded(yielded)
			return true
		}
	}
	s.skipped.Store(0)
	s.skips.Store(min(2*s.skips.Load()+1, maxSkips))
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
// takes the scheduler's lock, for which threads that go to sleep and wake up
// contend, so GOMAXPROCS is cached for some calls, by chance: a count of them
// would be a word that all threads write. A stale value costs only time.
func Procs() int {
	if rand.Uint32()%procsCalls == 0 || stale.Load() {
		stale.Store(false) // first: ForgetProcs may come meanwhile
		ps, processors := runtime.GOMAXPROCS(0), runtime.NumCPU()
		procs.Store(int32(min(ps, processors)))
		if spare := ps > processors; spare != sparePs.Load() {
			sparePs.Store(spare)
		}
	}
	return int(procs.Load())
}

// ForgetProcs makes the next call of Procs ask the runtime.
func ForgetProcs() { stale.Store(true) }

func oneP() bool { return Procs() == 1 }

// OnOneP is the opposite of CanSpin, by the runtime's last answer: for unlocks,
// which must never take the scheduler's lock.
func OnOneP() bool { return procs.Load() == 1 }

const procsCalls = 256

func init() { ForgetProcs() }

var (
	stale   atomic.Bool // Procs has to ask
	procs   atomic.Int32
	sparePs atomic.Bool // more Ps than processors
)

// OnThread reports whether the calling goroutine has a thread of its own.
func OnThread() bool { return onThread() }
