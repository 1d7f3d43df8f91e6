package osthread

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/internal/wait"
)

// A Lock, an RLock, an RWLock and a Semaphore are acquired in the same way.
// They allow barging: a newcomer may take what is free ahead of the queue.
// Handing it to a sleeper would leave it idle until the sleeper runs; all
// others would queue up behind it, and from then on each critical section would
// cost a wakeup (a lock convoy). So a waiter at the head of the queue is woken
// to retry:
//
//	newcomer --> spinning --> in the queue --+--> woken to retry --> in the queue, in front, ...
//	                                         \--> done (handoff)
//
// The head is handed what it waits for once it has waited for longer than
// starvationThreshold, or from the start if the primitive is fair.
//
// A waiter that was woken to retry tries once more before it checks its limit:
// its waker has left the rest to it. So acquire returns without the resource
// only after giveUp has let the next waiter in.

// A barged is a primitive that allows barging. The key says what the caller
// wants.
type barged interface {
	isFair() bool
	// try acquires key for a newcomer, without waiting.
	try(key uint64) bool
	// spin is try until the spin limit.
	spin(key uint64) bool
	// enqueue puts n into the queue and returns false, or acquires n.Key and
	// returns true. again says that n was woken to retry, which ends.
	enqueue(n *wait.Node, again bool) bool
	// retry acquires n.Key for a waiter that was woken to retry. If it returns
	// true the retry has ended.
	retry(n *wait.Node) bool
	// endHandoff is called by a waiter that was handed what it wants.
	endHandoff()
	// giveUp ends the retry of a waiter that has not acquired.
	giveUp(n *wait.Node)
	// leave takes n out of the queue and reports whether it was there.
	leave(n *wait.Node) bool
	// undo releases what was acquired.
	undo(key uint64)
}

// What a node of these was given when it was taken out of the queue.
const (
	gotNotice = iota // only the wakeup (Condition, Event)
	gotRetry         // it is woken to retry
	gotLock          // what it asked for
)

// The bounds of a wait. A spinner on a thread of its own spins for as long as a
// sleep and a wakeup cost; a goroutine, whose sleep costs less, for as long as
// sync.Mutex spins.
const (
	starvationThreshold = int64(time.Millisecond) // as in sync.Mutex
	threadSpins         = 40                      // about spinTime
	spinTime            = int64(18 * time.Microsecond)
	goSpins             = 4
	spinnerPause        = 30 // about 450 ns
	agingInterval       = 64 // unlocks per check of how long the head has waited

	// A waiter that was woken to retry runs within wakeupLate if a processor is
	// idle. Unlocks check that once in lateInterval.
	wakeupLate   = int64(10 * time.Microsecond)
	lateInterval = 8

	// sinceFair is the Since of a node that counts as starving from the start.
	// It is before any time of the clock, which in a bubble of testing/synctest
	// is negative.
	sinceFair = math.MinInt64 / 2
)

// These are shared, so that a call without a limit copies none.
var (
	forever   = park.Forever()               // of waits that must go on
	unlimited = park.Unlimited().Unwinding() // of calls without an error
)

// acquireUnlimited acquires key from p, or panics: see [park.Limit.Unwind].
func acquireUnlimited(p barged, key uint64) { acquire(p, key, &unlimited) }

// acquire acquires key from p, or returns false if l ends first, or panics. A
// request that has ended the wait, and that a function called by the wait has
// taken, ends nothing.
func acquire(p barged, key uint64, l *park.Limit) (acquired bool) {
	for {
		switch {
		case p.try(key):
			acquired = inTime(p, key, l)
		case l.Expired():
		case trace.LocksEnabled():
			acquired = acquireTraced(p, key, l)
		default:
			acquired = acquireBlocked(p, key, l)
		}
		if acquired {
			return true
		}
		if l.Unwind(); l.Expired() {
			return false
		}
	}
}

// acquireTraced is acquireBlocked with its events.
func acquireTraced(p barged, key uint64, l *park.Limit) (acquired bool) {
	span := trace.BlockLock(p)
	defer func() { span.Resume(acquired, func() { p.undo(key) }) }()
	return acquireBlocked(p, key, l)
}

