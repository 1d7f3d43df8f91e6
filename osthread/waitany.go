package osthread

import (
	"cmp"
	"context"
	"slices"
	"time"
	"unsafe"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// Models: verify/waitany.pml, verify/waitall.pml.
//
// WaitAny stands in all queues at once, with one place to sleep (wait.Set). A
// giver must win the set first, which one swap decides; so exactly one object
// gives, and all others pass it over as if it were not there. With futex_waitv
// alone a wakeup that comes second is swallowed, and a plain waiter sleeps on.
//
// WaitAll takes all or nothing: it has the guards of all objects, in the order
// of their addresses, looks at all, and takes all if all can be taken. If not
// it waits for one that cannot, is told when that changes, without taking
// anything, and looks again. One WaitAll is told at a time: if after its look
// there is still something it tells the next. A Semaphore reserves what it has
// told of for the look.

// A Waitable is what WaitAny and WaitAll wait for: an *Event that is set, which
// one with AutoReset takes back; a *Semaphore, for one permit; a *Thread or
// *Timer, for the end of its function, a little before Join returns, and also
// if it is still to be started; a GetOp of package queue, for the next value
// of a queue.
type Waitable interface {
	// queue's guard protects all that the others look at and change.
	queue() *wait.ObjectQueue
	// ready reports whether there is something to take for one who comes now.
	ready() bool
	take()
	untake()
	// foreign is nil for the types of this package.
	foreign() wait.Source
}

// A foreign Waitable stands for a type of another package of this module.
type foreign struct{ wait.Source }

func init() { wait.Waitable = func(s wait.Source) any { return foreign{s} } }

func (f foreign) queue() *wait.ObjectQueue { return f.Queue() }
func (f foreign) ready() bool              { return f.Ready() }
func (f foreign) take()                    { f.Take() }
func (f foreign) untake()                  { f.Untake() }
func (f foreign) foreign() wait.Source     { return f.Source }

// took tells w, of which a wait has taken something, and n, if w's side has
// written it down there.
func took(w Waitable, n *wait.Node) {
	if f := w.foreign(); f != nil {
		f.Took(n)
	}
}

// enqueue puts n into w's queue, whose guard the caller has.
func enqueue(w Waitable, n *wait.Node) {
	if f := w.foreign(); f != nil {
		f.Prepare(n)
	}
	w.queue().PushBack(n)
}

// WaitAny waits until one of ws gives what it has, and returns its index. If
// several can it takes the first of them. Nothing is taken from the others. It
// panics with an error that is ErrCount if there are none.
func WaitAny(ws ...Waitable) int {
	if len(ws) == 0 {
		panic(misuse("WaitAny", ErrCount))
	}
	return waitAny(park.Forever(), ws)
}

// TryWaitAny is WaitAnyTimeout(0, ws...).
func TryWaitAny(ws ...Waitable) int { return WaitAnyTimeout(0, ws...) }

// WaitAnyTimeout is WaitAny for at most d; past that, and with no ws, it
// returns -1 and has taken nothing. d <= 0 never sleeps.
func WaitAnyTimeout(d time.Duration, ws ...Waitable) int {
	if len(ws) == 0 {
		return -1
	}
	return waitAny(park.For(d), ws)
}

// WaitAnyContext is WaitAny until ctx is done; it then returns -1 and ctx's
// cause, and has taken nothing. If ctx is done already it does not look.
func WaitAnyContext(ctx context.Context, ws ...Waitable) (int, error) {
	l, err := park.Until(ctx)
	if err != nil {
		return -1, err
	}
	if i := waitAny(l, ws); i >= 0 {
		return i, nil
	}
	return -1, l.Err(nil)
}

// WaitAll waits until it can take from all of ws at once, and does so. Until
// then it takes nothing, so two that wait for the same cannot deadlock; but
// those who want less may be served again and again before. If all but one of
// ws have what it wants and that is a Semaphore, permits are given in the order
// in which waiters came, as with Acquire. What is given twice is taken from
// twice. With no ws it returns at once.
func WaitAll(ws ...Waitable) { waitAll(park.Forever(), ws) }

// TryWaitAll is WaitAllTimeout(0, ws...).
func TryWaitAll(ws ...Waitable) bool { return WaitAllTimeout(0, ws...) }

// WaitAllTimeout is WaitAll for at most d; past that it returns false and has
// taken nothing. d <= 0 never sleeps.
func WaitAllTimeout(d time.Duration, ws ...Waitable) bool { return waitAll(park.For(d), ws) }

// WaitAllContext is WaitAll until ctx is done; it then returns ctx's cause and
// has taken nothing. If ctx is done already it does not look.
func WaitAllContext(ctx context.Context, ws ...Waitable) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !waitAll(l, ws) {
		return l.Err(nil)
	}
	return nil
}

