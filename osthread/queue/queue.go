package queue

import (
	"context"
	"iter"
	"sync"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Everything happens under one guard, that of getters. From these invariants,
// which hold whenever it is open, follows the rest:
//
//	getters wait    only while the store is empty and the queue is not shut down; a WaitAll that wants to be told may stand among them at any time
//	putters wait    only while the store is full and the queue is not shut down
//	unfinished      is the number of values that were put and not told done; at 0 nobody waits in joiners
//
// A value goes straight to where it is wanted. Who puts while getters wait
// gives the value to the first of them, in the cell that it waits with. Who
// gets while putters wait takes a value, and the first putter's into the store
// in its place. So whoever is woken has what it waited for, nobody can come
// before it, and it does not take the guard again. A waiter whose time is up
// does: if its node is not in the queue any more, its value has gone or come,
// and that is what its call returns.
//
// Shutdown takes all nodes out. Their owners have got nothing, which got tells:
// a putter's value is still its own, and its Put says so.
//
// A value put synchronizes with the Get that returns it by the guard, or by the
// wake-up (internal/park).

// A Queue hands values from threads to threads. The zero value is a
// first-in-first-out queue without a bound. It must not be copied after first
// use. Any thread or goroutine may call any method.
//
// Those who wait are served in the order in which they came. In the terms of
// the Go memory model, a Put synchronizes before the return of the Get that
// gets its value, and a TaskDone before the return of the Join that it ends.
type Queue[T any] struct {
	max        int
	unfinished int
	down       bool
	aside      int // values that a wait for several is about to take, while it has the guard
	store      store[T]
	getters    wait.ObjectQueue
	putters    wait.ObjectQueue
	joiners    wait.ObjectQueue
	getSpin    park.Spinner
	putSpin    park.Spinner
	cells      sync.Pool // of *cell[T]
	_          noCopy
}

// A cell is what a waiter brings along, as its node's Item: room for a value,
// or the value.
type cell[T any] struct {
	n        *wait.Node
	v        T
	panicked any // what cmp has, when v was to go in
}

// What a waiter that was taken out has got, in Node.Got.
const (
	gotNothing = iota // the queue was shut down
	gotServed
	gotPanic // cell.panicked
)

// New returns a first-in-first-out queue for at most max values; max <= 0: any
// number.
func New[T any](max int) *Queue[T] { return &Queue[T]{max: max} }

// NewLIFO returns a queue for at most max values that gives the one put last;
// max <= 0: any number.
func NewLIFO[T any](max int) *Queue[T] {
	return &Queue[T]{max: max, store: store[T]{order: lifo}}
}

// NewPriority returns a queue for at most max values that gives the least by
// cmp, of equal ones the one put first; max <= 0: any number. cmp returns less
// than 0, 0, or more than 0 for a before, equal to, or behind b, as cmp.Compare
// does. All others wait while it runs, so it must be quick, and it must neither
// use the queue, but for String, nor call runtime.Goexit. If it panics the Put
// whose value was to go in does, or the Get, and the queue is as it was; a
// batch keeps what came before: GetN and Drain return it, PutAll how much it
// was. NewPriority panics with an error that is ErrNoCmp if cmp is nil.
func NewPriority[T any](max int, cmp func(a, b T) int) *Queue[T] {
	if cmp == nil {
		panic(misuse("NewPriority", ErrNoCmp))
	}
	return &Queue[T]{max: max, store: store[T]{order: priority, cmp: cmp}}
}

// Put puts v, sleeping while the queue is full. It returns ErrShutdown, and v
// is not in the queue, if that is shut down before.
func (q *Queue[T]) Put(v T) error { return q.putWithin(v, &forever, false) }

// TryPut is PutTimeout(v, 0).
func (q *Queue[T]) TryPut(v T) error { return q.put(v, park.For(0)) }

// PutTimeout is Put for at most d; past that it returns ErrFull. d <= 0 never
// sleeps.
func (q *Queue[T]) PutTimeout(v T, d time.Duration) error { return q.put(v, park.For(d)) }

// PutContext is Put until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not try.
func (q *Queue[T]) PutContext(ctx context.Context, v T) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return q.put(v, l)
}

