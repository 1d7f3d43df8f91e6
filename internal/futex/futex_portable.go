//go:build portablefutex || !(linux || windows)

package futex

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Plain Go: sleepers stand in queues, which the address of the word chooses, and wait on channels.
//
// Wait compares the word and joins the queue under the queue's lock, and Wake takes that lock: so whoever changed the word before Wake is seen by
// the comparison, or finds the sleeper. A sleeper is taken out of its queue by who wakes it, or by itself at its deadline; which of the two is
// decided under the lock, and so is the result.

// queues is a power of two well above the number of words that are slept on at once in most programs. Words that share one only wait for
// its lock.
const queues = 256

type queue struct {
	mu          sync.Mutex
	first, last *sleeper
	_           [64]byte // each lock on its own cache line
}

type sleeper struct {
	next  *sleeper
	word  *uint32
	woken chan struct{} // has room for one
}

var table [queues]queue

func queueOf(w *uint32) *queue {
	// Words lie at least 4 bytes apart; the multiplication spreads what is left (Knuth, 6.4).
	h := uint32(uintptr(unsafe.Pointer(w))>>2) * 2654435769
	return &table[h>>24]
}

var start = time.Now()

// Now returns a monotonic time in ns, which deadlines are read on.
func Now() int64 { return int64(time.Since(start)) }

// Wait sleeps on w while it holds old, until a Wake or deadline. It does not hold the calling thread, if the goroutine is not locked
// to it.
func Wait(w *uint32, old uint32, deadline int64) Result {
	q := queueOf(w)
	s := &sleeper{word: w, woken: make(chan struct{}, 1)}
	q.mu.Lock()
	if atomic.LoadUint32(w) != old {
		q.mu.Unlock()
		return Changed
	}
	if deadline != Never && deadline <= Now() {
		q.mu.Unlock()
		return TimedOut
	}
	q.push(s)
	q.mu.Unlock()
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
	if !q.remove(s) {
		return Woken
	}
	return TimedOut
}

// Wake wakes up to n of those that sleep on w, who has slept longest first, and returns how many.
func Wake(w *uint32, n int) int {
	q := queueOf(w)
	q.mu.Lock()
	defer q.mu.Unlock()
	woken := 0
	for p := &q.first; *p != nil && woken < n; {
		s := *p
		if s.word != w {
			p = &s.next
			continue
		}
		q.remove(s)
		s.woken <- struct{}{}
		woken++
	}
	return woken
}

func (q *queue) push(s *sleeper) {
	if q.last == nil {
		q.first = s
	} else {
		q.last.next = s
	}
	q.last = s
}

// remove takes s out of the queue and reports whether it stood there.
func (q *queue) remove(s *sleeper) bool {
	var before *sleeper
	for p := q.first; p != nil; before, p = p, p.next {
		if p != s {
			continue
		}
		if before == nil {
			q.first = s.next
		} else {
			before.next = s.next
		}
		if q.last == s {
			q.last = before
		}
		return true
	}
	return false
}