func waitAny(l park.Limit, ws []Waitable) int {
	for i, w := range ws {
		q := w.queue()
		q.Lock()
		if !l.Canceled() && w.ready() {
			w.take()
			took(w, nil)
			q.Unlock()
			return i
		}
		q.Unlock()
	}
	if l.Expired() {
		return -1
	}
	if !trace.Enabled() {
		return waitAnyQueued(&l, ws)
	}
	winner := -1
	trace.Around(ws, func() bool {
		winner = waitAnyQueued(&l, ws)
		return winner >= 0
	}, func() { giveBack(ws[winner]) })
	return winner
}

// giveBack undoes a wait that has taken something from w, where that can be
// undone: the value of a queue stays with its GetOp.
func giveBack(w Waitable) {
	switch w := w.(type) {
	case *Event:
		w.giveBack()
	case *Semaphore:
		w.Release(1)
	}
}

func waitAnyQueued(l *park.Limit, ws []Waitable) int {
	s := newSet(wait.NewSet(len(ws), l), ws)
	defer func() {
		for i, w := range ws {
			remove(w, s.Node(i))
		}
		s.Free()
	}()
	for i, w := range ws {
		if won, done := enlist(w, s.Node(i)); won {
			return i
		} else if done {
			break
		}
	}
	outcome := s.Park(l)
	winner := s.Close()
	if winner < 0 {
		return winner
	}
	if outcome != park.Unparked {
		l := park.Forever()
		s.Park(&l) // the wakeup of the winner is on its way
	}
	took(ws[winner], s.Node(winner))
	return winner
}

// newSet prepares s for a wait for ws.
func newSet(s *wait.Set, ws []Waitable) *wait.Set {
	for _, w := range ws {
		if e, ok := w.(*Event); ok && !e.byThread {
			continue
		}
		if _, ok := w.(*Semaphore); !ok && w.foreign() == nil {
			s.ByThread()
		}
	}
	return s
}

// enlist puts n into w's queue, or if w can give at once has it give to n's
// set. done says that somebody has given to the set.
func enlist(w Waitable, n *wait.Node) (won, done bool) {
	q := w.queue()
	q.Lock()
	defer q.Unlock()
	if !w.ready() {
		enqueue(w, n)
		return false, false
	}
	if !n.Win() {
		return false, true
	}
	w.take()
	took(w, nil)
	return true, true
}

// remove takes n out of w's queue, if it stands there. Behind it may be those
// who want less of a semaphore.
func remove(w Waitable, n *wait.Node) {
	q := w.queue()
	q.Lock()
	left := q.Remove(n)
	if s, ok := w.(*Semaphore); ok && left {
		s.letGo()
		return
	}
	q.Unlock()
}

