package osthread

import (
	"context"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/watch"
)

// Models: verify/waitany.pml, verify/waitall.pml.
//
// WaitAny is in all queues at once, with one parker (wait.Set). A waker must
// win the set first, which one swap decides; so exactly one object gives, and
// all others skip the node. With futex_waitv alone the second wakeup would be
// swallowed, and a plain waiter would sleep on.
//
// WaitAll takes all or nothing. It locks the guards of all objects, in the
// order of their addresses, checks all, and takes from all if it can. If not it
// waits for one that has nothing, as a notify-only waiter, and checks again.
// One WaitAll is notified at a time: if it leaves something it notifies the
// next. A Semaphore reserves the permits that it has notified a WaitAll of.

// A Waitable is what WaitAny and WaitAll wait for: an *[Event] that is set,
// which an AutoReset one then clears; a *[Semaphore], for one permit; a
// *[Thread] or *[Timer], for the end of its function, a little before Join
// returns, even if it is still to be started; or a GetOp of package queue, for
// the next value of a queue.
type Waitable interface {
	// WaitSource is for WaitAny and WaitAll alone.
	WaitSource() wait.Source
}

func queueOf(w Waitable) *wait.ObjectQueue { return w.WaitSource().Queue() }

// lock locks the guard of s's queue, and for a semaphore stops all other
// access.
func lock(s wait.Source) {
	if s, ok := s.(*semaphoreSource); ok {
		(*Semaphore)(s).lock()
		return
	}
	s.Queue().Lock()
}

// unlock undoes lock.
func unlock(s wait.Source) {
	if s, ok := s.(*semaphoreSource); ok {
		(*Semaphore)(s).unlock(s.queue())
		return
	}
	s.Queue().Unlock()
}

// received ends a wait for w, with n if w's waker has given something with it.
func received(w Waitable, n *wait.Node) {
	if r, ok := w.WaitSource().(wait.Receiver); ok {
		r.Received(n)
	}
}

// enqueue puts n into w's queue, whose guard the caller holds.
func enqueue(w Waitable, n *wait.Node) {
	if r, ok := w.WaitSource().(wait.Receiver); ok {
		r.Prepare(n)
	}
	queueOf(w).PushBack(n)
}

// WaitAny waits until it can take from one of ws, does so, and returns the
// index. If there are several it takes from the first of them. It takes nothing
// from the others. It panics with an error that is [ErrCount] if ws is empty.
func WaitAny(ws ...Waitable) int {
	if len(ws) == 0 {
		panic(misuse("WaitAny", ErrCount))
	}
	return waitAnyUnwinding(unlimited, ws)
}

// TryWaitAny is WaitAnyTimeout(0, ws...).
func TryWaitAny(ws ...Waitable) int { return WaitAnyTimeout(0, ws...) }

// WaitAnyTimeout is WaitAny for at most d; past that, and with no ws, it
// returns -1 and has taken nothing.
func WaitAnyTimeout(d time.Duration, ws ...Waitable) int {
	if len(ws) == 0 {
		return -1
	}
	return waitAnyUnwinding(park.For(d).Unwinding(), ws)
}

// WaitAnyContext is WaitAny until ctx is done; it then returns -1 and ctx's
// cause, and has taken nothing.
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
// then it takes nothing, so two callers that wait for the same objects cannot
// deadlock; but callers that want less may be served repeatedly before it. If
// WaitAll lacks only a [Semaphore], that serves it in the order in which
// waiters came, as with Acquire. It takes twice from an object that is in ws
// twice. With no ws it returns at once.
func WaitAll(ws ...Waitable) { waitAllUnwinding(unlimited, ws) }

// TryWaitAll is WaitAllTimeout(0, ws...).
func TryWaitAll(ws ...Waitable) bool { return WaitAllTimeout(0, ws...) }

// WaitAllTimeout is WaitAll for at most d; past that it returns false and has
// taken nothing.
func WaitAllTimeout(d time.Duration, ws ...Waitable) bool {
	return waitAllUnwinding(park.For(d).Unwinding(), ws)
}

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