// Get takes the next value, sleeping while there is none. It returns
// ErrShutdown when there is none and will be none.
func (q *Queue[T]) Get() (T, error) { return q.getWithin(&forever, false) }

// TryGet is GetTimeout(0).
func (q *Queue[T]) TryGet() (T, error) { return q.get(park.For(0)) }

// GetTimeout is Get for at most d; past that it returns ErrEmpty. d <= 0 never
// sleeps.
func (q *Queue[T]) GetTimeout(d time.Duration) (T, error) { return q.get(park.For(d)) }

// GetContext is Get until ctx is done; it then returns ctx's cause. If ctx is
// done already it does not look.
func (q *Queue[T]) GetContext(ctx context.Context) (v T, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		return v, err
	}
	return q.get(l)
}

// All ranges over what Get returns, until the queue is shut down and empty.
func (q *Queue[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get()
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Tasks ranges over what All does and calls TaskDone when the loop is done with
// a value: after its body, or when that leaves the loop by break, return, a
// panic or runtime.Goexit. The body must not call TaskDone for it.
func (q *Queue[T]) Tasks() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get()
			if err != nil || !q.task(v, yield) {
				return
			}
		}
	}
}

func (q *Queue[T]) task(v T, yield func(T) bool) bool {
	defer q.TaskDone()
	return yield(v)
}

// Len returns how many values are in the queue. By the time the caller looks at
// the result it may be otherwise, as with Empty and Full.
func (q *Queue[T]) Len() int {
	q.getters.Lock()
	defer q.getters.Unlock()
	return q.store.n
}

// Cap returns how many values there is room for, 0 for any number.
func (q *Queue[T]) Cap() int { return max(q.max, 0) }

// Empty reports whether Len is 0.
func (q *Queue[T]) Empty() bool { return q.Len() == 0 }

// Full reports whether Len is Cap; a queue without a bound is never full.
func (q *Queue[T]) Full() bool { return q.max > 0 && q.Len() >= q.max }

func (q *Queue[T]) full() bool { return q.max > 0 && q.store.n >= q.max }

// forever is shared, so that calls without a limit copy none.
var forever = park.Forever()

func (q *Queue[T]) put(v T, l park.Limit) error { return q.putWithin(v, &l, false) }

// putWithin is put whose caller has told trace functions that it may wait, or
// not yet.
func (q *Queue[T]) putWithin(v T, l *park.Limit, told bool) error {
	q.getters.LockBackoff()
	if q.down {
		q.getters.Unlock()
		return ErrShutdown
	}
	if l.Canceled() { // before there was room, it may be
		q.getters.Unlock()
		return l.Err(nil)
	}
	g, in, panicked := q.accept(v)
	if in {
		q.getters.Unlock()
		if g != nil {
			g.Unpark()
			q.released()
		}
		return nil
	}
	if panicked != nil {
		q.getters.Unlock()
		panic(panicked)
	}
	if l.Expired() {
		q.getters.Unlock()
		return l.Err(ErrFull)
	}
	if !told && trace.Enabled() {
		q.getters.Unlock()
		var err error
		trace.Around(q, func() bool { err = q.putWithin(v, l, true); return err == nil }, nil)
		return err
	}
	c := q.enlist(&q.putters, &q.putSpin, l)
	c.v = v
	q.getters.Unlock()
	served := wait.Sleep(c.n, q.leavePutters, l)
	got, panicked := c.n.Got, c.panicked
	q.free(c)
	switch {
	case !served:
		return l.Err(ErrFull)
	case got == gotNothing:
		return ErrShutdown
	case got == gotPanic:
		panic(panicked)
	}
	return nil
}

func (q *Queue[T]) get(l park.Limit) (v T, err error) { return q.getWithin(&l, false) }

