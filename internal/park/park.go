// Package park puts blocked callers to sleep and wakes them.
//
// There are two kinds of callers, and each sleeps where its wakeup is cheapest:
//
//	caller                     sleeps                                     why, with two processors and two callers that alternate
//	a thread of ours or of C   spins, then on a futex, its P handed off   0.1 us spinning, 10 on the futex; in the scheduler, where a
//	                                                                      locked goroutine pays two more thread switches
//	                                                                      (golang/go#21827), 32
//	the same, GOMAXPROCS=1     on a futex, its P handed off; if more      one pair 20 us on the futex, 23 in the scheduler; four pairs 53
//	                           than a pair sleep, in the scheduler        and 40. No thread can run while one spins
//	an ordinary goroutine      in the Go scheduler                        0.1 us, and 100,000 sleepers cost no thread
//	the same, with a context   in a select on the context's channel       a callback of the context costs 0.5 us to register, 2 KB,
//	                                                                      and a goroutine when the context is done
//
// The function of [SetOnThread] distinguishes threads from goroutines. A
// goroutine that is locked to its thread counts as a thread, unless GOMAXPROCS
// is 1 ([LockedAndSpins]): one pair 29 us on the futex, 20 in the scheduler.
// The futex sleep hands its P off before it sleeps, not after sysmon's 20 us to
// 10 ms, and never delays a stop of the world. That rests on runtime functions
// reached by linkname, all in one file, sched_runtime.go. With the build tag
// portablepark, under -race, and on systems without futexes its twin
// sched_public.go uses public API alone, more slowly.
//
// # The state word
//
// A [Waiter] is the parker of one caller and holds at most one permit. Its word
// is a kind and, above it, the number of the sleep:
//
//	from          to                      by, when
//	empty         permit                  Unpark
//	permit        empty                   Park: it takes the permit
//	empty         onFutex                 Park, on a thread
//	empty         inScheduler             the scheduler, once a goroutine that only a wakeup ends is parked
//	empty         parking                 Park, in a goroutine: it then sets its deadline and, in a bubble, its context
//	empty         selecting               Park, in a goroutine with a context: it then sets its deadline
//	parking       inScheduler             the scheduler, once the goroutine is parked
//	any sleep     permit, and a wakeup    Unpark
//	any sleep     expired, and a wakeup   the deadline
//	any sleep     canceled, and a wakeup  the context; of selecting the owner, which is awake; a request to the thread
//	expired       permit                  Unpark, until Park has seen the timeout
//	any of these  empty                   Park, before it returns; the kind is the outcome
//
// The sleeps are onFutex, parking, inScheduler and selecting. parking needs no
// wakeup: the swap to inScheduler fails. The wakeup of selecting is a value in
// a channel with room for one. An owner whose select the context has ended
// takes the word out of the sleep itself; if that fails, the value is on its
// way, and the owner receives it. So the channel is empty whenever Park
// returns.
//
// The thread that takes the word out of a sleep, which one compare-and-swap
// decides, wakes the owner, exactly once. So a wakeup is neither lost nor sent
// twice: Unpark before the sleep leaves the permit, on which the
// compare-and-swap into the sleep fails; Unpark after it finds the sleep. The
// same holds for a deadline and a context, which are set only once the word
// shows the sleep. One that fires late carries the number of its sleep and so
// cannot end a later one. A request to the thread (internal/waits) ends the
// sleep that the word shows, while the record of the sleep keeps the owner from
// another one; the owner checks for one once the word shows its sleep.
//
// All accesses are sequentially consistent. Park's load or compare-and-swap
// that finds the permit pairs with Unpark's compare-and-swap, so Unpark
// synchronizes before the Park that returns [Unparked] for it.
//
// # Without the word
//
// A goroutine that waits for a wakeup alone needs no word, if its waker finds
// it under a guard: [Waiter.ParkUnder] keeps the guard locked until the
// scheduler has parked the goroutine, as a channel does with its lock. A waker
// that has locked the guard since then finds the goroutine asleep, and makes it
// ready.
// The store that unlocks the guard releases all that the owner has written, and
// the scheduler's own accesses order the waker before the owner's return. The
// owner must be known under the guard to sleep in this way (wait.Node.under).
// It saves three compare-and-swaps of a sleep and its wakeup. A deadline or a
// context, which ends a sleep without the guard, needs the word.
//
// Model: verify/park.pml.
package park

import (
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
)

// An Outcome is why Park returned.
type Outcome uint8

const (
	Unparked Outcome = iota // a permit was there, or came, and is used up
	TimedOut                // the deadline passed; no permit was used
	Canceled                // the context is done, or the thread was asked to end a wait; no permit was used
)

