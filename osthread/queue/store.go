package queue

// How a queue keeps its values: a ring, of which a first-in-first-out queue
// takes from the front and a last-in-first-out queue from the back, or a heap.
// Memory follows the number of values: it doubles when there is no room, and
// halves when only a quarter is used. A place that is not in use holds the zero
// value, so that nothing is kept alive by it.
//
// cmp is the user's, and may panic: then the store is as it was before, and
// tryPush and tryPop return what it has panicked with. So a heap first looks
// for the places, along one path, and then moves.

type order uint8

const (
	fifo order = iota
	lifo
	priority
)

// smallest is the least length of a buffer: some of the first values' growth is
// not worth its while.
const smallest = 8

// A store keeps values in an order. The zero value is an empty
// first-in-first-out store.
type store[T any] struct {
	order order
	n     int

	buf   []T // a power of two long; the ring's values begin at front
	front int

	cmp    func(a, b T) int
	heap   []ranked[T]
	serial uint64 // of the value put last
	path   []int  // of popHeap, to be used again
}

// A ranked value is behind all equal ones that were put before.
type ranked[T any] struct {
	v      T
	serial uint64
}

func (s *store[T]) tryPush(v T) (panicked any) {
	if s.order == priority {
		return recovered(func() { s.pushHeap(v) })
	}
	s.push(v)
	return nil
}

func (s *store[T]) tryPop() (v T, panicked any) {
	if s.order == priority {
		panicked = recovered(func() { v = s.popHeap() })
		return v, panicked
	}
	return s.pop(), nil
}

func recovered(f func()) (panicked any) {
	defer func() { panicked = recover() }()
	f()
	return nil
}

func (s *store[T]) push(v T) {
	if s.order == priority {
		s.pushHeap(v)
		return
	}
	if s.n == len(s.buf) {
		s.resize(max(smallest, 2*len(s.buf)))
	}
	s.buf[(s.front+s.n)&(len(s.buf)-1)] = v
	s.n++
}

// pop takes the next value out; there must be one.
func (s *store[T]) pop() (v T) {
	var zero T
	switch s.order {
	case priority:
		return s.popHeap()
	case lifo:
		place := &s.buf[(s.front+s.n-1)&(len(s.buf)-1)]
		v, *place = *place, zero
	default:
		place := &s.buf[s.front]
		v, *place = *place, zero
		s.front = (s.front + 1) & (len(s.buf) - 1)
	}
	s.n--
	if len(s.buf) > keep && s.n <= len(s.buf)/4 {
		s.resize(len(s.buf) / 2)
	}
	return v
}

// keep is the length of a buffer that is never made smaller.
const keep = 1024

func (s *store[T]) resize(n int) {
	buf := make([]T, n)
	head := copy(buf, s.buf[s.front:min(s.front+s.n, len(s.buf))])
	copy(buf[head:], s.buf[:s.n-head])
	s.buf, s.front = buf, 0
}

func (s *store[T]) less(a, b *ranked[T]) bool {
	if c := s.cmp(a.v, b.v); c != 0 {
		return c < 0
	}
	return a.serial < b.serial
}

func (s *store[T]) pushHeap(v T) {
	item := ranked[T]{v, s.serial + 1}
	place := len(s.heap)
	for up := place; up > 0 && s.less(&item, &s.heap[(up-1)/2]); {
		up = (up - 1) / 2
		place = up
	}
	s.heap = append(s.heap, item)
	for i := len(s.heap) - 1; i > place; i = (i - 1) / 2 {
		s.heap[i] = s.heap[(i-1)/2]
	}
	s.heap[place] = item
	s.serial++
	s.n++
}

func (s *store[T]) popHeap() T {
	last := len(s.heap) - 1
	item := s.heap[last]
	path := s.path[:0]
	for i := 0; ; {
		path = append(path, i)
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && s.less(&s.heap[child+1], &s.heap[child]) {
			child++
		}
		if !s.less(&s.heap[child], &item) {
			break
		}
		i = child
	}
	top := s.heap[0]
	for d := range len(path) - 1 {
		s.heap[path[d]] = s.heap[path[d+1]]
	}
	s.heap[path[len(path)-1]] = item
	s.heap[last] = ranked[T]{}
	s.heap = s.heap[:last]
	if c := cap(s.heap); c > keep && last <= c/4 {
		s.heap = append(make([]ranked[T], 0, c/2), s.heap...)
	}
	s.path = path
	s.n--
	return top.v
}
