//go:build !plan9

package shared

import (
	"context"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/waits"
)

// How a call of this package sleeps, until its limit has ended: the Go half of
// csrc/ost_os.h.
//
//	w := begin(object, &object.word, limit, pshared)
//	defer w.end()
//	for {
//		s := word.Load()
//		... take it, or:
//		if !w.sleep(&word, s) { one more attempt, then w.limit.err(call) }
//	}
//
// A wakeup may have been used up by a waiter whose limit ends at the same
// moment, so it tries once more after sleep has returned false.
//
// Waits are cut into slices, after each of which the loop above checks its
// word, in three cases: the object is shared between processes, one of which
// may be killed between its store and its wakeup, or once woken; the deadline
// is of a clock that jumps; or the caller asks for it, to see whether an owner
// is alive.

// slice is the longest sleep of a wait that is cut.
const slice = 100 * time.Millisecond

// wakeAll is the number of waiters to wake that means all.
const wakeAll = math.MaxInt32

// A limit bounds a wait: a park.Limit, or a Deadline.
type limit struct {
	park  park.Limit
	until *Deadline
}

func forever() limit               { return limit{park: park.Unlimited()} }
func within(d time.Duration) limit { return limit{park: park.For(d)} }
func untilTime(d Deadline) limit   { return limit{park: park.Unlimited(), until: &d} }

// err returns the error of a call whose wait l has ended.
func (l *limit) err(call string) error { return l.park.Err(failed(call, ErrTimeout)) }

// withContext returns the limit that ends with ctx, and its cause if it is
// done.
func withContext(ctx context.Context) (limit, error) {
	p, err := park.Until(ctx)
	return limit{park: p}, err
}

// A waiter is one call that waits.
type waiter struct {
	limit  limit
	shared bool
	slice  time.Duration // 0: not cut
	sleeps failures      // begun
	record *waits.Record

	stop   func() bool // of what wakes it when its context is done
	gaveUp *atomic.Bool
}

// begin returns the waiter for a call on an object whose waiters sleep on word.
// It is made once the call has found that it must sleep.
func begin(object any, word *uint32, l limit, pshared bool) waiter {
	w := waiter{limit: l, shared: pshared}
	recorded := l.park
	if l.until != nil {
		recorded = recorded.AtMost(0) // it ends by itself
	}
	rouse := rouseWord
	if pshared {
		rouse = rouseShared
	}
	w.record = park.BeginWait(object, unsafe.Pointer(word), &recorded, rouse)
	if pshared || l.until != nil {
		w.slice = slice
	}
	if l.park.Context() != nil {
		// The context wakes all sleepers there until this one has noticed: it
		// may be at any point between its check and its sleep.
		gaveUp := new(atomic.Bool)
		w.gaveUp = gaveUp
		w.stop = l.park.AfterDone(func() {
			for pause := 20 * time.Microsecond; !gaveUp.Load(); pause = min(2*pause, time.Millisecond) {
				wake(word, wakeAll, pshared)
				time.Sleep(pause)
			}
		})
	}
	return w
}

// The Rousers of a word wake all that sleep on it, of which the others sleep
// again.
func rouseWord(parker unsafe.Pointer) (again bool) {
	wake((*uint32)(parker), wakeAll, false)
	return true
}

func rouseShared(parker unsafe.Pointer) (again bool) {
	wake((*uint32)(parker), wakeAll, true)
	return true
}

// end ends the wait. It must be called.
func (w *waiter) end() {
	w.record.End()
	if w.stop != nil {
		w.gaveUp.Store(true)
		w.stop()
	}
}

// sleep sleeps on word while it holds old. It returns false once the limit has
// ended; otherwise it may return spuriously.
func (w *waiter) sleep(word *uint32, old uint32) bool {
	if w.canceled() {
		return false
	}
	result, last := w.sleepOnce(word, old)
	return !(last && result == futex.TimedOut) && !w.canceled()
}

// canceled reports whether the context is done, or the thread is canceled.
func (w *waiter) canceled() bool { return w.limit.park.Canceled() || w.limit.park.Asked() }

// sleepOnce sleeps on word while it holds old, for a slice at most. It returns
// how that ended, and whether the limit has ended if it timed out. It ignores
// context and cancellation. A process that changes the word, or wakes, all the
// time prevents the sleep: every 1,000 calls there is a nap.
func (w *waiter) sleepOnce(word *uint32, old uint32) (result futex.Result, last bool) {
	w.sleeps.pause()
	deadline, last := w.next()
	switch {
	case deadline == 0:
		return futex.TimedOut, true
	case w.shared:
		return park.SleepShared(word, old, deadline), last
	}
	return park.Sleep(word, old, deadline), last
}

// ended reports whether the limit has ended.
func (w *waiter) ended() bool {
	deadline, _ := w.next()
	return deadline == 0 || w.canceled()
}

// next returns when the next sleep must end, 0 if the limit has ended, and
// whether the wait ends with it.
func (w *waiter) next() (deadline int64, last bool) {
	left := w.limit.park.Left()
	if w.limit.until != nil {
		left = w.limit.until.left()
	}
	switch {
	case left <= 0:
		return 0, true
	case w.slice != 0 && left > w.slice:
		return futex.After(w.slice), false
	case left > math.MaxInt64/2: // a limit without a deadline
		return futex.Never, false
	}
	return futex.After(left), w.limit.until == nil
}

// wake wakes up to n callers that sleep on word, wakeAll for all.
func wake(word *uint32, n int, pshared bool) {
	if pshared {
		futex.WakeShared(word, n)
	} else {
		futex.Wake(word, n)
	}
}

// canShare reports whether objects can be shared between processes.
func canShare() bool { return futex.CanShare() }