const (
	empty       uint32 = iota // no sleep, no permit
	permit                    // from Unpark; Park has not taken it
	onFutex                   // the owner sleeps on this word, or is about to
	parking                   // the owner is about to sleep in the Go scheduler
	inScheduler               // the owner sleeps in the Go scheduler
	expired                   // the deadline ended the sleep
	canceled                  // the context ended the sleep
	selecting                 // the owner sleeps in parkSelecting, or is about to

	kindBits = 3
	kindMask = 1<<kindBits - 1
)

func kind(s uint32) uint32           { return s & kindMask }
func withKind(s, kind uint32) uint32 { return s&^kindMask | kind }
func nextSleep(s, kind uint32) uint32 {
	return s&^kindMask + 1<<kindBits | kind
}

// A Waiter is where one caller sleeps until another unparks it. The zero value
// is ready, holds no permit, and sleeps without spinning. It must not be copied
// after first use. It must not be on a goroutine's stack, for which
// [Waiter.Park] takes care.
type Waiter struct {
	state atomic.Uint32
	// Bubble says that in a bubble of testing/synctest only goroutines of the
	// bubble unpark it: the sleep is durable (bubble.go). Threads are in no
	// bubble.
	Bubble bool
	slot   slot

	// For is what the owner waits for, which it says before it parks
	// (internal/waits).
	For  any
	Spin *Spinner // used before each sleep; nil: none

	woken chan struct{} // the wakeup from selecting; nil until the first
	waker waker
}

// LockedAndSpins reports whether the calling goroutine, which has no record of
// package thread, should wait as a thread does: it is locked to its thread, and
// there is more than one P.
func LockedAndSpins() bool { return locked() && CanSpin() }

// Locked reports whether the calling goroutine is locked to its thread. Where
// that is not known it is false.
func Locked() bool { return locked() }

// SetOnThread sets the function that reports whether the calling goroutine has
// a thread of its own. It is called once, before the first Park.
func SetOnThread(f func() bool) { onThread = f }

var onThread = func() bool { return false }

// Park takes the permit, sleeping until there is one or l ends the wait. If l
// has ended Park does not sleep, but still takes a permit that is available.
// Only the owner calls Park.
func (w *Waiter) Park(l Limit) Outcome { return w.ParkAs(onThread(), &l) }

// ParkAs is Park for a caller that knows whether it has a thread of its own.
//
// An ordinary goroutine that only a wakeup ends sleeps in this frame: each
// frame between a switch of goroutines and the caller costs a return that the
// processor mispredicts.
func (w *Waiter) ParkAs(thread bool, l *Limit) Outcome {
	switch {
	case thread:
		return w.traced(w.parkOnThread(l))
	case watch.On || !l.Never() || l.Asked() || w.Spin != nil:
		return w.parkOrdinary(l)
	}
	leak(unsafe.Pointer(w))
	if s := w.state.Load(); kind(s) != permit {
		w.slot.sleep(&w.state, s, nextSleep(s, inScheduler), w.reason())
	}
	return w.outcome()
}

// ParkIdle is ParkAs for a server that waits for work. byGoroutine says that a
// goroutine gives it: with one P the scheduler hands a thread that P with the
// wakeup, while one that a futex wakes sleeps again until the goroutine has
// left it.
func (w *Waiter) ParkIdle(thread, byGoroutine bool, l *Limit) Outcome {
	if thread && byGoroutine && OnOneP() {
		return w.traced(w.parkIdleThread(l))
	}
	return w.ParkAs(thread, l)
}

// traced takes what the wakeup of a thread carries; see waker.go.
func (w *Waiter) traced(o Outcome) Outcome {
	if o == Unparked && Traced.Load() != 0 {
		w.waker.take()
	}
	return o
}

// before returns the outcome of a wait that does not sleep.
func (w *Waiter) before(l *Limit) (o Outcome, over bool) {
	switch {
	case w.take():
		return Unparked, true
	case l.Canceled() || l.Asked():
		return Canceled, true
	case l.isLate():
		return TimedOut, true
	case w.Spin != nil && w.spins():
		w.take()
		return Unparked, true
	}
	return 0, false
}

// spins spins, and reports whether there is a permit.
func (w *Waiter) spins() bool {
	return CanSpin() && w.Spin.Until(func() bool { return kind(w.state.Load()) == permit })
}

// parkOnThread parks a caller on a thread of its own.
func (w *Waiter) parkOnThread(l *Limit) Outcome {
	if o, over := w.before(l); over {
		return o
	}
	record := BeginWait(w.For, unsafe.Pointer(w), l, rouseWaiter)
	defer record.End()
	return w.parkRecorded(l, record)
}

