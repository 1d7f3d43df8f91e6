// Package park puts blocked callers to sleep and wakes them.
//
// A caller is one of two kinds, and each sleeps where its wake-up costs least:
//
//	caller                     sleeps                                     why, with two processors, a turn of two callers
//	a thread of ours or of C   spins, then on a futex, its P handed off   0.1 us spinning, 10 on the futex; in the scheduler, where a
//	                                                                      pinned goroutine pays two more thread switches
//	                                                                      (golang/go#21827), 32
//	the same, GOMAXPROCS=1     on a futex, its P handed off; where more   a pair alone 20 us on the futex, 23 in the scheduler; four pairs 53 and
//	                           than a pair sleep in the scheduler         40. Nobody can run while one spins
//	an ordinary goroutine      in the Go scheduler                        0.1 us, and 100,000 sleepers cost no thread
//
// Who is a thread is told by [SetOnThread]'s function. The futex sleep gives
// its P away before it sleeps, not after sysmon's 20 us to 10 ms, and never
// holds up a stop of the world. All of that rests on runtime functions that are
// reached by linkname and stands in one file, sched_runtime.go; with the build
// tag portablepark, under -race, and on systems without futexes its twin
// sched_public.go does the same by public API alone, more slowly.
//
// # The state word
//
// A [Waiter] is one caller's place to sleep and holds at most one permit. Its
// word is a kind and, above it, the number of the sleep:
//
//	from          to                      who, when
//	empty         permit                  Unpark
//	permit        empty                   Park: it takes the permit
//	empty         onFutex                 Park, on a thread
//	empty         inScheduler             the scheduler, once the goroutine that parks without either has come to rest
//	empty         drowsy                  Park, in a goroutine: it sets its deadline and context
//	drowsy        inScheduler             the scheduler, once the goroutine has come to rest
//	any sleep     permit, and a wake-up   Unpark
//	any sleep     expired, and a wake-up  the deadline
//	any sleep     canceled, and a wake-up the context
//	expired       permit                  Unpark, until Park has seen the time-out
//	any of these  empty                   Park, on its way out; the kind is the outcome
//
// where the sleeps are onFutex, drowsy and inScheduler, and drowsy needs no
// waking: the swap to inScheduler fails.
//
// Whoever takes the word out of a sleep, which one compare-and-swap decides,
// wakes the owner, exactly once. So a wake-up is neither lost nor sent twice:
// Unpark before the sleep leaves the permit that the compare-and-swap into the
// sleep trips over; Unpark after it finds the sleep; and the same holds for a
// deadline and a context, which are set only once the word tells of the sleep.
// One that fires late carries the number of its sleep and so cannot end a later
// one.
//
// All accesses are sequentially consistent; Unpark's compare-and-swap is what
// Park's load or compare-and-swap that finds the permit pairs with, so Unpark
// synchronizes before the Park that returns [Unparked] for it.
package park

import (
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread/internal/futex"
)

// An Outcome is why Park returned.
type Outcome uint8

const (
	Unparked Outcome = iota // a permit was there, or came, and is used up
	TimedOut                // the deadline passed; no permit was used
	Canceled                // the context is done; no permit was used
)

