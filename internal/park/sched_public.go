//go:build !linux || portablepark || portablefutex || race

package park

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/futex"
)

// This file uses public API for what sched_runtime.go does by functions of the
// runtime. It also serves -race: commit runs on the scheduler's stack, which
// has no context for the race detector's view of atomics.

// Sleep sleeps on the word w while it holds old, until a futex.Wake or
// deadline, as futex.Wait does. It holds the calling thread; its P goes to
// other goroutines when sysmon notices, after 20 us to 10 ms.
func Sleep(w *uint32, old uint32, deadline int64) futex.Result {
	leak(unsafe.Pointer(w))
	return futex.Wait(w, old, deadline)
}

// SleepShared is Sleep on a word in memory that several processes have mapped,
// until a futex.WakeShared.
func SleepShared(w *uint32, old uint32, deadline int64) futex.Result {
	leak(unsafe.Pointer(w))
	return futex.WaitShared(w, old, deadline)
}

// sleepInCrowd is Sleep: the P is not handed off at once, so a yield would keep
// it from others.
func sleepInCrowd(w *uint32, old uint32, deadline int64, _ *atomic.Uint32) futex.Result {
	return Sleep(w, old, deadline)
}

// The kinds of a sleep.
const (
	plain = iota
	durable
)

// A slot is where a goroutine sleeps in the scheduler.
type slot struct {
	woken chan struct{}
	mu    *sync.Mutex // in place of woken, locked; see sleep
}

// sleep moves state from one value to another and sleeps until wake, or does
// neither if state has changed.
//
// In a bubble (bubble.go) a sleep on a channel made there is durable, but the
// channel may not be used outside the bubble. Any other sleep there is on a
// mutex, which is not durable and which any thread may unlock.
func (s *slot) sleep(state *atomic.Uint32, from, to uint32, reason uint8) {
	switch {
	case reason == durable:
		s.woken = make(chan struct{}, 1)
		defer func() { s.woken = nil }()
	case inBubble():
		s.sleepOnMutex(state, from, to)
		return
	case s.woken == nil:
		s.woken = make(chan struct{}, 1)
	}
	if state.CompareAndSwap(from, to) {
		<-s.woken
	}
}

func (s *slot) sleepOnMutex(state *atomic.Uint32, from, to uint32) {
	mu := new(sync.Mutex)
	mu.Lock()
	s.mu = mu
	if state.CompareAndSwap(from, to) {
		mu.Lock() // after wake's Unlock
	}
	s.mu = nil
}

// CanParkUnder says that [Waiter.ParkUnder] works.
const CanParkUnder = false

// ParkUnder must not be called.
func (*Waiter) ParkUnder(*atomic.Uint32) { panic("park: no sleep under a guard") }

// wake wakes the sleeper. Only the thread that moved state out of to calls it,
// so the channel has room.
func (s *slot) wake() {
	if s.mu != nil {
		s.mu.Unlock()
		return
	}
	s.woken <- struct{}{}
}
