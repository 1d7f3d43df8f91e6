package queue

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// One guard, mu, protects all fields but the ends of the ring, by which Put and
// Get do without it (ends.go). Invariants, whenever mu is unlocked:
//
//	getters wait    only while the store is empty and the queue is not shut down; a notify-only WaitAll may wait at any time
//	putters wait    only while the store is full and the queue is not shut down
//	joiners wait    only while undone is not 0: the number of values that were put and not marked done
//
// Values are handed off. A Put that finds a getter writes its value into the
// first getter's cell. A Get that finds putters takes a value and moves the
// first putter's value into the store. So a woken waiter has its result, cannot
// be overtaken, and does not lock mu again. A waiter whose limit has ended
// does: if its node is no longer in the list, its value has been handed off,
// and the call succeeds.
//
// Shutdown removes all nodes and leaves gotNothing in them: a putter's value is
// not in the queue, and Put returns ErrShutdown.
//
// A Put synchronizes before the Get that returns its value by mu, or by the
// wakeup (internal/park).

// A Queue passes values between threads and goroutines. The zero value is an
// unbounded first-in-first-out queue. It must not be copied after first use.
// Any thread or goroutine may call any method.
//
// Waiters are served in the order of their arrival. In the terms of the Go
// memory model, a Put synchronizes before the return of the Get that gets its
// value, and a TaskDone before the return of the Join that it ends.
type Queue[T any] struct {
	max      int
	down     bool
	open     bool   // the ends; see ends.go, where the fields below are, too
	calmly   int    // operations without a wait
	puts     uint64 // values that were ever put
	reserved int    // values that a WaitAll has set aside while it holds mu
	store    store[T]
	getters  wait.ObjectQueue
	putters  wait.List
	joiners  wait.List
	getSpin  park.Spinner
	putSpin  park.Spinner
	cells    sync.Pool // of *cell[T]

	_     [64]byte
	dones atomic.Uint64
	_     [64]byte
	tail  end[T]
	head  end[T]
}

// A cell is the node of a getter or putter and the value that is handed off.
// The node's Item is the cell.
type cell[T any] struct {
	wait.Node
	v        T
	panicked any // what cmp panicked with when v was to be stored
}

// The outcome of a wait, in Node.Got.
const (
	gotNothing = iota // the queue was shut down
	gotServed         // v was handed off, unless panicked is set
)

// Whether trace functions have been notified that a call may block.
type tracing bool

const (
	untraced tracing = false
	traced   tracing = true
)

// mu is the guard of getters, which WaitAny locks together with other guards.
func (q *Queue[T]) mu() *wait.Guard { return &q.getters.Guard }

// New returns a first-in-first-out queue for at most max values; max <= 0 means
// no bound.
func New[T any](max int) *Queue[T] { return &Queue[T]{max: max} }

// NewLIFO returns a last-in-first-out queue for at most max values; max <= 0
// means no bound.
func NewLIFO[T any](max int) *Queue[T] {
	return &Queue[T]{max: max, store: store[T]{order: lifo}}
}

// NewPriority returns a queue for at most max values that returns the least
// value by cmp first; equal values come out in the order in which they were
// put. max <= 0 means no bound. cmp returns a negative number, 0, or a positive
// number if a sorts before, equal to, or after b, as cmp.Compare does.
//
// cmp runs while the queue is locked: it must be quick, must not call methods
// of the queue other than String, and must not call runtime.Goexit. If it
// panics, so does the Put whose value was to be stored, or the Get, and the
// queue is unchanged. A batch stops there: GetN and Drain return the values
// before it, PutAll their number.
//
// NewPriority panics with an error that is ErrNoCmp if cmp is nil.
func NewPriority[T any](max int, cmp func(a, b T) int) *Queue[T] {
	if cmp == nil {
		panic(misuse("NewPriority", ErrNoCmp))
	}
	return &Queue[T]{max: max, store: store[T]{order: priority, cmp: cmp}}
}

// Put puts v, sleeping while the queue is full. It returns ErrShutdown, and v
// is not in the queue, if the queue is shut down before there is room.
func (q *Queue[T]) Put(v T) error { return q.put(v, &unlimited, untraced) }

// TryPut is PutTimeout(v, 0).
func (q *Queue[T]) TryPut(v T) error { return q.putLimit(v, park.For(0)) }

// PutTimeout is Put for at most d, then it returns ErrFull.
func (q *Queue[T]) PutTimeout(v T, d time.Duration) error { return q.putLimit(v, park.For(d)) }

