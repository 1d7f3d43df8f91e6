package wait

import (
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// A Guard is a lock for a few dozen instructions that neither sleep nor call
// out: the zero value is unlocked. It is one word, costs an ordinary goroutine
// no thread while it waits, and whoever finds it locked looks again: the holder
// is done within nanoseconds, unless the system or Go's scheduler has taken its
// processor away.
type Guard struct{ word atomic.Uint32 }

// Lock locks g.
func (g *Guard) Lock() {
	if !g.word.CompareAndSwap(0, 1) {
		g.lockSlow(shortPause, shortLooks)
	}
}

// TryLock locks g if it is unlocked, and reports whether it did.
func (g *Guard) TryLock() bool { return g.word.CompareAndSwap(0, 1) }

// LockPatiently is Lock for a guard that the same callers want again and again,
// each with much to do. It looks only after many times what the holder needs:
// so two that meet do several each, instead of pulling the same memory to and
// fro, which makes them half as fast.
func (g *Guard) LockPatiently() {
	if !g.word.CompareAndSwap(0, 1) {
		g.lockSlow(longPause, longLooks)
	}
}

// Unlock unlocks g.
func (g *Guard) Unlock() { g.word.Store(0) }

// How a caller waits for a Guard: so many looks with a pause before each, as
// long as the holder runs on another processor; so many with a yield, as it may
// have lost its own, maybe to this caller; and then asleep.
const (
	shortPause, shortLooks = 4, 20 // 60 ns, 1.2 us
	longPause, longLooks   = 64, 5 // 1 us, 5 us
	yields                 = 20
	guardSleep             = 20 * time.Microsecond
)

func (g *Guard) lockSlow(pause, looks int) {
	for look := 0; ; look++ {
		if g.word.Load() == 0 && g.word.CompareAndSwap(0, 1) {
			return
		}
		switch {
		case look < looks && park.CanSpin():
			park.Pause(pause)
		case look < looks+yields:
			park.Yield()
			runtime.Gosched() // with one P the holder may be a goroutine that waits for it
		default:
			time.Sleep(guardSleep) // the holder has a lower priority
		}
	}
}