// waitAnyUnwinding and waitAllUnwinding are waitAny and waitAll for calls that
// return no error.
func waitAnyUnwinding(l park.Limit, ws []Waitable) (winner int) {
	winner = waitAny(l, ws)
	if winner < 0 {
		l.Unwind()
	}
	return winner
}

func waitAllUnwinding(l park.Limit, ws []Waitable) (taken bool) {
	taken = waitAll(l, ws)
	if !taken {
		l.Unwind()
	}
	return taken
}

func waitAny(l park.Limit, ws []Waitable) (winner int) {
	winner = waitAnyUnnoted(l, ws)
	if winner >= 0 {
		noteTaken(ws[winner : winner+1])
	}
	return winner
}

// noteTaken notes in watch mode that the caller has taken from all of ws.
func noteTaken(ws []Waitable) {
	if !watch.On {
		return
	}
	for _, w := range ws {
		if s, ok := w.(*Semaphore); ok {
			s.acquired(1)
		} else if s, ok := w.WaitSource().(interface{ Taken() }); ok { // a queue's
			s.Taken()
		}
	}
}

func waitAnyUnnoted(l park.Limit, ws []Waitable) (winner int) {
	if i := takeAny(&l, ws); i >= 0 {
		return i
	}
	if l.Expired() {
		return -1
	}
	if i := spinAny(&l, ws); i >= 0 {
		return i
	}
	if trace.Enabled() {
		span := trace.Block(ws)
		defer func() { span.Resume(winner >= 0, func() { undo(ws[winner]) }) }()
	}
	return waitAnyQueued(&l, ws)
}

// takeAny takes from the first of ws that has something, and returns its index,
// or -1.
func takeAny(l *park.Limit, ws []Waitable) int {
	for i, w := range ws {
		if l.Canceled() {
			return -1
		}
		if s, ok := w.(*Semaphore); ok { // without the guard
			if s.try(1) {
				return i
			}
			continue
		}
		s := w.WaitSource()
		lock(s)
		ready := s.Ready()
		if ready {
			s.Take()
			received(w, nil)
		}
		unlock(s)
		if ready {
			return i
		}
	}
	return -1
}

// spinAny is takeAny again, on a thread of its own, for about as long as a
// sleep and a wakeup cost. In a bubble of testing/synctest no time passes.
func spinAny(l *park.Limit, ws []Waitable) int {
	if !park.CanSpin() || !park.OnThread() {
		return -1
	}
	began := futex.Now()
	for range threadSpins {
		if futex.Now()-began > spinTime {
			break
		}
		park.Pause(spinnerPause)
		if i := takeAny(l, ws); i >= 0 {
			return i
		}
	}
	return -1
}

