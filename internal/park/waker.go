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

// A waker is the sender of a wakeup and the time, 0 if there was no wakeup.
type waker struct {
	by atomic.Pointer[Party] // nil: an ordinary goroutine
	at atomic.Int64
}

// sign writes the calling thread into w.
func (w *waker) sign() {
	now, p := futex.Now(), here()
	w.by.Store(p)
	w.at.Store(now)
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
	at := w.at.Swap(0)
	by := w.by.Swap(nil)
	if at != 0 {
		keepWaker(by, at)
	}
}

// copyOut is take for one of several threads that one wakeup was for.
func (w *waker) copyOut() {
	if at := w.at.Load(); at != 0 {
		keepWaker(w.by.Load(), at)
	}
}

func keepWaker(by *Party, at int64) {
	if p := here(); p != nil {
		p.got.by.Store(by)
		p.got.at.Store(at)
	}
}

// TakeWaker returns the thread that has sent the last wakeup that p has got
// since the last call, nil if that was no thread's, and when, by futex.Now. It
// returns false if there was none.
func (p *Party) TakeWaker() (by *Party, at int64, ok bool) {
	at = p.got.at.Swap(0)
	return p.got.by.Swap(nil), at, at != 0
}

// TakeSends returns when p has sent the first wakeup of its last burst, by
// futex.Now. It returns false if it has sent none since the last call.
func (p *Party) TakeSends() (at int64, ok bool) {
	at = p.first.Swap(0)
	return at, at != 0
}
