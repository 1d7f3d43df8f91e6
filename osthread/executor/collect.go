package executor

import (
	"context"
	"fmt"
	"iter"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
	"example.com/thread/internal/waitfor"
)

// A collector records the order in which futures are done. Only its owner
// sleeps on it. The guard is over the record and over node, which is set while
// the owner sleeps or is about to. The note that completes what the owner waits
// for takes node out, in the same critical section, and then wakes the owner.
// So the owner is woken once: a note before its check is seen by it, a later
// one finds node.

// A ReturnWhen says what Wait waits for.
type ReturnWhen uint8

const (
	AllCompleted   ReturnWhen = iota // all futures are done
	FirstCompleted                   // one future is done
	// FirstError: one future has finished with an error (a cancelled one does
	// not count), or all are done.
	FirstError
)

// An AnyFuture is a *Future[T] of any T.
type AnyFuture interface {
	Cancel() bool
	Cancelled() bool
	Running() bool
	IsDone() bool
	State() State
	Done() <-chan struct{}
	base() *task
}

type collector struct {
	tasks    []*task // nil: already yielded
	byThread bool    // a pool completes one of them
	notes    []note  // of tasks

	guard  wait.Guard
	order  []int // of tasks, as they were done
	failed bool
	looked bool // the owner's; see deadlocks
	want   int  // the owner waits for as many in order
	errs   bool // or for failed
	node   *wait.Node
}

// collect makes a collector of fs, each once. It records first what is already
// done. The caller ends it by stop.
func collect[F AnyFuture](fs []F) (c *collector, unique []F) {
	c = &collector{order: make([]int, 0, len(fs))}
	seen := make(map[*task]bool, len(fs))
	for _, f := range fs {
		if t := f.base(); !seen[t] {
			seen[t] = true
			unique = append(unique, f)
			c.tasks = append(c.tasks, t)
			c.byThread = c.byThread || t.pool != nil
		}
	}
	c.notes = make([]note, len(unique))
	var pending []int
	for i, t := range c.tasks {
		if t.isDone() {
			c.note(i)
		} else {
			pending = append(pending, i)
		}
	}
	for _, i := range pending {
		c.notes[i].collector, c.notes[i].index = c, i
		if !c.tasks[i].addNote(&c.notes[i]) {
			c.note(i)
		}
	}
	return c, unique
}

func (c *collector) stop() {
	for i, t := range c.tasks {
		if t != nil {
			t.removeNote(&c.notes[i])
		}
	}
}

// note records that the future with number i is done.
func (c *collector) note(i int) {
	t := c.tasks[i]
	failed := t.load() == Finished && t.err != nil
	c.guard.Lock()
	c.order = append(c.order, i) // there is room for all
	c.failed = c.failed || failed
	var n *wait.Node
	if c.node != nil && c.enough() {
		n, c.node = c.node, nil
	}
	c.guard.Unlock()
	if n != nil {
		n.Unpark()
	}
}

// enough reports whether the owner's wait is over. The caller has the guard.
func (c *collector) enough() bool {
	return len(c.order) >= c.want || c.errs && c.failed
}

// await waits until want futures are done, or if errs is set until one has
// failed, and returns nil; l's error if that ends it; or ErrDeadlock if it
// cannot come true before the caller continues.
func (c *collector) await(want int, errs bool, l *park.Limit, obj any) error {
	c.guard.Lock()
	c.want, c.errs = want, errs
	enough := c.enough()
	c.guard.Unlock()
	switch {
	case enough:
		return nil
	case l.Expired():
		return l.Err(ErrTimeout)
	}
	if trace.Enabled() {
		defer trace.Block(obj).Resume(false, nil)
	}
	if here := waitfor.Here(); here != nil {
		if c.deadlocks(here, l) {
			return ErrDeadlock
		}
		defer here.Resume()
	}
	n := wait.New(nil, l)
	defer n.Free()
	n.For = obj
	if c.byThread {
		n.ByThread()
	}
	c.guard.Lock()
	if c.enough() {
		c.guard.Unlock()
		return nil
	}
	c.node = n
	c.guard.Unlock()
	if !wait.Sleep(n, c.leave, l) {
		return l.Err(ErrTimeout)
	}
	return nil
}

func (c *collector) leave(*wait.Node) bool {
	c.guard.Lock()
	defer c.guard.Unlock()
	left := c.node != nil
	c.node = nil
	return left
}

// take returns the number of the future that was the k-th to be done, and drops
// it.
func (c *collector) take(k int) int {
	c.guard.Lock()
	i := c.order[k]
	c.guard.Unlock()
	c.tasks[i] = nil // its note has been used, or was never given
	return i
}