// PutContext is Put until ctx is done, then it returns the cause of ctx.
func (q *Queue[T]) PutContext(ctx context.Context, v T) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	return q.putLimit(v, l)
}

// Get takes the next value, sleeping while the queue is empty. It returns
// ErrShutdown once the queue is shut down and empty.
func (q *Queue[T]) Get() (T, error) { return q.get(&unlimited, untraced) }

// TryGet is GetTimeout(0).
func (q *Queue[T]) TryGet() (T, error) { return q.getLimit(park.For(0)) }

// GetTimeout is Get for at most d, then it returns ErrEmpty.
func (q *Queue[T]) GetTimeout(d time.Duration) (T, error) { return q.getLimit(park.For(d)) }

// GetContext is Get until ctx is done, then it returns the cause of ctx.
func (q *Queue[T]) GetContext(ctx context.Context) (v T, err error) {
	l, err := park.Until(ctx)
	if err != nil {
		return v, err
	}
	return q.getLimit(l)
}

// All ranges over the values that Get returns, until the queue is shut down and
// empty.
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

// Tasks is All that calls TaskDone for each value when the loop body has
// returned, or when it leaves the loop by break, return, a panic or
// runtime.Goexit. The body must not call TaskDone for it.
func (q *Queue[T]) Tasks() iter.Seq[T] {
	return func(yield func(T) bool) {
		q.All()(func(v T) bool {
			defer q.TaskDone()
			return yield(v)
		})
	}
}

// Len returns the number of values in the queue.
func (q *Queue[T]) Len() int {
	q.mu().Lock()
	defer q.mu().Unlock()
	return q.len()
}

// Cap returns the bound, 0 for none.
func (q *Queue[T]) Cap() int { return max(q.max, 0) }

// Empty reports whether Len is 0.
func (q *Queue[T]) Empty() bool { return q.Len() == 0 }

// Full reports whether Len is Cap; an unbounded queue is never full.
func (q *Queue[T]) Full() bool { return q.max > 0 && q.Len() >= q.max }

// unlimited is shared, so that calls without a limit copy none.
var unlimited = park.Unlimited()

func (q *Queue[T]) putLimit(v T, l park.Limit) error       { return q.put(v, &l, untraced) }
func (q *Queue[T]) getLimit(l park.Limit) (v T, err error) { return q.get(&l, untraced) }

func (q *Queue[T]) put(v T, l *park.Limit, t tracing) (err error) {
	if q.tryPut(v, l) {
		return nil
	}
	q.lock()
	if q.down || l.Canceled() {
		return q.giveUp(l, ErrFull)
	}
	getter, stored, panicked := q.accept(v)
	if stored {
		q.calm()
		q.mu().Unlock()
		q.wake(getter)
		return nil
	}
	if panicked != nil {
		q.mu().Unlock()
		panic(panicked)
	}
	if l.Expired() {
		return q.giveUp(l, ErrFull)
	}
	if t == untraced && trace.Enabled() {
		q.mu().Unlock()
		trace.Around(q, func() bool { err = q.put(v, l, traced); return err == nil }, nil)
		return err
	}
	q.calmly = 0
	c := q.newCell(&q.putSpin, v, l)
	q.putters.PushBack(&c.Node)
	served := c.CanParkUnder(l)
	if served {
		c.ParkUnder(q.mu())
	} else {
		served = wait.UnlockAndSleep(q.mu(), &c.Node, q.leavePutters, l)
	}
	_, err = q.outcome(c, served, l, ErrFull)
	return err
}

func (q *Queue[T]) get(l *park.Limit, t tracing) (v T, err error) {
	if v, ok := q.tryGet(l); ok {
		q.took(1)
		return v, nil
	}
	q.lock()
	if q.store.n > 0 && !l.Canceled() {
		var putters wait.Chain
		v, panicked := q.take(&putters)
		q.calm()
		q.mu().Unlock()
		if panicked != nil {
			panic(panicked)
		}
		q.wake(putters.Head())
		q.took(1)
		return v, nil
	}
	if q.down || l.Expired() {
		return v, q.giveUp(l, ErrEmpty)
	}
	if t == untraced && trace.Enabled() {
		q.mu().Unlock()
		trace.Around(q, func() bool { v, err = q.get(l, traced); return err == nil }, nil)
		return v, err
	}
	q.calmly = 0
	c := q.newCell(&q.getSpin, v, l)
	q.getters.PushBack(&c.Node)
	served := c.CanParkUnder(l)
	if served {
		c.ParkUnder(q.mu())
	} else {
		served = wait.UnlockAndSleep(q.mu(), &c.Node, q.leaveGetters, l)
	}
	v, err = q.outcome(c, served, l, ErrEmpty)
	if err == nil {
		q.took(1)
	}
	return v, err
}

