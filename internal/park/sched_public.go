//go:build !linux || portablepark || portablefutex || race

package park

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/futex"
)

// This file does by public API what sched_runtime.go does by the runtime's own.
// It also serves -race: the scheduler's stack, on which commit runs there, has
// no context for the race detector's view of atomics.

// Sleep sleeps on the word w while it holds old, until a futex.Wake or
// deadline, as futex.Wait does. It holds the calling thread; its P goes to
// other goroutines when sysmon notices, after 20 us to 10 ms.
func Sleep(w *uint32, old uint32, deadline int64) futex.Result {
	leak(unsafe.Pointer(w))
	return futex.Wait(w, old, deadline)
}

// A seat is where a goroutine sleeps in the scheduler.
type seat struct {
	woken chan struct{}
	gate  *sync.Mutex // instead of it, locked; see sleep
}

// sleep moves state from one value to another and sleeps until wake, or does
// neither if state has changed.
//
// In a bubble (bubble.go) a channel made there makes a sleep durable, and may
// not be used by others then or later. Any other sleep there is on a mutex,
// which is not durable and which any thread may unlock.
func (s *seat) sleep(state *atomic.Uint32, from, to uint32, durable bool) {
	switch {
	case durable:
		s.woken = make(chan struct{}, 1)
		defer func() { s.woken = nil }()
	case inBubble():
		s.sleepAtGate(state, from, to)
		return
	case s.woken == nil:
		s.woken = make(chan struct{}, 1)
	}
	if state.CompareAndSwap(from, to) {
		<-s.woken
	}
}

func (s *seat) sleepAtGate(state *atomic.Uint32, from, to uint32) {
	gate := new(sync.Mutex)
	gate.Lock()
	s.gate = gate
	if state.CompareAndSwap(from, to) {
		gate.Lock() // after wake's Unlock
	}
	s.gate = nil
}

// wake wakes the sleeper. It is called by the one who moved state out of to, so
// the channel has room.
func (s *seat) wake() {
	if s.gate != nil {
		s.gate.Unlock()
		return
	}
	s.woken <- struct{}{}
}