// Wait waits until as many of fs are done as when says, and returns the futures
// that are done and those that are not, each in the order of fs and without
// duplicates (Python: concurrent.futures.wait). Pass futures of several types
// as AnyFuture: Wait[AnyFuture](FirstCompleted, f, g). Without fs it returns at
// once. Wait and its variants panic with an error that is ErrInvalid if when is
// none of the constants.
//
// A wait that cannot end panics with an error that is ErrDeadlock: one for the
// future of the calling function, or for futures that can run only on threads
// that wait for the caller; see Future.Result.
func Wait[F AnyFuture](when ReturnWhen, fs ...F) (done, notDone []F) {
	l := park.Unlimited().Unwinding()
	done, notDone, err := waitFor(when, fs, l, nil)
	if err != nil {
		l.Unwind()
		panic(fmt.Errorf("executor: Wait: %w", err))
	}
	return done, notDone
}

// TryWait is WaitTimeout(0, when, fs...).
func TryWait[F AnyFuture](when ReturnWhen, fs ...F) (done, notDone []F) {
	return WaitTimeout(0, when, fs...)
}

// WaitTimeout is Wait for at most d. A timeout is not an error.
func WaitTimeout[F AnyFuture](d time.Duration, when ReturnWhen, fs ...F) (done, notDone []F) {
	l := park.For(d).Unwinding()
	done, notDone, err := waitFor(when, fs, l, nil)
	if err != nil {
		l.Unwind()
	}
	return done, notDone
}

// WaitContext is Wait until ctx is done; it then also returns ctx's cause. For
// the future of the calling function it returns ErrDeadlock at once.
func WaitContext[F AnyFuture](ctx context.Context, when ReturnWhen, fs ...F) (done, notDone []F, err error) {
	l, late := park.Until(ctx)
	return waitFor(when, fs, l, late)
}

// waitFor does not wait if late is set, the error of a limit that has ended.
func waitFor[F AnyFuture](when ReturnWhen, fs []F, l park.Limit, late error) (done, notDone []F, err error) {
	if when > FirstError {
		panic(invalid("Wait: %d", when))
	}
	c, unique := collect(fs)
	defer c.stop()
	want := len(unique)
	if when == FirstCompleted {
		want = min(1, want)
	}
	if err = late; err == nil {
		err = c.await(want, when == FirstError, &l, fs)
	}
	if err == nil && l.Canceled() {
		err = l.Err(nil)
	}
	for _, f := range unique {
		if f.IsDone() {
			done = append(done, f)
		} else {
			notDone = append(notDone, f)
		}
	}
	return done, notDone, err
}

// AsCompleted ranges over fs in the order in which they are done, without
// duplicates; those that are already done come first, in the order of fs
// (Python: as_completed). It keeps no future that it has yielded, but the
// caller's fs does. If the rest cannot be done before the caller continues it
// panics with an error that is ErrDeadlock, see Wait.
func AsCompleted[F AnyFuture](fs ...F) iter.Seq[F] {
	return func(yield func(F) bool) {
		l := park.Unlimited().Unwinding()
		err := completed(fs, l, nil, func(f F) bool { return yield(f) })
		if err != nil {
			l.Unwind()
			panic(fmt.Errorf("executor: AsCompleted: %w", err))
		}
	}
}

// AsCompletedTimeout is AsCompleted for at most d from the call; past that it
// yields, last, a zero F and an error that is ErrTimeout and has the number of
// unfinished futures. With d <= 0 it yields what is done.
func AsCompletedTimeout[F AnyFuture](d time.Duration, fs ...F) iter.Seq2[F, error] {
	l := park.For(d)
	return func(yield func(F, error) bool) {
		withError(completed(fs, l, nil, func(f F) bool { return yield(f, nil) }), yield)
	}
}

// AsCompletedContext is AsCompleted until ctx is done; it then yields, last, a
// zero F and an error that is ctx's cause and has the number of unfinished
// futures. If ctx is already done it yields only that. If only the future of
// the calling function is left it yields ErrDeadlock.
func AsCompletedContext[F AnyFuture](ctx context.Context, fs ...F) iter.Seq2[F, error] {
	return func(yield func(F, error) bool) {
		l, late := park.Until(ctx)
		withError(completed(fs, l, late, func(f F) bool { return yield(f, nil) }), yield)
	}
}

// withError yields err, if there is one.
func withError[F any](err error, yield func(F, error) bool) {
	if err != nil {
		var none F
		yield(none, err)
	}
}

// completed yields fs as they are done, and returns nil, or if they are not the
// error. late is set if the limit has ended.
func completed[F AnyFuture](fs []F, l park.Limit, late error, yield func(F) bool) error {
	c, unique := collect(fs)
	defer c.stop()
	obj := any(unique) // not fs, which would keep what has been yielded
	for k := range unique {
		err := late
		if err == nil && l.Canceled() {
			err = l.Err(nil)
		}
		if err == nil {
			err = c.await(k+1, false, &l, obj)
		}
		if err == nil && l.Canceled() {
			err = l.Err(nil)
		}
		if err != nil {
			return fmt.Errorf("executor: %d (of %d) futures unfinished: %w", len(unique)-k, len(unique), err)
		}
		i := c.take(k)
		f := unique[i]
		var none F
		unique[i] = none
		if !yield(f) {
			return nil
		}
	}
	return nil
}
