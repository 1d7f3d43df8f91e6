package wait

import (
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// A Guard is a lock for a few dozen instructions that neither sleep nor call out: the zero value is unlocked. It is one word, costs an ordinary
// goroutine no thread while it waits, and whoever finds it locked looks again: the holder is done within nanoseconds, unless the system or Go's
// scheduler has taken its processor away.
type Guard struct{ word atomic.Uint32 }

// Lock locks g.
func (g *Guard) Lock() {
	if !g.word.CompareAndSwap(0, 1) {
		g.lockSlow()
	}
}

// Unlock unlocks g.
func (g *Guard) Unlock() { g.word.Store(0) }

// How a caller waits for a Guard, by the number of the look.
const (
	pauseUntil = 20 // the holder runs on another processor
	yieldUntil = 40 // the holder has lost its processor, maybe to this caller
	guardSleep = 20 * time.Microsecond
)

func (g *Guard) lockSlow() {
	for look := 0; ; look++ {
		if g.word.Load() == 0 && g.word.CompareAndSwap(0, 1) {
			return
		}
		switch {
		case look < pauseUntil && park.CanSpin():
			park.Pause(4)
		case look < yieldUntil:
			park.Yield()
			runtime.Gosched() // with one P the holder may be a goroutine that waits for it
		default:
			time.Sleep(guardSleep) // the holder has a lower priority
		}
	}
}