// took notes in watch mode that the caller has taken n values, which are
// unfinished.
func (q *Queue[T]) took(n int) {
	if watch.On && n > 0 {
		watch.Acquired(q, watch.Tasks, n)
	}
}

// giveUp unlocks mu and returns the error of a call that neither succeeds nor
// sleeps.
func (q *Queue[T]) giveUp(l *park.Limit, timeout error) error {
	down := q.down && !l.Canceled()
	q.mu().Unlock()
	if down {
		return ErrShutdown
	}
	return l.Err(timeout)
}

// newCell returns the cell of a waiter, a putter's with its value.
func (q *Queue[T]) newCell(spin *park.Spinner, v T, l *park.Limit) *cell[T] {
	c, _ := q.cells.Get().(*cell[T])
	if c == nil {
		c = new(cell[T])
		c.Item = c
	}
	c.v = v
	c.Renew(spin, l)
	c.For = q
	return c
}

// outcome returns the result of a wait and frees c.
func (q *Queue[T]) outcome(c *cell[T], served bool, l *park.Limit, timeout error) (v T, err error) {
	got, result, panicked := c.Got, c.v, c.panicked
	c.v, c.panicked = v, nil
	q.cells.Put(c)
	switch {
	case !served:
		return v, l.Err(timeout)
	case got == gotNothing:
		return v, ErrShutdown
	case panicked != nil:
		panic(panicked)
	}
	return result, nil
}

func (q *Queue[T]) leaveGetters(n *wait.Node) bool { return q.leave(&q.getters, n) }
func (q *Queue[T]) leavePutters(n *wait.Node) bool { return q.leave(&q.putters, n) }
func (q *Queue[T]) leaveJoiners(n *wait.Node) bool { return q.leave(&q.joiners, n) }

func (q *Queue[T]) leave(w interface{ Remove(*wait.Node) bool }, n *wait.Node) bool {
	q.mu().Lock()
	defer q.mu().Unlock()
	return w.Remove(n)
}

// accept hands v off to the first getter, which it returns, or stores v if
// there is room. It reports whether it did either; if not because cmp panicked,
// panicked is what with. The caller holds mu; the queue is not shut down.
func (q *Queue[T]) accept(v T) (getter *wait.Node, stored bool, panicked any) {
	if q.getters.Len() > 0 {
		getter = q.getters.Pop()
	}
	switch {
	case getter != nil:
		getter.Item.(*cell[T]).v = v
		getter.Got = gotServed
		q.store.front++ // the value passes through the ring
	case q.max > 0 && q.store.n >= q.max:
		return nil, false, nil
	default:
		if panicked = q.store.push(v); panicked != nil {
			return nil, false, panicked
		}
	}
	q.puts++
	return getter, true, nil
}

// take takes the next value out of the store, which has one, and stores the
// first putter's value in its place. It adds to woken the putters to wake: that
// one, and before it those over whose values cmp panicked. If cmp panics over
// the value that is taken, nothing changes. The caller holds mu.
func (q *Queue[T]) take(woken *wait.Chain) (v T, panicked any) {
	if v, panicked = q.store.pop(); panicked != nil || q.putters.Len() == 0 {
		return v, panicked
	}
	for p := q.putters.Pop(); p != nil && !q.storeOf(p, woken); {
		p = q.putters.Pop()
	}
	return v, nil
}

// storeOf stores the value of the putter p, which is no longer in the list, and
// adds p to woken. It reports whether it did; if not because cmp panicked.
func (q *Queue[T]) storeOf(p *wait.Node, woken *wait.Chain) bool {
	c := p.Item.(*cell[T])
	p.Got = gotServed
	woken.PushBack(p)
	if c.panicked = q.store.push(c.v); c.panicked != nil {
		return false
	}
	q.puts++
	return true
}

// wake wakes the waiters of the chain first, which may be empty.
func (q *Queue[T]) wake(first *wait.Node) {
	if first != nil {
		wait.Wake(first)
		trace.Released(q)
	}
}
