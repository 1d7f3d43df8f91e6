package queue

// A store keeps the values of a queue: in a ring, from whose front a
// first-in-first-out queue takes and from whose back a last-in-first-out queue
// does, or in a heap. The zero value is an empty first-in-first-out store.
//
// Memory follows the number of values: a buffer doubles when it is full and
// halves when a quarter of it is used. A free slot holds the zero value, so
// that it keeps nothing alive.
//
// cmp is the user's and may panic. Then push and pop change nothing and return
// what it panicked with: they first search the path of slots to change, by cmp,
// and then move.
//
// order and cmp never change and are read without the queue's lock.
type store[T any] struct {
	order order
	n     int

	buf   []T    // the ring; its length is a power of two
	front uint64 // of a first-in-first-out queue, how many values were ever taken

	cmp    func(a, b T) int
	heap   []ranked[T]
	serial uint64 // of the value put last
	path   []int  // of popHeap, reused
}

type order uint8

const (
	fifo order = iota
	lifo
	priority
)

// A ranked value sorts after equal ones with a lower serial.
type ranked[T any] struct {
	v      T
	serial uint64
}

const (
	minBuf  = 8    // the length of the first buffer
	keepBuf = 1024 // a buffer of this length does not shrink
)

func (s *store[T]) push(v T) (panicked any) {
	if s.order == priority {
		return recovered(func() { s.pushHeap(v) })
	}
	if s.n == len(s.buf) {
		s.resize(max(minBuf, 2*len(s.buf)))
	}
	*s.slot(s.n) = v
	s.n++
	return nil
}

// pop takes the next value out. The store must not be empty.
func (s *store[T]) pop() (v T, panicked any) {
	if s.order == priority {
		panicked = recovered(func() { v = s.popHeap() })
		return v, panicked
	}
	slot := s.slot(0)
	if s.order == lifo {
		slot = s.slot(s.n - 1)
	} else {
		s.front++
	}
	var zero T
	v, *slot = *slot, zero
	s.n--
	if len(s.buf) > keepBuf && s.n <= s.few() {
		s.resize(len(s.buf) / 2)
	}
	return v, nil
}

// split moves all values into a store of their own.
func (s *store[T]) split() store[T] {
	values := *s
	s.n, s.buf, s.front, s.heap, s.serial, s.path = 0, nil, 0, nil, 0, nil
	return values
}

// all takes all values out, in the order of pop; if cmp panics, the rest in no
// order.
func (s *store[T]) all() (vs []T) {
	for s.n > 0 {
		v, panicked := s.pop()
		if panicked != nil {
			for _, r := range s.heap {
				vs = append(vs, r.v)
			}
			return vs
		}
		vs = append(vs, v)
	}
	return vs
}

func recovered(f func()) (panicked any) {
	defer func() { panicked = recover() }()
	f()
	return nil
}

// few returns the number of values at which the ring is halved, 0 if it is not.
func (s *store[T]) few() int {
	if len(s.buf) <= keepBuf {
		return 0
	}
	return len(s.buf) / 4
}

// slot returns the ring's slot for the value number i from the front.
func (s *store[T]) slot(i int) *T { return &s.buf[(s.front+uint64(i))&uint64(len(s.buf)-1)] }

func (s *store[T]) resize(n int) {
	old := *s
	s.buf = make([]T, n)
	for i := range s.n {
		*s.slot(i) = *old.slot(i)
	}
}

func (s *store[T]) less(a, b *ranked[T]) bool {
	if c := s.cmp(a.v, b.v); c != 0 {
		return c < 0
	}
	return a.serial < b.serial
}

func (s *store[T]) pushHeap(v T) {
	item := ranked[T]{v, s.serial + 1}
	slot := s.n
	for slot > 0 && s.less(&item, &s.heap[(slot-1)/2]) {
		slot = (slot - 1) / 2
	}
	s.heap = append(s.heap, item)
	for i := s.n; i > slot; i = (i - 1) / 2 {
		s.heap[i] = s.heap[(i-1)/2]
	}
	s.heap[slot] = item
	s.serial++
	s.n++
}

func (s *store[T]) popHeap() T {
	last := s.n - 1
	item := s.heap[last]
	path := append(s.path[:0], 0) // the slots to move up, to where item belongs
	for i, child := 0, 1; child < last; child = 2*i + 1 {
		if child+1 < last && s.less(&s.heap[child+1], &s.heap[child]) {
			child++
		}
		if !s.less(&s.heap[child], &item) {
			break
		}
		i = child
		path = append(path, i)
	}
	top := s.heap[0]
	for d, slot := range path[1:] {
		s.heap[path[d]] = s.heap[slot]
	}
	s.heap[path[len(path)-1]] = item
	s.heap[last] = ranked[T]{}
	s.heap = s.heap[:last]
	if c := cap(s.heap); c > keepBuf && last <= c/4 {
		s.heap = append(make([]ranked[T], 0, c/2), s.heap...)
	}
	s.path, s.n = path, last
	return top.v
}
