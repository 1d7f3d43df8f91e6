//go:build portablefutex || !(linux || windows)

package futex

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/list"
)

// Plain Go: waiters block on channels and are kept in queues, selected by the
// address of the word. This serves systems without wait-on-address calls
// (futex_choice.go), such as macOS before 14.4, and all others without cgo.
//
// sleepInQueue compares the word and joins the queue under the queue's lock,
// and wakeInQueue takes that lock after the waker's store: either the
// comparison sees the store, or the waiter is in the queue. A waiter is removed
// from its queue by its waker, or by itself at its deadline; the lock decides
// which of the two happens, and thereby the result.

// queues is the number of queues, more than the number of words with waiters at
// any time in most programs. Words that share a queue only contend for its lock
// and skip each other's waiters.
const (
	queueBits = 8
	queues    = 1 << queueBits
)

type queue struct {
	mu sync.Mutex
	list.List[sleeper]
	_ [128]byte // avoids false sharing; cache lines have up to 128 bytes (arm64)
}

// A sleeper is one Wait. Its queue's lock guards all fields but woken.
type sleeper struct {
	list.Links[sleeper]
	word   *uint32
	queued bool
	woken  chan struct{} // buffered for the one send, which follows the removal by wakeInQueue
}

var table [queues]queue

func queueOf(w *uint32) *queue {
	// Words are at least 4 bytes apart; the multiplication spreads the
	// remaining bits (Knuth, volume 3, 6.4).
	h := uint32(uintptr(unsafe.Pointer(w))>>2) * 2654435769
	return &table[h>>(32-queueBits)]
}

// sleepInQueue is [Wait] in the scheduler.
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

// join queues s and returns Woken if its word holds old and deadline has not
// passed. Otherwise it returns the result of the wait.
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

// wakeInQueue is [Wake] for waiters in the scheduler.
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