// getWithin is get whose caller has told trace functions that it may wait, or
// not yet.
func (q *Queue[T]) getWithin(l *park.Limit, told bool) (v T, err error) {
	q.getters.LockBackoff()
	if l.Canceled() { // before there was a value, it may be
		q.getters.Unlock()
		return v, l.Err(nil)
	}
	if q.store.n > 0 {
		v, putters, panicked := q.take()
		q.getters.Unlock()
		if panicked != nil {
			panic(panicked)
		}
		if putters != nil {
			q.wake(putters)
		}
		return v, nil
	}
	if q.down {
		q.getters.Unlock()
		return v, ErrShutdown
	}
	if l.Expired() {
		q.getters.Unlock()
		return v, l.Err(ErrEmpty)
	}
	if !told && trace.Enabled() {
		q.getters.Unlock()
		trace.Around(q, func() bool { v, err = q.getWithin(l, true); return err == nil }, nil)
		return v, err
	}
	c := q.enlist(&q.getters, &q.getSpin, l)
	q.getters.Unlock()
	served := wait.Sleep(c.n, q.leaveGetters, l)
	v, got := c.v, c.n.Got
	q.free(c)
	switch {
	case !served:
		return v, l.Err(ErrEmpty)
	case got == gotNothing:
		return v, ErrShutdown
	}
	return v, nil
}

func (q *Queue[T]) leavePutters(n *wait.Node) bool { return q.leave(&q.putters, n) }
func (q *Queue[T]) leaveGetters(n *wait.Node) bool { return q.leave(&q.getters, n) }

// accept reports whether there was a place for v, and returns the getter to
// wake if it was that one's; or what cmp has panicked with. The caller has the
// guard and has seen that the queue is not shut down.
func (q *Queue[T]) accept(v T) (g *wait.Node, in bool, panicked any) {
	if q.getters.Len() > 0 {
		if g = q.getters.Pop(); g != nil {
			g.Item.(*cell[T]).v = v
			g.Got = gotServed
			q.unfinished++
			return g, true, nil
		}
	}
	if q.full() {
		return nil, false, nil
	}
	if panicked = q.store.tryPush(v); panicked != nil {
		return nil, false, panicked
	}
	q.unfinished++
	return nil, true, nil
}

// take takes the next value out of the store, which has one, and lets the first
// putter's in. It returns the putters to wake: that one, and before it those
// whose values cmp has panicked over. If cmp panics over the value itself
// nothing is changed. The caller has the guard.
func (q *Queue[T]) take() (v T, putters *wait.Node, panicked any) {
	if v, panicked = q.store.tryPop(); panicked != nil {
		return v, nil, panicked
	}
	last := &putters
	for {
		p := q.putters.Pop()
		if p == nil { // none, or none whose context is not done
			break
		}
		*last = p
		last = p.NextLink()
		c := p.Item.(*cell[T])
		if c.panicked = q.store.tryPush(c.v); c.panicked == nil {
			p.Got = gotServed
			q.unfinished++
			break
		}
		p.Got = gotPanic
	}
	return v, putters, nil
}

// wake wakes first and those behind it, which know from Got how it went.
func (q *Queue[T]) wake(first *wait.Node) {
	for n := first; n != nil; {
		next := n.Next()
		n.Unpark()
		n = next
	}
	if first != nil {
		q.released()
	}
}

// enlist puts a new waiter into w. The caller has the guard.
func (q *Queue[T]) enlist(w *wait.ObjectQueue, spin *park.Spinner, l *park.Limit) *cell[T] {
	c, _ := q.cells.Get().(*cell[T])
	if c == nil {
		c = &cell[T]{n: new(wait.Node)}
		c.n.Item = c
	}
	c.n.Renew(spin, l)
	w.PushBack(c.n)
	return c
}

func (q *Queue[T]) free(c *cell[T]) {
	var zero T
	c.v, c.panicked = zero, nil
	q.cells.Put(c)
}

func (q *Queue[T]) leave(w *wait.ObjectQueue, n *wait.Node) bool {
	q.getters.Lock()
	defer q.getters.Unlock()
	return w.Remove(n)
}

func (q *Queue[T]) released() { trace.Released(q) }

// noCopy makes vet's copylocks see a type that must not be copied.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