func waitAll(l park.Limit, ws []Waitable) bool {
	queues := make([]*wait.ObjectQueue, len(ws))
	for i, w := range ws {
		queues[i] = w.queue()
	}
	for _, w := range ws {
		s, ok := w.(*Semaphore)
		if ok && s.bounded && len(ws) > s.most && times(w, ws) > uint64(s.most) {
			return s.acquire("WaitAll", s.most+1, l) // which it can never have
		}
	}
	address := func(q *wait.ObjectQueue) uintptr { return uintptr(unsafe.Pointer(q)) }
	slices.SortFunc(queues, func(a, b *wait.ObjectQueue) int { return cmp.Compare(address(a), address(b)) })
	queues = slices.Compact(queues)
	if len(ws) == 1 {
		return waitAny(l, ws) == 0
	}
	if !trace.Enabled() {
		return waitAllQueued(&l, queues, ws)
	}
	return trace.Around(ws, func() bool { return waitAllQueued(&l, queues, ws) }, func() {
		for _, w := range ws {
			giveBack(w)
		}
	})
}

func waitAllQueued(l *park.Limit, queues []*wait.ObjectQueue, ws []Waitable) bool {
	var s *wait.Set
	var missing Waitable // what it waits for, or waited for
	for {
		for _, q := range queues {
			q.Lock()
		}
		var turn *Semaphore
		told := false
		if missing != nil {
			turn, told = leaveTold(missing, s.Node(0))
		}
		giveUp := l.Canceled() // before all could be taken, it may be
		was := missing
		if !giveUp {
			missing = takeAll(ws, turn)
			giveUp = missing != nil && l.Expired()
		}
		done := giveUp || missing == nil
		var next *wait.Node
		if was != nil { // before it goes back, or it would wake itself
			next = tellNext(was, s.Node(0), told)
		}
		if !done {
			if s == nil {
				s = newSet(wait.NewNotifyOnly(l), ws)
			}
			awaitTold(missing, s.Node(0), times(missing, ws), missing == was)
		}
		for _, q := range queues {
			q.Unlock()
		}
		if next != nil {
			wait.Wake(next)
			trace.Released(was)
		}
		if done {
			if s != nil {
				s.Free()
			}
			return !giveUp
		}
		s.Park(l)
	}
}

// awaitTold puts n, which wants so much of w, into w's queue; or back to where
// it stood there. The caller has the guard, as in leaveTold and tellNext.
func awaitTold(w Waitable, n *wait.Node, want uint64, again bool) {
	n.Key = want
	if again {
		w.queue().PutBack(n)
		return
	}
	enqueue(w, n)
}

// leaveTold takes n out of w's queue and reports whether n had been told; if so
// and w is a semaphore it returns that, which keeps what n wants no more.
func leaveTold(w Waitable, n *wait.Node) (turn *Semaphore, told bool) {
	if w.queue().Remove(n) {
		return nil, false
	}
	if s, ok := w.(*Semaphore); ok {
		s.reserved -= int64(n.Key)
		return s, true
	}
	return nil, true
}

// tellNext is called after a WaitAll that waited for w with n has looked, and
// returns those to be woken with the guards open. told is for one that had been
// told. Those in front of n have looked, and want more than there is: two of
// them would wake each other without end.
func tellNext(w Waitable, n *wait.Node, told bool) *wait.Node {
	if s, ok := w.(*Semaphore); ok {
		return s.grant() // also those behind it, who may want less
	}
	if told && w.ready() {
		w.queue().NotifyNext(n)
	}
	return nil
}

// times returns how often w is among ws.
func times(w Waitable, ws []Waitable) (n uint64) {
	for _, other := range ws {
		if other == w {
			n++
		}
	}
	return n
}

// takeAll takes from all of ws, or takes nothing and returns one that has
// nothing. The caller has all guards. It has its turn with turn, if any.
func takeAll(ws []Waitable, turn *Semaphore) (missing Waitable) {
	for i, w := range ws {
		s, _ := w.(*Semaphore)
		if w.ready() || s != nil && s == turn && s.readyInTurn() {
			w.take()
			continue
		}
		for _, taken := range ws[:i] {
			taken.untake()
		}
		return w
	}
	for _, w := range ws {
		took(w, nil)
	}
	return nil
}
