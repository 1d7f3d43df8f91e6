package osthread

import (
	"math"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/wait"
)

// A lockQueue is what only waiters need of a mutex. A lock has a queue while
// there are waiters in it. It is known by its index, which has room beside the
// flag of the spinner; a pointer would not, and the collector would not see it.
//
// # State
//
//	unused --take--> taken --bind--> of a lock, with waiters --unlockQueue, empty--> unused
//	   ^                       \--> unused, if another caller was faster
//
// A lock's first waiter takes a queue, locks its guard, and swaps its index
// into the lock's link. If it finds that another waiter was faster it gives its
// own queue back and uses that one. A caller that leaves the queue empty clears
// the index before it unlocks the guard. So a caller that has locked the guard
// and then finds the index in the lock's link has the lock's queue, and the
// lock keeps it until the guard is unlocked.
//
// Queues are never freed: a caller may lock the guard of a queue that has
// become another lock's, or unused, and then finds another index. There are
// about as many as locks have had waiters at the same time.
type lockQueue struct {
	wait.Queue
	// oldest is the Since of the head, 0 if there is none.
	oldest atomic.Int64
	// The lock is not handed off before notBefore. handed is when it was, until
	// the receiver runs, and else 0; under the guard.
	notBefore atomic.Int64
	handed    int64

	index uint32
	next  atomic.Uint32 // index, in the list of unused queues

	_ [cacheLine - 5*8 - unsafe.Sizeof(wait.List{})]byte
}

const (
	cacheLine  = 64
	indexShift = 1 // above spins

	handoffRatio = 8
	handoffPause = starvationThreshold / 2 // parking_lot's, on average
)

// lockQueue locks the guard of m's queue, and makes m have a queue if it has
// none.
func (m *mutex) lockQueue() *lockQueue {
	for {
		if q := m.findQueue(); q != nil {
			return q
		}
		if q := m.bind(); q != nil {
			return q
		}
	}
}

// findQueue locks the guard of m's queue. It returns nil if m has none, and so
// no waiters in it.
func (m *mutex) findQueue() *lockQueue {
	for {
		index := m.link.Load() >> indexShift
		if index == 0 {
			return nil
		}
		q := lockQueues.at(index)
		q.Lock()
		if m.link.Load()>>indexShift == index {
			return q
		}
		q.Unlock()
	}
}

// peekQueue returns m's queue, nil if it has none, without its guard. If
// another lock has the queue by then, the caller checks the queue or yields
// once for nothing.
func (m *mutex) peekQueue() *lockQueue {
	index := m.link.Load() >> indexShift
	if index == 0 {
		return nil
	}
	return lockQueues.at(index)
}

// bind makes m have a queue, whose guard it locks. It returns nil if m has got
// another one.
func (m *mutex) bind() *lockQueue {
	unused := lockQueues.unused(m)
	q := unused.take()
	q.Lock() // perhaps after a caller that finds another index
	for {
		l := m.link.Load()
		if l>>indexShift != 0 {
			q.Unlock()
			unused.put(q)
			return nil
		}
		if m.link.CompareAndSwap(l, l|q.index<<indexShift) {
			q.handed = 0
			q.notBefore.Store(math.MinInt64) // before any time, as sinceFair
			return q
		}
	}
}

// unlockQueue unlocks the guard of m's queue q, after which m has it only if
// there are waiters in it.
func (m *mutex) unlockQueue(q *lockQueue) {
	if q.Head() != nil {
		q.Unlock()
		return
	}
	m.link.And(spins)
	q.Unlock()
	lockQueues.unused(m).put(q)
}

// ageHead updates oldest. A requeued node ages from when it is the head. The
// caller holds the guard.
func (q *lockQueue) ageHead() {
	h := q.Head()
	if h.Since == 0 {
		h.Since = futex.Now()
	}
	q.oldest.Store(h.Since)
}

// headWaits reports whether the head has waited for longer than d.
func (q *lockQueue) headWaits(d int64) bool {
	o := q.oldest.Load()
	return o != 0 && futex.Now()-o > d
}

// starves reports whether the lock is to be handed off to n.
func (q *lockQueue) starves(n *wait.Node) bool {
	return n.Since == sinceFair || starves(n) && q.mayHandOff()
}

func (q *lockQueue) mayHandOff() bool { return futex.Now() >= q.notBefore.Load() }

// beginHandoff notes that the lock was handed off to n. The caller holds the
// guard.
func (q *lockQueue) beginHandoff(n *wait.Node) {
	if n.Since != sinceFair {
		q.handed = futex.Now()
		// The limit if another thread unlocks before the receiver runs.
		q.notBefore.Store(q.handed + starvationThreshold)
	}
}

// endHandoff is called by the receiver of a handoff, when it runs. Other ways
// to acquire the lock get handoffRatio times as long as the lock was idle, and
// at least handoffPause.
func (m *mutex) endHandoff() {
	q := m.findQueue()
	if q == nil {
		return // no other waits
	}
	if q.handed != 0 {
		now := futex.Now()
		q.notBefore.Store(now + max(handoffRatio*(now-q.handed), handoffPause))
		q.handed = 0
	}
	m.unlockQueue(q)
}

// A queueTable has all queues, each chunk twice as many as the one before it.
// Index 0 is none.
type queueTable struct {
	chunks [32 - chunkBits]atomic.Pointer[[]lockQueue]
	lists  [1 << listBits]queueList
	made   atomic.Uint32
}

const (
	chunkBits = 5 // of the first chunk's size
	listBits  = 4
)

var lockQueues queueTable

// at returns the queue with the index, which has been made.
func (t *queueTable) at(index uint32) *lockQueue {
	chunk, i := place(index)
	return &(*t.chunks[chunk].Load())[i]
}

func place(index uint32) (chunk int, i uint32) {
	index += 1 << chunkBits
	top := bits.Len32(index) - 1
	return top - chunkBits, index - 1<<top
}

// make makes a queue.
func (t *queueTable) make() *lockQueue {
	index := t.made.Add(1)
	chunk, i := place(index)
	if t.chunks[chunk].Load() == nil {
		queues := make([]lockQueue, 1<<(chunkBits+chunk))
		t.chunks[chunk].CompareAndSwap(nil, &queues)
	}
	q := &(*t.chunks[chunk].Load())[i]
	q.index = index
	return q
}

// unused returns the list from which m takes its queue and to which it returns
// it. Locks with different lists do not contend.
func (t *queueTable) unused(m *mutex) *queueList {
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing
	return &t.lists[uint64(uintptr(unsafe.Pointer(m)))*golden>>(64-listBits)]
}

// A queueList is a stack of unused queues. Its word is the index of the first
// one, below a count of the changes: a first one that was taken and put back
// meanwhile has perhaps another next.
type queueList struct {
	word atomic.Uint64
	_    [cacheLine - 8]byte
}

func (l *queueList) take() *lockQueue {
	for {
		w := l.word.Load()
		if uint32(w) == 0 {
			return lockQueues.make()
		}
		q := lockQueues.at(uint32(w))
		if l.word.CompareAndSwap(w, changed(w, q.next.Load())) {
			return q
		}
	}
}

func (l *queueList) put(q *lockQueue) {
	for {
		w := l.word.Load()
		q.next.Store(uint32(w))
		if l.word.CompareAndSwap(w, changed(w, q.index)) {
			return
		}
	}
}

// changed returns w after a change that makes index the first one.
func changed(w uint64, index uint32) uint64 { return (w>>32+1)<<32 | uint64(index) }
