package park

import (
	"sync/atomic"

	"example.com/thread/internal/futex"
)

// While trace functions are set, a wakeup carries which thread has sent it, and
// when. Unpark and End write that beside the word before they change the word;
// the woken thread, which has read the word, takes it to its own Party. With no
// trace function set they check Traced and do no more.
//
// Several Unparks may give one permit, and an epoch of a Broadcast may end
// again before all its threads run. Then the last waker counts.

// Traced is not 0 while trace functions are set.
var Traced atomic.Int32

// A Party is a thread as a sender and a receiver of wakeups.
type Party struct {
	Thread any // *osthread.Thread; it must not change

	got waker // the last wakeup, until TakeWaker

	// When it has sent the first and the last wakeup of a burst, by futex.Now,
	// until TakeSends. first is 0 if there are none.
	first, last atomic.Int64
}

// burst is the longest time between two wakeups of one operation, such as a Set
// with many waiters. Not every wakeup has an event, so one that is older
// belongs to an earlier operation.
const burst = 100_000

// here returns the calling thread's Party, nil for an ordinary goroutine.
var here = func() *Party { return nil }

// SetHere sets the function that returns the calling thread's Party, nil if
// there is none. It must not lock anything that is held during an Unpark. It is
// called once, before Traced is changed.
func SetHere(f func() *Party) { here = f }

// A waker holds the last wakeup, nil for none. It is one word, beside the words
// that every sleep uses.
type waker struct{ last atomic.Pointer[wakeup] }

type wakeup struct {
	by *Party // nil: an ordinary goroutine
	at int64
}

// sign writes the calling thread into w.
func (w *waker) sign() {
	now, p := futex.Now(), here()
	w.last.Store(&wakeup{p, now})
	if p == nil {
		return
	}
	if p.first.Load() == 0 || now-p.last.Load() > burst {
		p.first.Store(now)
	}
	p.last.Store(now)
}

// take takes what sign has written to the calling thread's Party.
func (w *waker) take() {
	if last := w.last.Swap(nil); last != nil {
		keepWaker(last)
	}
}

// copyOut is take for one of several threads that one wakeup was for.
func (w *waker) copyOut() {
	if last := w.last.Load(); last != nil {
		keepWaker(last)
	}
}

func keepWaker(last *wakeup) {
	if p := here(); p != nil {
		p.got.last.Store(last)
	}
}

// TakeWaker returns the thread that has sent the last wakeup that p has got
// since the last call, nil if that was no thread's, and when, by futex.Now. It
// returns false if there was none.
func (p *Party) TakeWaker() (by *Party, at int64, ok bool) {
	last := p.got.last.Swap(nil)
	if last == nil {
		return nil, 0, false
	}
	return last.by, last.at, true
}

// TakeSends returns when p has sent the first wakeup of its last burst, by
// futex.Now. It returns false if it has sent none since the last call.
func (p *Party) TakeSends() (at int64, ok bool) {
	at = p.first.Swap(0)
	return at, at != 0
}
