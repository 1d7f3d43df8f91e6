package park

import (
	"math"
	"sync/atomic"
	"unsafe"

	"example.com/thread/internal/futex"
)

// A Broadcast is where threads sleep that are all woken at once: on one word,
// so that one system call wakes them. The zero value is ready. It must not be
// copied after first use. Model: verify/broadcast.pml.
//
// The word is an epoch and, in its lowest bit, whether a thread may be asleep
// in it:
//
//	e            --Sleep--> e | asleep    before the thread sleeps on the word
//	e            --End----> e + 1         no thread sleeps
//	e | asleep   --End----> e + 1         and then Wake
//
// No wakeup is lost: a thread sleeps only while the word is e | asleep, and an
// End that finds that changes the word before it wakes. None is taken from
// another: Wake wakes all, and a thread that finds its epoch not over sleeps
// again.
//
// Sleep's load that finds another epoch reads what End's swap wrote, or a later
// one, so an End synchronizes before the return of the Sleeps that it ends.
//
// An epoch comes again after 2^31 Ends. A thread that is preempted for as long,
// between its caller's Epoch and its sleep, waits for one more.
type Broadcast struct {
	word    atomic.Uint32
	crowded atomic.Uint32 // 1 if the threads of the last epoch yield once they have woken
	waker   waker
}

const (
	asleep    uint32 = 1
	nextEpoch uint32 = 2
)

// Epoch returns the present epoch, which lasts until End.
func (b *Broadcast) Epoch() uint32 { return b.word.Load() &^ asleep }

// Sleep waits until epoch is over, or l ends the wait, which must be
// [Limit.Shared], and reports whether epoch is over. The caller is on a thread
// of its own, and waits for object. It spins by spin, if not nil, before it
// sleeps.
func (b *Broadcast) Sleep(epoch uint32, spin *Spinner, l *Limit, object any) (over bool) {
	over = b.sleep(epoch, spin, l, object)
	if over && Traced.Load() != 0 {
		b.waker.copyOut()
	}
	return over
}

func (b *Broadcast) sleep(epoch uint32, spin *Spinner, l *Limit, object any) (over bool) {
	if b.Epoch() != epoch || spin != nil && spin.Until(func() bool { return b.Epoch() != epoch }) {
		return true
	}
	record := BeginWait(object, unsafe.Pointer(b), l, rouseBroadcast)
	defer record.End()
	for b.Epoch() == epoch {
		if l.askedBy(record) {
			return false
		}
		if b.word.Load() == epoch && !b.word.CompareAndSwap(epoch, epoch|asleep) {
			continue
		}
		if sleepInCrowd(b.address(), epoch|asleep, l.deadline, &b.crowded) == futex.TimedOut {
			return b.Epoch() != epoch
		}
	}
	return true
}

// End ends the epoch. It reports whether [Broadcast.Wake] must be called, which
// needs no guard. Ends do not run at once. runners is how many threads then
// want to run.
//
// If these are more than there are Ps, each yields its processor once before it
// asks for a P. One that asked while all are in use would be put to sleep in
// the scheduler, which costs two more switches of threads to end; after the
// yield one of the others has likely gone to sleep again. With more Ps than
// processors a yield only costs time: there is a P for each thread that has a
// processor, and the runtime does not wake a thread to look for work whenever
// one that sleeps releases the last P.
func (b *Broadcast) End(runners int) (wake bool) {
	if Traced.Load() != 0 {
		b.waker.sign()
	}
	crowded := uint32(0)
	if runners > Procs() && !sparePs.Load() {
		crowded = 1
	}
	if b.crowded.Load() != crowded {
		b.crowded.Store(crowded)
	}
	for {
		w := b.word.Load()
		if b.word.CompareAndSwap(w, w&^asleep+nextEpoch) {
			return w&asleep != 0
		}
	}
}

// Wake wakes all threads that sleep in an epoch that is over.
func (b *Broadcast) Wake() { futex.Wake(b.address(), math.MaxInt32) }

func (b *Broadcast) address() *uint32 { return (*uint32)(unsafe.Pointer(&b.word)) }

// rouseBroadcast is the Rouser of a Broadcast: it wakes all, of which the
// others sleep again.
func rouseBroadcast(parker unsafe.Pointer) (again bool) {
	(*Broadcast)(parker).Wake()
	return true
}

// Shared reports whether a caller on a thread of its own may sleep in a
// [Broadcast] until l ends the wait. It may not if l has a context, whose end
// would have to wake all, in a bubble of testing/synctest, and with one
// processor, where a thread may sleep better in the scheduler.
func (l *Limit) Shared() bool { return l.done == nil && CanSpin() && !inBubble() }
