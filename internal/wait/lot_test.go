package wait

import (
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/park"
)

func TestLotBucketIsOneCacheLine(t *testing.T) {
	assert.EqualValues(t, cacheLine, unsafe.Sizeof(bucket[int]{}))
}

func TestLotDropsAnEntryThatHoldsNothing(t *testing.T) {
	var l Lot[int]
	var object byte
	e := l.Lock(unsafe.Pointer(&object))
	assert.Zero(t, e.State)
	e.State = 1
	e.Unlock()

	e = l.Lock(unsafe.Pointer(&object))
	assert.Equal(t, 1, e.State, "an entry with a state stays")
	e.State = 0
	forever := park.Forever()
	n := New(nil, &forever)
	e.PushBack(n)
	e.Unlock()

	e = l.Lock(unsafe.Pointer(&object))
	assert.Same(t, n, e.Head(), "an entry with a waiter stays")
	assert.True(t, e.Remove(n))
	e.Unlock()
	n.Free()
	assert.Zero(t, l.entries())
}

// entries returns the number of entries.
func (l *Lot[T]) entries() (n int) {
	t := l.table.Load()
	for i := range t.buckets {
		for e := t.buckets[i].first; e != nil; e = e.next {
			n++
		}
	}
	return n
}

// Goroutines count in the states of many objects, while the table grows.
func TestLotGrowsUnderItsUsers(t *testing.T) {
	const workers, objects, rounds = 4, 20000, 3
	var l Lot[int]
	space := make([]byte, objects)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				for i := range space {
					e := l.Lock(unsafe.Pointer(&space[i]))
					e.State++
					e.Unlock()
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, objects, l.entries())
	for i := range space {
		e := l.Lock(unsafe.Pointer(&space[i]))
		if !assert.Equal(t, workers*rounds, e.State) {
			return
		}
		e.State = 0
		e.Unlock()
	}
	assert.Zero(t, l.entries())
	assert.GreaterOrEqual(t, len(l.table.Load().buckets), objects/maxLength)
	for i := range l.table.Load().buckets {
		assert.LessOrEqual(t, l.table.Load().buckets[i].spares, int32(maxSpares))
	}
}

// Objects side by side are spread over the buckets.
func TestLotSpreadsNeighbors(t *testing.T) {
	for _, size := range []int{1, 8, 16, 24, 64, 4096} {
		tab := newTable[int](firstBuckets)
		used := map[*bucket[int]]int{}
		space := make([]byte, firstBuckets*size)
		longest := 0
		for i := range firstBuckets {
			b := tab.bucket(unsafe.Pointer(&space[i*size]))
			used[b]++
			longest = max(longest, used[b])
		}
		assert.LessOrEqual(t, longest, 4, "objects of %d bytes", size)
	}
}

func BenchmarkLotLock(b *testing.B) {
	var l Lot[int]
	var object byte
	for b.Loop() {
		l.Lock(unsafe.Pointer(&object)).Unlock()
	}
}
