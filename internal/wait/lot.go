package wait

import (
	"sync/atomic"
	"unsafe"
)

// A Lot keeps the queues of objects that must be small: an object's queue
// exists only while it holds something. It is a hash table by the address of
// the object, as WebKit's and CPython's parking lots are, and the table of
// semaphores of the Go runtime. T is what an object keeps beside its waiters;
// its zero value means nothing. The zero Lot is empty.
//
// # State
//
// An entry is in the bucket of its object's address. The bucket's guard is over
// the entries and is the guard of their queues, so objects that share a bucket
// wait for each other for a few dozen instructions. A caller holds at most one
// guard of a Lot.
//
// An insertion that finds its bucket long doubles the table. It locks the
// guards of all buckets, moves the entries, and publishes the new table before
// it unlocks. A caller that has locked a bucket checks that its table is still
// the published one. So all callers that hold the guard of an address hold the
// same one.
//
// Nothing is allocated under a guard: a goroutine that allocates may have to
// help the garbage collector, or wait for it.
type Lot[T comparable] struct {
	table atomic.Pointer[table[T]]
}

// An Entry is the queue of an object, whose guard its holder has.
type Entry[T comparable] struct {
	List
	State T

	object unsafe.Pointer // also keeps the object out of stacks, which move
	bucket *bucket[T]
	next   *Entry[T] // in the bucket, or a spare one
}

type table[T comparable] struct {
	buckets []bucket[T] // a power of two
	shift   int         // of a hash, to the number of a bucket
}

type bucket[T comparable] struct {
	Guard
	spares int32
	first  *Entry[T]
	spare  *Entry[T] // for the next insertions

	_ [cacheLine - 8 - 2*unsafe.Sizeof(uintptr(0))]byte
}

const (
	cacheLine    = 64
	firstBuckets = 256
	maxBuckets   = 1 << 24
	maxLength    = 4 // of a bucket, before the table grows
	maxSpares    = 2 // of a bucket
)

// Lock locks the guard of the object's queue and returns the queue. It is empty
// and its State is zero if there was none.
func (l *Lot[T]) Lock(object unsafe.Pointer) *Entry[T] {
	b := l.lock(object)
	length := 0
	for e := b.first; e != nil; e = e.next {
		if e.object == object {
			return e
		}
		length++
	}
	if e := b.spare; e != nil && length < maxLength {
		b.spare, e.next = e.next, nil
		b.spares--
		return b.insert(e, object)
	}
	b.Unlock()
	return l.lockNew(object, length >= maxLength)
}

// Unlock unlocks the guard. It drops the entry if it holds nothing.
func (e *Entry[T]) Unlock() {
	b := e.bucket
	var zero T
	if e.Head() == nil && e.State == zero {
		b.drop(e)
	}
	b.Guard.Unlock()
}

// lockNew is Lock for an object that had no entry. long says that its bucket
// is.
func (l *Lot[T]) lockNew(object unsafe.Pointer, long bool) *Entry[T] {
	if long {
		l.grow()
	}
	n := new(Entry[T])
	b := l.lock(object)
	for e := b.first; e != nil; e = e.next {
		if e.object == object {
			return e
		}
	}
	return b.insert(n, object)
}

// lock locks the bucket of object.
func (l *Lot[T]) lock(object unsafe.Pointer) *bucket[T] {
	for {
		t := l.table.Load()
		if t == nil {
			l.table.CompareAndSwap(nil, newTable[T](firstBuckets))
			continue
		}
		b := t.bucket(object)
		b.Lock()
		if l.table.Load() == t {
			return b
		}
		b.Unlock()
	}
}

// grow doubles the table, unless another caller does.
func (l *Lot[T]) grow() {
	old := l.table.Load()
	if len(old.buckets) >= maxBuckets {
		return
	}
	t := newTable[T](2 * len(old.buckets))
	for i := range old.buckets {
		old.buckets[i].Lock()
		if i == 0 && l.table.Load() != old {
			old.buckets[i].Unlock()
			return
		}
	}
	for i := range old.buckets {
		for e := old.buckets[i].first; e != nil; {
			next := e.next
			t.bucket(e.object).insert(e, e.object)
			e = next
		}
	}
	l.table.Store(t)
	for i := range old.buckets {
		old.buckets[i].Unlock()
	}
}

func newTable[T comparable](n int) *table[T] {
	t := &table[T]{buckets: make([]bucket[T], n), shift: 64}
	for ; n > 1; n /= 2 {
		t.shift--
	}
	return t
}

// bucket returns the bucket of object (Fibonacci hashing).
func (t *table[T]) bucket(object unsafe.Pointer) *bucket[T] {
	return &t.buckets[uint64(uintptr(object))*0x9e3779b97f4a7c15>>t.shift]
}

func (b *bucket[T]) insert(e *Entry[T], object unsafe.Pointer) *Entry[T] {
	e.object, e.bucket = object, b
	e.next, b.first = b.first, e
	return e
}

// drop takes e out, and keeps it for the next insertion.
func (b *bucket[T]) drop(e *Entry[T]) {
	at := &b.first
	for *at != e {
		at = &(*at).next
	}
	*at = e.next
	e.object, e.next = nil, nil
	if b.spares < maxSpares {
		b.spares++
		e.next, b.spare = b.spare, e
	}
}