const (
	empty       uint32 = iota // nobody sleeps and there is no permit
	permit                    // Unpark came and Park has not taken it
	onFutex                   // the owner sleeps, or is about to, on this word
	drowsy                    // the owner is about to sleep in the Go scheduler
	inScheduler               // the owner sleeps in the Go scheduler
	expired                   // the deadline ended the sleep
	canceled                  // the context ended the sleep

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
// after first use, and must not lie on a goroutine's stack; [Waiter.Park] sees
// to the latter.
type Waiter struct {
	Spin *Spinner // for use before each sleep; nil: none
	// Bubble says that in a bubble of testing/synctest only that one's
	// goroutines unpark it: a sleep there is durable (bubble.go). Not for what
	// a thread does, which is in no bubble.
	Bubble bool

	state atomic.Uint32
	seat  seat
}

// SetOnThread sets the function that reports whether the calling goroutine has
// a thread of its own. It is called once, before the first Park.
func SetOnThread(f func() bool) { onThread = f }

var onThread = func() bool { return false }

// Park takes the permit, sleeping until there is one or l ends the wait. A
// limit that has ended does not sleep, but a permit that is there is taken all
// the same. Only the owner calls Park.
func (w *Waiter) Park(l Limit) Outcome { return w.ParkAs(onThread(), &l) }

// ParkAs is Park for a caller that knows whether it has a thread of its own.
func (w *Waiter) ParkAs(thread bool, l *Limit) Outcome {
	if w.take() {
		return Unparked
	}
	if l.Canceled() {
		return Canceled
	}
	if l.isLate() {
		return TimedOut
	}
	if w.Spin != nil && CanSpin() && w.Spin.Until(func() bool { return kind(w.state.Load()) == permit }) {
		w.take()
		return Unparked
	}
	switch {
	case !thread, inBubble(): // whose deadlines are not the kernel's
		return w.parkGoroutine(l)
	case CanSpin():
		return w.parkThread(l)
	default:
		return w.parkThreadOnOneP(l)
	}
}

// Unpark makes the permit available and wakes the owner if it sleeps. Permits
// do not add up.
func (w *Waiter) Unpark() { w.end(permit) }

// Asleep reports whether the owner sleeps, or is past the point from which only
// Unpark, its deadline and its context bring it back. For tests, which wait for
// it.
func (w *Waiter) Asleep() bool {
	k := kind(w.state.Load())
	return k == onFutex || k == inScheduler
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

// endSleep moves the word from the sleep that began as s, if that still goes
// on.
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
		w.seat.wake()
	}
}

func (w *Waiter) word() *uint32 { return (*uint32)(unsafe.Pointer(&w.state)) }

// take uses up the permit if there is one. Nobody else leaves permit, so the
// swap cannot fail.
func (w *Waiter) take() bool {
	s := w.state.Load()
	return kind(s) == permit && w.state.CompareAndSwap(s, withKind(s, empty))
}

// settle makes the word empty after a sleep and tells what ended it. Unpark may
// turn expired and canceled into a permit until the very swap; then the permit
// counts.
func (w *Waiter) settle() Outcome {
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

func (w *Waiter) parkThread(l *Limit) Outcome {
	leak(unsafe.Pointer(w))
	s := w.state.Load()
	sleep := nextSleep(s, onFutex)
	if kind(s) == permit || !w.state.CompareAndSwap(s, sleep) {
		return w.settle()
	}
	if l.done != nil {
		defer l.AfterDone(func() { w.endSleep(sleep, canceled) })()
	}
	for w.state.Load() == sleep {
		if l.Sleep(w.word(), sleep) == futex.TimedOut {
			w.state.CompareAndSwap(sleep, withKind(sleep, expired))
		}
	}
	return w.settle()
}

// parkThreadOnOneP chooses: a thread that a futex wakes while others want the
// P, too, sleeps a second time until it gets it; the scheduler switches to it
// when its turn comes.
func (w *Waiter) parkThreadOnOneP(l *Limit) Outcome {
	defer asleepOnOneP.Add(-1)
	if asleepOnOneP.Add(1) > aPair {
		return w.parkGoroutine(l)
	}
	return w.parkThread(l)
}

// aPair is this thread, and the one that it has woken, which may not run yet.
const aPair = 2

var asleepOnOneP atomic.Int32

func (w *Waiter) parkGoroutine(l *Limit) Outcome {
	leak(unsafe.Pointer(w))
	s := w.state.Load()
	if kind(s) == permit {
		return w.settle()
	}
	if l.Never() { // nothing to set first
		w.seat.sleep(&w.state, s, nextSleep(s, inScheduler), w.Bubble && inBubble())
		return w.settle()
	}
	sleep := nextSleep(s, drowsy)
	if !w.state.CompareAndSwap(s, sleep) {
		return w.settle()
	}
	if l.deadline != futex.Never {
		d := time.Duration(l.deadline - futex.Now())
		defer time.AfterFunc(d, func() { w.endSleep(sleep, expired) }).Stop()
	}
	if l.done != nil {
		defer l.AfterDone(func() { w.endSleep(sleep, canceled) })()
	}
	w.seat.sleep(&w.state, sleep, withKind(sleep, inScheduler), w.Bubble && inBubble())
	return w.settle()
}

// leak makes its argument escape to the heap, in the eyes of the compiler and
// so of every caller: stacks move, and a sleeper's word must not. The condition
// is one the compiler cannot see through.
func leak(p unsafe.Pointer) {
	if never.Load() {
		atomic.StorePointer(&leaked, p)
	}
}

var (
	never  atomic.Bool
	leaked unsafe.Pointer
)
