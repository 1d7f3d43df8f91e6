package wait

import (
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// A Guard is a spinlock for critical sections of a few dozen instructions that
// neither sleep nor call out. The zero value is unlocked. It is one word, and a
// goroutine that waits for it costs no thread. A waiter polls: the holder is
// done within nanoseconds, unless the kernel or Go's scheduler has preempted
// it.
type Guard struct{ word atomic.Uint32 }

// Lock locks g.
func (g *Guard) Lock() {
	if !g.word.CompareAndSwap(0, 1) {
		g.lockSlow(shortPause, shortSpins)
	}
}

// TryLock locks g if it is unlocked, and reports whether it did.
func (g *Guard) TryLock() bool { return g.word.CompareAndSwap(0, 1) }

// LockBackoff is Lock with a longer pause between attempts, for a guard that
// the same callers contend for repeatedly: each then gets several critical
// sections done per transfer of the cache line. Without the pause throughput
// halves.
func (g *Guard) LockBackoff() {
	if !g.word.CompareAndSwap(0, 1) {
		g.lockSlow(longPause, longSpins)
	}
}

// Unlock unlocks g.
func (g *Guard) Unlock() { g.word.Store(0) }

// A waiter for a Guard first spins, with a pause before each poll, while the
// holder runs on another processor. Then it yields, since the holder may have
// been preempted, perhaps by this very waiter. Last it sleeps.
const (
	shortPause, shortSpins = 4, 20 // 60 ns, 1.2 us
	longPause, longSpins   = 64, 5 // 1 us, 5 us
	yields                 = 20
	guardSleep             = 20 * time.Microsecond
)

func (g *Guard) lockSlow(pause, spins int) {
	for poll := 0; ; poll++ {
		if g.word.Load() == 0 && g.word.CompareAndSwap(0, 1) {
			return
		}
		backoff(poll, pause, spins)
	}
}

// Backoff waits after the failed attempt number poll, from 0, to lock a
// spinlock that the same callers contend for repeatedly.
func Backoff(poll int) { backoff(poll, longPause, longSpins) }

func backoff(poll, pause, spins int) {
	switch {
	case poll < spins && park.CanSpin():
		park.Pause(pause)
	case poll < spins+yields:
		park.Yield()
		runtime.Gosched() // with one P the holder may be a runnable goroutine
	default:
		time.Sleep(guardSleep) // the holder has a lower priority
	}
}