// acquireBlocked is acquire for a caller that has tried once. It does not
// unwind.
func acquireBlocked(p barged, key uint64, l *park.Limit) bool {
	if p.isFair() || !p.spin(key) {
		n := wait.New(nil, l)
		n.Key = key
		acquired := acquireQueued(p, n, false, l)
		n.Free()
		if !acquired {
			return false
		}
	}
	return inTime(p, key, l)
}

// inTime reports whether the caller keeps key, which it has acquired: its
// context was perhaps done before key was free.
func inTime(p barged, key uint64, l *park.Limit) bool {
	if l.Canceled() {
		p.undo(key)
		return false
	}
	return true
}

// acquireTimeout is acquire for at most d.
func acquireTimeout(d time.Duration, p barged, key uint64) bool {
	l := park.For(d).Unwinding()
	return acquire(p, key, &l)
}

// acquireContext is acquire until ctx is done; it then returns ctx's cause.
func acquireContext(ctx context.Context, p barged, key uint64) error {
	l, err := park.Until(ctx)
	if err != nil {
		return err
	}
	if !acquire(p, key, &l) {
		return l.Err(nil)
	}
	return nil
}

// acquireQueued acquires n.Key from p with n, which is in no queue. again says
// that n was woken to retry.
func acquireQueued(p barged, n *wait.Node, again bool, l *park.Limit) bool {
	n.For = p
	if !again {
		n.Since = since(p.isFair())
	}
	for ; ; again = true {
		n.Contend()
		if p.enqueue(n, again) {
			return true
		}
		if !n.Served(n.ParkAs(n.OnThread(), l), p.leave) {
			return false
		}
		if n.Got == gotLock {
			p.endHandoff()
			return true
		}
		if p.retry(n) {
			return true
		}
		if l.Expired() {
			p.giveUp(n)
			return false
		}
	}
}

// since returns when a wait that starts now began.
func since(fair bool) int64 {
	if fair {
		return sinceFair
	}
	return futex.Now()
}

// starves reports whether n has waited for longer than starvationThreshold.
func starves(n *wait.Node) bool { return futex.Now()-n.Since > starvationThreshold }

// spinLimit returns how often the caller polls before it sleeps.
func spinLimit() int {
	switch {
	case !park.CanSpin():
		return 0
	case park.OnThread():
		return threadSpins
	default:
		return goSpins
	}
}

// poll calls try, at least once, until it returns ok, or closed because
// newcomers and retries acquire nothing, or until the spin limit. It pauses
// shortly at first, for critical sections that end soon, then as the spinner of
// a Lock does.
func poll(try func() (ok, closed bool)) bool {
	limit := spinLimit()
	for polls := 0; ; polls++ {
		if ok, closed := try(); ok || closed || polls >= limit {
			return ok
		}
		park.Pause(min(1<<min(polls, 5), spinnerPause))
	}
}

// retries counts the waiters of an RWLock that were woken to retry. They should
// get a processor soon; since and passed bound what happens if they do not.
type retries struct {
	out    int64         // under the guard
	since  int64         // when out was last 0; under the guard
	passed atomic.Uint32 // releases that left the rest to a retry
}

func (r *retries) give(n int64) {
	if r.out == 0 {
		r.since = futex.Now()
	}
	r.out += n
}

// pass reports whether a release may leave the rest to a retry. One of
// agingInterval may not.
func (r *retries) pass() bool { return r.passed.Add(1)%agingInterval != 0 }

// overdue reports whether a retry has lost its processor. The caller holds the
// guard.
func (r *retries) overdue() bool {
	return r.out > 0 && futex.Now()-r.since > starvationThreshold
}

// stepAside lets a waiter run that was woken long ago, on one processor. Go's
// scheduler would preempt the caller after 10 ms, but not while its monitor
// sleeps, which it does after all threads have slept (Go 1.26, sysmon in
// runtime/proc.go). So on one processor the flag that there are waiters stays
// set until the last retry has ended: otherwise no caller would get here.
func stepAside() {
	if park.OnOneP() {
		runtime.Gosched()
	}
}