// parkIdleThread is parkOnThread in the scheduler.
func (w *Waiter) parkIdleThread(l *Limit) Outcome {
	if o, over := w.before(l); over {
		return o
	}
	record := BeginWait(w.For, unsafe.Pointer(w), l, rouseWaiter)
	defer record.End()
	return w.parkGoroutine(l, record)
}

// parkOrdinary parks an ordinary goroutine. What only some waits need has
// frames of its own, here and in the callers: the frames in which a goroutine
// sleeps should fit into the 2 KB that its stack begins with.
func (w *Waiter) parkOrdinary(l *Limit) Outcome {
	if o, over := w.before(l); over {
		return o
	}
	switch {
	case watch.On:
		return w.parkWatched(l)
	case l.done != nil && !inBubble():
		return w.parkSelecting(l)
	default:
		return w.parkGoroutine(l, nil)
	}
}

// parkWatched is parkOrdinary in watch mode, which knows the wait.
func (w *Waiter) parkWatched(l *Limit) Outcome {
	record := watch.Sleeps(w.For, unsafe.Pointer(w), !l.Never())
	defer record.End()
	if l.done != nil && !inBubble() {
		return w.parkSelecting(l)
	}
	return w.parkGoroutine(l, nil)
}

// BeginWait records the wait of a caller on a thread of its own, until End. In
// watch mode that of a goroutine is recorded, too, which has no more than
// locked its thread, or keeps its thread while it sleeps. rouse ends the sleep
// on a request, for which the caller checks [Limit.Asked] once it can be
// roused.
func BeginWait(object any, parker unsafe.Pointer, l *Limit, rouse waits.Rouser) *waits.Record {
	if r := waits.Begin(object, parker, !l.Never(), l.ending(rouse)); r != nil {
		if watch.On {
			watch.Here().Move()
		}
		return r
	}
	return watch.Sleeps(object, parker, !l.Never())
}

// parkRecorded parks a caller on a thread of its own, whose wait is recorded.
func (w *Waiter) parkRecorded(l *Limit, r *waits.Record) Outcome {
	switch {
	case inBubble(): // a bubble's clock is not the kernel's
		return w.parkGoroutine(l, r)
	case CanSpin():
		return w.parkThread(l, r)
	default:
		return w.parkThreadOnOneP(l, r)
	}
}

// rouseWaiter is the Rouser of a Waiter: it ends the sleep as a context does.
// If the owner does not sleep yet it checks for the request when it does.
func rouseWaiter(parker unsafe.Pointer) (again bool) {
	w := (*Waiter)(parker)
	for {
		s := w.state.Load()
		switch kind(s) {
		case onFutex, parking, inScheduler:
			if w.state.CompareAndSwap(s, withKind(s, canceled)) {
				w.wake(s)
				return false
			}
		default:
			return false
		}
	}
}

// Unpark makes the permit available and wakes the owner if it sleeps. Permits
// do not accumulate.
func (w *Waiter) Unpark() {
	if Traced.Load() != 0 {
		w.waker.sign()
	}
	w.end(permit)
}

// Ready wakes the owner from ParkUnder. It is called once for each sleep, after
// the guard was locked.
func (w *Waiter) Ready() { w.slot.wake() }

// InBubble reports whether the calling goroutine is in a bubble of
// testing/synctest.
func InBubble() bool { return inBubble() }

// Asleep reports whether the owner sleeps, or is past the point after which
// only Unpark, its deadline or its context end the sleep. For tests.
func (w *Waiter) Asleep() bool {
	k := kind(w.state.Load())
	return k == onFutex || k == inScheduler || k == selecting
}

// end moves the word to a permit from any state.
func (w *Waiter) end(to uint32) {
	for {
		s := w.state.Load()
		if kind(s) == to {
			return
		}
		if w.state.CompareAndSwap(s, withKind(s, to)) {
			w.wake(s)
			return
		}
	}
}

// endSleep moves the word out of the sleep that began as s, if that has not
// ended.
func (w *Waiter) endSleep(s, to uint32) {
	for {
		now := w.state.Load()
		if now != s && now != withKind(s, inScheduler) {
			return
		}
		if w.state.CompareAndSwap(now, withKind(now, to)) {
			w.wake(now)
			return
		}
	}
}

// wake wakes the owner from the state s, which the caller has just ended.
func (w *Waiter) wake(s uint32) {
	switch kind(s) {
	case onFutex:
		futex.Wake(w.word(), 1)
	case inScheduler:
		w.slot.wake()
	case selecting:
		w.woken <- struct{}{}
	}
}

func (w *Waiter) word() *uint32 { return (*uint32)(unsafe.Pointer(&w.state)) }

// take takes the permit if there is one. Only the owner leaves that state, so
// the swap cannot fail.
func (w *Waiter) take() bool {
	s := w.state.Load()
	return kind(s) == permit && w.state.CompareAndSwap(s, withKind(s, empty))
}

