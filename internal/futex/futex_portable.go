//go:build portablefutex || !(linux || windows)

package futex

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/list"
)

// The futex in plain Go: sleepers wait on channels, in queues that are selected
// by the address of the word. It serves systems without a call to sleep on an
// address (futex_choice.go), such as macOS before 14.4, and all other systems
// without cgo.
//
// No wakeup is lost: sleepInQueue compares the word and joins the queue under
// the queue's lock, and wakeInQueue takes that lock after the waker's store. So
// either the comparison sees the store, or the waker finds the sleeper in the
// queue. The waker takes a sleeper out of its queue, or the sleeper does at its
// deadline; the lock decides which, and so the result.

// queues is the number of queues, more than most programs have words with
// sleepers at a time. Words that share a queue contend for its lock and skip
// each other's sleepers.
const (
	queueBits = 8
	queues    = 1 << queueBits
)

type queue struct {
	mu sync.Mutex
	list.List[sleeper]
	_ [128]byte // no false sharing of locks; cache lines have up to 128 bytes (arm64)
}

// A sleeper is one Wait. The queue's lock protects all fields but woken.
type sleeper struct {
	list.Links[sleeper]
	word   *uint32
	queued bool
	woken  chan struct{} // buffered, for the one send after wakeInQueue has removed the sleeper
}

var table [queues]queue

func queueOf(w *uint32) *queue {
	// The two low bits of the address are 0. Multiplicative hashing (Knuth,
	// volume 3, 6.4) spreads the others.
	h := uint32(uintptr(unsafe.Pointer(w))>>2) * 2654435769
	return &table[h>>(32-queueBits)]
}

// sleepInQueue is [Wait] for a sleeper in the scheduler.
func sleepInQueue(w *uint32, old uint32, deadline int64) Result {
	q := queueOf(w)
	s := &sleeper{word: w, woken: make(chan struct{}, 1)}
	if r := q.join(s, old, deadline); r != Woken {
		return r
	}
	if deadline == Never {
		<-s.woken
		return Woken
	}
	timer := time.NewTimer(time.Duration(deadline - Now()))
	defer timer.Stop()
	select {
	case <-s.woken:
		return Woken
	case <-timer.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !s.queued {
		return Woken // a Wake has counted s
	}
	q.Remove(s)
	return TimedOut
}

// join adds s to the queue and returns Woken if its word holds old and deadline
// has not passed; otherwise it returns the outcome of the Wait.
func (q *queue) join(s *sleeper, old uint32, deadline int64) Result {
	q.mu.Lock()
	defer q.mu.Unlock()
	if atomic.LoadUint32(s.word) != old {
		return Changed
	}
	if deadline != Never && deadline <= Now() {
		return TimedOut
	}
	s.queued = true
	q.PushBack(s)
	return Woken
}

// wakeInQueue is [Wake] for sleepers of sleepInQueue.
func wakeInQueue(w *uint32, n int) int {
	q := queueOf(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	woken := 0
	for s := q.Head(); s != nil && woken < n; {
		next := s.Next()
		if s.word == w {
			q.Remove(s)
			s.queued = false
			s.woken <- struct{}{}
			woken++
		}
		s = next
	}
	return woken
}
