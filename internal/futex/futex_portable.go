//go:build portablefutex || !(linux || windows)

package futex

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/list"
)

// In plain Go sleepers wait on channels in queues, chosen by the address of the
// word. This is for systems without calls to sleep on an address
// (futex_choice.go), as macOS before 14.4 and all others without cgo.
//
// sleepInQueue compares the word and joins the queue under the queue's lock,
// and wakeInQueue takes that lock after the waker's store: so the comparison
// sees the store, or the sleeper is in the queue. The waker takes a sleeper out
// of its queue, or the sleeper removes itself at its deadline. Which of the two
// happens is decided under the lock, and with it the result.

// queues is the number of queues, more than the words slept on at once in most
// programs. Words that share a queue wait for its lock and skip each other's
// sleepers.
const (
	queueBits = 8
	queues    = 1 << queueBits
)

type queue struct {
	mu sync.Mutex
	list.List[sleeper]
	_ [128]byte // each lock on cache lines of its own, of up to 128 bytes (arm64)
}

// A sleeper is one Wait. All but woken is under its queue's lock.
type sleeper struct {
	list.Links[sleeper]
	word   *uint32
	queued bool
	woken  chan struct{} // has room for the one send, which follows the removal by wakeInQueue
}

var table [queues]queue

func queueOf(w *uint32) *queue {
	// Words are at least 4 bytes apart; the multiplication spreads the rest
	// (Knuth, volume 3, 6.4).
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

// join puts s into the queue if its word holds old and deadline has not passed,
// and returns Woken; otherwise the reason why not.
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

// wakeInQueue is [Wake] for sleepers in a queue.
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