// outcome makes the word empty after a sleep and returns what ended it. Until
// the swap Unpark may replace expired and canceled by a permit, which then
// counts.
func (w *Waiter) outcome() Outcome {
	for {
		s := w.state.Load()
		if !w.state.CompareAndSwap(s, withKind(s, empty)) {
			continue
		}
		switch kind(s) {
		case expired:
			return TimedOut
		case canceled:
			return Canceled
		default:
			return Unparked
		}
	}
}

func (w *Waiter) parkThread(l *Limit, r *waits.Record) Outcome {
	leak(unsafe.Pointer(w))
	s := w.state.Load()
	sleep := nextSleep(s, onFutex)
	if kind(s) == permit || !w.state.CompareAndSwap(s, sleep) {
		return w.outcome()
	}
	if l.done != nil {
		defer l.AfterDone(func() { w.endSleep(sleep, canceled) })()
	}
	if l.askedBy(r) {
		w.endSleep(sleep, canceled)
	}
	for w.state.Load() == sleep {
		if l.Sleep(w.word(), sleep) == futex.TimedOut {
			w.state.CompareAndSwap(sleep, withKind(sleep, expired))
		}
	}
	return w.outcome()
}

// parkThreadOnOneP chooses between the two sleeps: a thread that a futex wakes
// sleeps again until it gets the P, if others want it too; the scheduler
// switches to the goroutine directly.
func (w *Waiter) parkThreadOnOneP(l *Limit, r *waits.Record) Outcome {
	defer asleepOnOneP.Add(-1)
	if asleepOnOneP.Add(1) > pair {
		return w.parkGoroutine(l, r)
	}
	return w.parkThread(l, r)
}

// pair counts this thread, and the one that it has woken, which may not run
// yet.
const pair = 2

var asleepOnOneP atomic.Int32

// parkGoroutine parks in the scheduler. r records the wait of a thread.
func (w *Waiter) parkGoroutine(l *Limit, r *waits.Record) Outcome {
	leak(unsafe.Pointer(w))
	if !l.Never() || r != nil && l.canceled != goesOn { // something to set first
		return w.parkLimited(l, r)
	}
	if s := w.state.Load(); kind(s) != permit {
		w.slot.sleep(&w.state, s, nextSleep(s, inScheduler), w.reason())
	}
	return w.outcome()
}

// reason returns of which kind a sleep is; see bubble.go.
func (w *Waiter) reason() uint8 {
	if w.Bubble && inBubble() {
		return durable
	}
	return plain
}

// parkLimited is parkGoroutine for a wait that more than a wakeup can end.
func (w *Waiter) parkLimited(l *Limit, r *waits.Record) Outcome {
	s := w.state.Load()
	sleep := nextSleep(s, parking)
	if kind(s) == permit || !w.state.CompareAndSwap(s, sleep) {
		return w.outcome()
	}
	if l.HasDeadline() {
		defer w.expire(sleep, l).Stop()
	}
	if l.done != nil {
		defer l.AfterDone(func() { w.endSleep(sleep, canceled) })()
	}
	if l.askedBy(r) {
		w.endSleep(sleep, canceled)
	}
	w.slot.sleep(&w.state, sleep, withKind(sleep, inScheduler), w.reason())
	return w.outcome()
}

// expire ends the sleep at l's deadline.
func (w *Waiter) expire(sleep uint32, l *Limit) *time.Timer {
	return time.AfterFunc(l.Left(), func() { w.endSleep(sleep, expired) })
}

// parkSelecting is parkGoroutine with a context, outside of bubbles.
func (w *Waiter) parkSelecting(l *Limit) Outcome {
	leak(unsafe.Pointer(w))
	if w.woken == nil {
		w.woken = make(chan struct{}, 1)
	}
	s := w.state.Load()
	sleep := nextSleep(s, selecting)
	if kind(s) == permit || !w.state.CompareAndSwap(s, sleep) {
		return w.outcome()
	}
	if l.HasDeadline() {
		defer w.expire(sleep, l).Stop()
	}
	select {
	case <-w.woken:
	case <-l.done:
		if !w.state.CompareAndSwap(sleep, withKind(sleep, canceled)) {
			<-w.woken // sent by now, or in a moment
		}
	}
	return w.outcome()
}

// leak makes the compiler move its argument to the heap, in every caller:
// stacks move, and a sleeper's word must not. The compiler cannot see that the
// condition is never true.
func leak(p unsafe.Pointer) {
	if never.Load() {
		atomic.StorePointer(&leaked, p)
	}
}

var (
	never  atomic.Bool
	leaked unsafe.Pointer
)
