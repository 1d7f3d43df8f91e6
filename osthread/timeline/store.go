package timeline

import (
	"sync"
	"sync/atomic"
)

// A record is one event in memory. Records are in chunks. Each shard, for some
// of the threads, fills a chunk of its own, under its lock; the store has all
// others, under another lock:
//
//	free --exchange--> a shard's --exchange, when it is full--> full --take, by the writer--> free
//	 ^                                                            |
//	 +------------- exchange of a ring without a free one --------+
//
// Invariant: there are at most max chunks. So the memory is bounded, and a ring
// has the last (max - shards) * chunkSize events at least.
//
// Generations are given when a shard gets a chunk. A chunk that is full keeps
// its own, so a reader of a ring knows which chunks it has read already.

// A kind is what a record shows.
type kind uint8

const (
	ofLife    kind = iota // from the start of a thread to its end
	ofWait                // from a block to a resume
	ofWake                // an operation that has woken others
	ofPanic               // at a panic
	ofCounter             // label's length is value
)

// A record is pointers to what it shows. Times are since the Recorder's base.
type record struct {
	row     *row   // nil: of no thread
	label   *label // the object; of a counter what it counts
	waker   *row   // of ofWait: the thread that has ended it; nil: unknown, or none's
	holder  *row   // of ofWait: of label, when it began; nil: unknown
	ts, dur int64
	value   int64 // of ofWait: from the wakeup to the end, 0: there was none; of ofCounter the length
	kind    kind
	open    bool // it had not ended when the recording did
}

const chunkSize = 64

type chunk struct {
	n       int
	gen     uint64
	records [chunkSize]record
}

// store owns the chunks that no shard fills.
type store struct {
	ring bool

	mu   sync.Mutex
	max  int
	made int
	gen  uint64
	free []*chunk
	full []*chunk // a queue of at most max: full[head], and the n-1 after it
	head int
	n    int

	lost  atomic.Uint64
	ready chan struct{} // of a stream: there are full chunks; one token
}

func newStore(max int, ring bool) *store {
	return &store{ring: ring, max: max, full: make([]*chunk, max), ready: make(chan struct{}, 1)}
}

// exchange takes c, which is full, or nil, and returns an empty chunk, nil if
// there is none.
func (t *store) exchange(c *chunk) *chunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c != nil {
		t.push(c)
	}
	e := t.empty()
	if e != nil {
		t.gen++
		e.gen, e.n = t.gen, 0
	}
	return e
}

// push adds c to the full chunks. The caller has mu.
func (t *store) push(c *chunk) {
	t.full[(t.head+t.n)%t.max] = c
	t.n++
	if t.ring {
		return
	}
	select {
	case t.ready <- struct{}{}:
	default: // the writer has not taken the last token
	}
}

// add adds c, which a shard has not filled, to the full chunks.
func (t *store) add(c *chunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.push(c)
}

// empty returns a chunk that is in no list. The caller has mu.
func (t *store) empty() *chunk {
	switch {
	case len(t.free) > 0:
		e := t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
		return e
	case t.made < t.max:
		t.made++
		return new(chunk)
	case t.ring && t.n > 0:
		e := t.pop()
		t.lost.Add(uint64(e.n))
		return e
	default:
		return nil
	}
}

func (t *store) pop() *chunk {
	c := t.full[t.head]
	t.full[t.head] = nil
	t.head = (t.head + 1) % t.max
	t.n--
	return c
}

// take returns the oldest full chunk, which is the caller's until recycle; nil
// if there is none.
func (t *store) take() *chunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		return nil
	}
	return t.pop()
}

// recycle makes c, from take, free, and drops what it refers to.
func (t *store) recycle(c *chunk) {
	clear(c.records[:c.n])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = append(t.free, c)
}

// lastGen returns the generation of the youngest chunk.
func (t *store) lastGen() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gen
}

// copyFull calls add with the records of each full chunk up to the generation
// last, but those in skip. The lock is held for one chunk at a time: a ring may
// replace the oldest meanwhile, which are not copied then.
func (t *store) copyFull(last uint64, skip map[uint64]bool, add func([]record)) {
	for _, c := range t.fullUpTo(last, skip) {
		t.mu.Lock()
		if c.chunk.gen == c.gen {
			add(c.chunk.records[:c.chunk.n])
		}
		t.mu.Unlock()
	}
}

// A seen is a chunk and the generation that it had.
type seen struct {
	chunk *chunk
	gen   uint64
}

func (t *store) fullUpTo(last uint64, skip map[uint64]bool) (all []seen) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.n {
		if c := t.full[(t.head+i)%t.max]; c.gen <= last && !skip[c.gen] {
			all = append(all, seen{c, c.gen})
		}
	}
	return all
}