// undo undoes a wait that has taken something from w, if that is possible: the
// value of a queue stays with its GetOp.
func undo(w Waitable) {
	switch s := w.WaitSource().(type) {
	case *eventSource:
		(*Event)(s).undo()
	case *semaphoreSource:
		(*Semaphore)(s).undo(1)
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
	received(ws[winner], s.Node(winner))
	return winner
}

// newSet prepares s for a wait for ws.
func newSet(s *wait.Set, ws []Waitable) *wait.Set {
	s.For(ws)
	for _, w := range ws {
		if e, ok := w.WaitSource().(*eventSource); ok && e.byThread {
			s.ByThread()
		}
	}
	return s
}

// enlist puts n into w's queue. If w can give at once, n's set wins from it; or
// done says that another waker has won the set.
func enlist(w Waitable, n *wait.Node) (won, done bool) {
	s := w.WaitSource()
	lock(s)
	defer unlock(s)
	if !s.Ready() {
		enqueue(w, n)
		return false, false
	}
	if !n.Win() {
		return false, true
	}
	s.Take()
	received(w, nil)
	return true, true
}

// remove takes n out of w's queue, if it is there. The waiters behind it may
// want less of a semaphore.
func remove(w Waitable, n *wait.Node) {
	if s, ok := w.(*Semaphore); ok {
		s.leave(n)
		return
	}
	q := queueOf(w)
	q.Lock()
	q.Remove(n)
	q.Unlock()
}

func waitAll(l park.Limit, ws []Waitable) bool {
	taken := waitAllUnnoted(l, ws)
	if taken && len(ws) != 1 { // waitAny has noted a single one
		noteTaken(ws)
	}
	return taken
}

func waitAllUnnoted(l park.Limit, ws []Waitable) (taken bool) {
	sources := make([]wait.Source, len(ws))
	for i, w := range ws {
		sources[i] = w.WaitSource()
	}
	for _, w := range ws {
		s, ok := w.(*Semaphore)
		if ok && int64(len(ws)) > s.most() && times(w, ws) > uint64(s.most()) {
			return s.acquire("WaitAll", int(s.most())+1, &l) // which fails, or panics
		}
	}
	sources = wait.Sort(sources)
	if len(ws) == 1 {
		return waitAny(l, ws) == 0
	}
	if trace.Enabled() {
		span := trace.Block(ws)
		defer func() {
			span.Resume(taken, func() {
				for _, w := range ws {
					undo(w)
				}
			})
		}()
	}
	return waitAllQueued(&l, sources, ws)
}

func waitAllQueued(l *park.Limit, sources []wait.Source, ws []Waitable) bool {
	var s *wait.Set
	var missing Waitable // what it waits for, or has waited for
	for {
		for _, s := range sources {
			lock(s)
		}
		var reserving *Semaphore
		notified := false
		if missing != nil {
			reserving, notified = leaveNotified(missing, s.Node(0))
		}
		giveUp := l.Canceled() // perhaps before all could be taken
		was := missing
		if !giveUp {
			missing = takeAll(ws, reserving)
			giveUp = missing != nil && l.Expired()
		}
		done := giveUp || missing == nil
		var next *wait.Node
		if was != nil { // before n is put back, or it would wake itself
			next = notifyNext(was, s.Node(0), notified)
		}
		if !done {
			if s == nil {
				s = newSet(wait.NewNotifyOnly(l), ws)
			}
			enqueueNotifyOnly(missing, s.Node(0), times(missing, ws), missing == was)
		}
		for _, s := range sources {
			unlock(s)
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

// enqueueNotifyOnly puts n, which wants that much of w, into w's queue; again,
// back at its old place. The caller holds the guard, as in leaveNotified and
// notifyNext.
func enqueueNotifyOnly(w Waitable, n *wait.Node, want uint64, again bool) {
	n.Key = want
	if again {
		queueOf(w).PutBack(n)
		return
	}
	enqueue(w, n)
}

// leaveNotified takes n out of w's queue and reports whether n had been
// notified. If so and w is a semaphore it returns that, which had reserved what
// n wants.
func leaveNotified(w Waitable, n *wait.Node) (reserving *Semaphore, notified bool) {
	if queueOf(w).Remove(n) {
		return nil, false
	}
	if s, ok := w.(*Semaphore); ok {
		s.queue().reserved -= int64(n.Key)
		return s, true
	}
	return nil, true
}

// notifyNext is called after a WaitAll that waited for w with n has checked its
// objects, and returns the chain to be woken without the guards. notified says
// that n was notified. The waiters in front of n have checked, and want more
// than there is: two of them would wake each other without end.
func notifyNext(w Waitable, n *wait.Node, notified bool) *wait.Node {
	if s, ok := w.(*Semaphore); ok {
		return s.queue().grant() // even waiters behind n, which may want less
	}
	if notified && w.WaitSource().Ready() {
		queueOf(w).NotifyNext(n)
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
// nothing. The caller holds all guards. It is the next waiter of reserving, if
// that is not nil.
func takeAll(ws []Waitable, reserving *Semaphore) (missing Waitable) {
	for i, w := range ws {
		s, _ := w.(*Semaphore)
		if w.WaitSource().Ready() || s != nil && s == reserving && s.queue().available() >= 1 {
			w.WaitSource().Take()
			continue
		}
		for _, taken := range ws[:i] {
			taken.WaitSource().Untake()
		}
		return w
	}
	for _, w := range ws {
		received(w, nil)
	}
	return nil
}
