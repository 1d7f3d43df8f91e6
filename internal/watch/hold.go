package watch

import (
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/ident"
)

// How says in which way something is held.
type How uint32

const (
	Exclusive How = iota + 1 // a lock; an RWLock by its writer
	Shared                   // an RWLock by a reader
	Permits                  // permits of a semaphore
	Tasks                    // values of a queue that were taken and are not done
)

const (
	depth     = 6 // return addresses of a hold
	chunkSize = 8
)

// A hold is a place for a Hold of its party.
type hold struct {
	number atomic.Uint64  // 0: unused
	typ    uintptr        // the two words of the object's interface value; types
	object unsafe.Pointer // are not collected
	how    How
	n      int
	pcs    [depth]uintptr
}

type chunk [chunkSize]hold

// eface is the layout of an interface value without methods.
type eface struct{ typ, data unsafe.Pointer }

func wordsOf(object any) eface { return *(*eface)(unsafe.Pointer(&object)) }

func (e eface) object() (object any) {
	*(*eface)(unsafe.Pointer(&object)) = e
	return object
}

// typeAt returns the type word as a pointer, of a variable: to the compiler
// that is no pointer made of a number.
func typeAt(word uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&word)) }

// at returns the place i, which has been made.
func (p *Party) at(i uint64) *hold {
	if i < chunkSize {
		return &p.first[i]
	}
	return &(*p.more.Load())[i/chunkSize-1][i%chunkSize]
}

// dropCounts ends the holds of permits and tasks of p, whose goroutine has
// ended: others release them, which does not end a hold (handOff).
func (p *Party) dropCounts() {
	for i := range p.top.Load() {
		if h := p.at(i); h.number.Load() != 0 && h.how >= Permits {
			h.number.Store(0)
			h.object = nil
		}
	}
}

// idle reports whether p holds nothing.
func (p *Party) idle() bool {
	for i := range p.top.Load() {
		if p.at(i).number.Load() != 0 {
			return false
		}
	}
	return true
}

// Acquired notes that p, the caller's party, has acquired n of object. How many
// of the same permits or tasks it holds is summed up in one Hold, which has the
// number and the stack of the last.
//
//go:norace
func (p *Party) Acquired(object any, how How, n int) {
	p.Move()
	e := wordsOf(object)
	i := p.top.Load()
	h := &p.first[i%chunkSize]
	if how >= Permits || i >= chunkSize || i > 0 && p.first[i-1].number.Load() == 0 {
		h, n = p.place(e, how, n)
	} else {
		store(&p.top, i+1)
	}
	h.typ, h.object, h.how, h.n = uintptr(e.typ), e.data, how, n
	walk(&h.pcs)
	p.numbers++
	store(&h.number, p.numbers)
}

// place returns an unused place, and n and what p holds already, which it ends.
//
//go:norace
func (p *Party) place(e eface, how How, n int) (*hold, int) {
	if how >= Permits {
		if h := p.find(e.data, how); h != nil {
			store(&h.number, 0)
			return h, n + h.n
		}
	}
	top := p.top.Load()
	for top > 0 && p.at(top-1).number.Load() == 0 { // taken away by others
		top--
	}
	if top >= chunkSize {
		for i := range top {
			if h := p.at(i); h.number.Load() == 0 {
				return h, n
			}
		}
		p.grow(top)
	}
	store(&p.top, top+1)
	return p.at(top), n
}

// grow makes the place i.
func (p *Party) grow(i uint64) {
	var chunks []*chunk
	if old := p.more.Load(); old != nil {
		chunks = *old
	}
	if i/chunkSize-1 < uint64(len(chunks)) {
		return
	}
	grown := append(chunks[:len(chunks):len(chunks)], new(chunk))
	p.more.Store(&grown)
}

// find returns p's hold of the object, the last one, or nil. The caller is p's
// goroutine.
//
//go:norace
func (p *Party) find(object unsafe.Pointer, how How) *hold {
	for i := p.top.Load(); i > 0; i-- {
		if h := p.at(i - 1); h.object == object && h.number.Load() != 0 && h.how == how {
			return h
		}
	}
	return nil
}

// Released notes that p, the caller's party, has released n of object.
//
//go:norace
func (p *Party) Released(object any, how How, n int) {
	data := wordsOf(object).data
	if i := p.top.Load() - 1; i < chunkSize {
		if h := &p.first[i]; h.object == data && h.number.Load() != 0 && h.how == how && h.n == n {
			store(&h.number, 0)
			h.object = nil
			store(&p.top, i)
			return
		}
	}
	p.released(object, how, n)
}

//go:norace
func (p *Party) released(object any, how How, n int) {
	h := p.find(wordsOf(object).data, how)
	switch {
	case h == nil:
		handOff(object, how)
	case h.n > n:
		h.n -= n // the number stays: it is the same acquisition
	default:
		n -= h.n
		store(&h.number, 0)
		h.object = nil
		if n > 0 {
			handOff(object, how)
		}
	}
	if top := p.top.Load(); top > 0 && p.at(top-1).number.Load() == 0 {
		store(&p.top, top-1)
	}
}

// Changed notes that p's hold of an RWLock is another one from now on: a reader
// has upgraded to a writer, or a writer downgraded.
func (p *Party) Changed(object any, from, to How) {
	p.Released(object, from, 1)
	p.Acquired(object, to, 1)
}

// handOff ends a release by a party that does not hold the object: it takes the
// oldest hold of it from its party. Permits and tasks have no holders
// from then on: it is usual that one party acquires and another releases, and
// the search would make each such release slow.
func handOff(object any, how How) {
	e := wordsOf(object)
	if how >= Permits {
		markHandedOff(e)
		return
	}
	// Without a holder it was acquired before the mode was on.
	if p, h, number := oldest(e.data, how); p != nil {
		markHandedOff(e)
		h.number.CompareAndSwap(number, 0)
	}
}

// Holder returns the slot (internal/ident) of the thread that holds object and
// keeps all others out, ident.None if it is not known.
func Holder(object any) uintptr {
	if p, _, _ := oldest(wordsOf(object).data, Exclusive); p != nil {
		return p.Slot()
	}
	return ident.None
}

// oldest returns the first hold of the object in the table. Which of several
// readers' is the oldest is not known: numbers are per party.
func oldest(object unsafe.Pointer, how How) (p *Party, h *hold, number uint64) {
	each(func(q *Party) {
		if p != nil {
			return
		}
		for i := range q.top.Load() {
			at := q.at(i)
			if n, e, w, _ := at.look(nil); n != 0 && e.data == object && w == how {
				p, h, number = q, at, n
				return
			}
		}
	})
	return p, h, number
}

// look reads h as another party than its owner: its number, 0 if it is unused
// or has changed meanwhile, and its fields. pcs may be nil.
//
//go:norace
func (h *hold) look(pcs *[depth]uintptr) (number uint64, e eface, how How, n int) {
	number = h.number.Load()
	if number == 0 {
		return 0, eface{}, 0, 0
	}
	e, how, n = eface{typeAt(h.typ), h.object}, h.how, h.n
	if pcs != nil {
		*pcs = h.pcs
	}
	if h.number.Load() != number {
		return 0, eface{}, 0, 0
	}
	return number, e, how, n
}
