package queue

import (
	"sync/atomic"

	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// While nobody waits, Put and Get of a first-in-first-out queue each use one
// end of the store's ring, without mu. So producers and consumers do not
// contend for a word, and each side reads the other's position only when its
// copy of that says full or empty.
//
// # State
//
//	end.word    position of the next value << 2 | open | locked
//	dones       calls of TaskDone << 1 | open
//	Queue.open  both ends and dones are open; under mu
//
//	          Put, Get, TaskDone   mu, by everything else
//	closed    use mu               owns all fields
//	open      lock one end         owns what is not said below
//
// A position counts all values that were ever put, or taken. An open end's
// lock, the locked bit, owns that end's fields, the ring's slots that are free
// (tail), and those that are in use (head). The ring does not change its size.
//
// Only an operation that holds mu opens or closes the ends. It closes by
// locking one end after the other and storing a word that is not open, which
// ends the owner's critical section first. An operation that finds its end
// closed, or that it cannot do there (no value, no room, a limit that has
// ended), uses mu, and closes the ends. So all else in this package runs as if
// they did not exist.
//
// Invariant: while the ends are open nobody waits in Put, Get or Join, the
// queue is not shut down, and nothing is reserved. A waiter closes them before
// it queues, after which the operation that serves it cannot use them. So an
// open end need not look for waiters, and no wakeup is lost.
//
// # Order
//
// Storing the tail's word releases the slot with its value; a Get that reads
// the position from the word may read the slot. The head's word releases an
// emptied slot to Put in the same way. A copy of the other's position may be
// too old, never too new: the other end moves in one direction. The tail is
// opened before the head. A Put in between may read the position at which the
// head was closed, which is too old; a Get would find a tail behind its own
// position.
//
// TaskDone may count one value more as done if the head is past the calls that
// were counted, for each call belongs to a value that was taken. Its
// compare-and-swap fails if another was counted meanwhile. A head read earlier
// is too old, which is safe. A TaskDone that comes before its Get uses mu.
//
// Model: verify/queue.pml.

const (
	locked = 1 << iota
	open
	posShift = iota

	doneOpen  = 1
	doneShift = 1
)

const (
	// leastRoom is the least bound with which ends pay: a smaller queue is
	// mostly full or empty.
	leastRoom = 16
	// calmOps is how many operations in a row find the queue neither empty
	// nor full before the ends are opened. Opening and closing cost as much
	// as some four operations.
	calmOps = 16
)

// An end is one end of the ring, on its own cache lines.
type end[T any] struct {
	word  atomic.Uint64
	other uint64 // the other end's position, as last read
	bound uint64 // the number of values at which mu is used: no room; too few for the ring's size
	buf   []T
	_     [64]byte
}

func (e *end[T]) pos() uint64 { return e.word.Load() >> posShift }

// lock locks an open end, and reports whether it was open.
func (e *end[T]) lock() (pos uint64, ok bool) {
	w := e.word.Load()
	if w&(open|locked) != open || !e.word.CompareAndSwap(w, w|locked) {
		return e.lockSlow()
	}
	return w >> posShift, true
}

func (e *end[T]) lockSlow() (pos uint64, ok bool) {
	for poll := 0; ; poll++ {
		w := e.word.Load()
		switch {
		case w&open == 0:
			return 0, false
		case w&locked == 0 && e.word.CompareAndSwap(w, w|locked):
			return w >> posShift, true
		}
		wait.Backoff(poll)
	}
}

// unlock unlocks the end at the position pos.
func (e *end[T]) unlock(pos uint64) { e.word.Store(pos<<posShift | open) }

// tryPut puts v at the tail, if that is open, there is room and l has not
// ended.
func (q *Queue[T]) tryPut(v T, l *park.Limit) bool {
	e := &q.tail
	pos, ok := e.lock()
	if !ok {
		return false
	}
	if pos-e.other >= e.bound {
		e.other = q.head.pos()
	}
	if pos-e.other >= e.bound || l.Canceled() { // in this order: see tryGet
		e.unlock(pos)
		return false
	}
	e.buf[pos&uint64(len(e.buf)-1)] = v
	e.unlock(pos + 1)
	return true
}

// tryGet takes the value at the head, if that is open, there is one and l has
// not ended. A context that was done before the value was put is seen, since it
// is asked after the value.
func (q *Queue[T]) tryGet(l *park.Limit) (v T, ok bool) {
	e := &q.head
	pos, ok := e.lock()
	if !ok {
		return v, false
	}
	if e.other-pos <= e.bound {
		e.other = q.tail.pos()
	}
	if e.other-pos <= e.bound || l.Canceled() {
		e.unlock(pos)
		return v, false
	}
	var zero T
	slot := &e.buf[pos&uint64(len(e.buf)-1)]
	v, *slot = *slot, zero
	e.unlock(pos + 1)
	return v, true
}

// tryTaskDone counts a value as done if it was certainly taken.
func (q *Queue[T]) tryTaskDone() bool {
	d := q.dones.Load()
	return d&doneOpen != 0 && d>>doneShift < q.head.pos() && q.dones.CompareAndSwap(d, d+1<<doneShift)
}

// lock locks mu and closes the ends.
func (q *Queue[T]) lock() {
	q.mu().LockBackoff()
	q.shut()
}

// shut closes the ends if they are open. The caller holds mu.
func (q *Queue[T]) shut() {
	if !q.open {
		return
	}
	q.open = false
	q.puts, _ = q.tail.lock()
	q.tail.word.Store(q.puts << posShift)
	gets, _ := q.head.lock()
	q.head.word.Store(gets << posShift)
	q.dones.And(^uint64(doneOpen))
	q.store.front, q.store.n = gets, int(q.puts-gets)
}

// calm is called after an operation that did not wait, and opens the ends after
// some of those. The caller holds mu.
func (q *Queue[T]) calm() {
	if q.calmly++; q.calmly < calmOps || q.store.order != fifo || q.max > 0 && q.max < leastRoom {
		return
	}
	room := len(q.store.buf)
	if q.max > 0 {
		room = min(room, q.max)
	}
	n, few := q.store.n, q.store.few()
	if n <= few || n == room || q.down || q.getters.Len()+q.putters.Len()+q.joiners.Len() > 0 {
		return
	}
	q.calmly = 0
	q.open = true
	gets := q.store.front
	q.tail.other, q.tail.bound, q.tail.buf = gets, uint64(room), q.store.buf
	q.head.other, q.head.bound, q.head.buf = q.puts, uint64(few), q.store.buf
	q.dones.Or(doneOpen)
	q.tail.unlock(q.puts) // first: Get must not read the position at which the tail was closed
	q.head.unlock(gets)
}

// len returns the number of values. The caller holds mu.
func (q *Queue[T]) len() int {
	if !q.open {
		return q.store.n
	}
	gets := q.head.pos() // first: the tail is never behind it
	return int(min(q.tail.pos()-gets, q.tail.bound))
}

// undone returns the number of values that were put and not marked done. The
// caller holds mu.
func (q *Queue[T]) undone() int {
	dones := q.dones.Load() >> doneShift // first
	if q.open {
		return int(q.tail.pos() - dones)
	}
	return int(q.puts - dones)
}
