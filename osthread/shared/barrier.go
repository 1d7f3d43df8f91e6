//go:build !plan9

package shared

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"time"
)

// The word of a Barrier, for Go here and for C in csrc/ost_barrier.h, whose
// header has the argument why no party is left behind and what a killed process
// leaves:
//
//	63          32 31           0
//	+-------------+-------------+	parties sleep on the generation, until it
//	| generation  |   arrived   |	changes
//	+-------------+-------------+
//
//	Wait, not the last	arrived + 1, sleep
//	Wait, the last		generation + 1 and arrived 0, wakes all
//	at the end of the wait	arrived - 1, unless the generation has changed
//
// Each change is one compare-and-swap of both halves.

// MaxParties is the greatest number of parties of a [Barrier].
const MaxParties = math.MaxInt32

const (
	barrierMark    uint32 = 0x4241_0000
	barrierAllowed        = attrShared
)

// A Barrier lets its parties through once all of them wait, again and again.
// C code can use it, too, as the ost_barrier_t of csrc/ost_barrier.h, and
// processes can share it (POSIX: pthread_barrier_t). Init makes one: the zero
// value has no parties, and its methods return ErrCorrupt. It must not be
// copied after first use. Its memory may be freed once all waits have returned,
// and not already when one has.
//
// A goroutine that waits blocks its thread. A party that is killed after it has
// arrived counts for that round, and the others pass without it; if it is
// killed before, the others wait until their time is over.
//
// All methods return ErrCorrupt if the memory does not hold a barrier.
//
// In the terms of the Go memory model, the call of each party's Wait
// synchronizes before the return of the Wait of every other party of the round.
type Barrier struct {
	word    atomic.Uint64
	parties atomic.Uint32
	attr    attrs
}

// Init makes b a barrier for that many parties. processShared says that
// processes share b, as for [Semaphore.Init]. Nobody may use b meanwhile.
//
// Init returns ErrCount, here EINVAL, if parties is not in 1 to [MaxParties],
// and ErrUnsupported if the system cannot share between processes.
//
// POSIX: pthread_barrier_init.
func (b *Barrier) Init(parties int, processShared bool) error {
	if parties < 1 || parties > MaxParties {
		return fmt.Errorf("shared: Barrier.Init(%d): %w: %w", parties, ErrCount, syscall.EINVAL)
	}
	flags, err := flagsFor(0, processShared)
	if err != nil {
		return failed("Barrier.Init", err)
	}
	b.attr.word.Store(barrierMark | flags)
	b.parties.Store(uint32(parties))
	b.word.Store(0)
	return nil
}

// Wait sleeps until all parties wait. serial is true for one of them, the last
// to arrive.
//
// POSIX: pthread_barrier_wait, where serial is PTHREAD_BARRIER_SERIAL_THREAD.
func (b *Barrier) Wait() (serial bool, err error) { return b.wait("Barrier.Wait", forever()) }

// WaitTimeout is Wait for at most d; then it returns ErrTimeout, and the caller
// is as if it had not arrived. The last party passes whatever d is.
func (b *Barrier) WaitTimeout(d time.Duration) (serial bool, err error) {
	return b.wait("Barrier.WaitTimeout", within(d))
}

// WaitContext is Wait until ctx is done; then it returns ctx's cause, and the
// caller is as if it had not arrived.
func (b *Barrier) WaitContext(ctx context.Context) (serial bool, err error) {
	l, err := withContext(ctx)
	if err != nil {
		return false, err
	}
	return b.wait("Barrier.WaitContext", l)
}

// WaitUntil is Wait until d; then it returns ErrTimeout, and the caller is as
// if it had not arrived.
func (b *Barrier) WaitUntil(d Deadline) (serial bool, err error) {
	if err := d.check(); err != nil {
		return false, failed("Barrier.WaitUntil", err)
	}
	return b.wait("Barrier.WaitUntil", untilTime(d))
}

// Parties returns the number of parties.
func (b *Barrier) Parties() (int, error) {
	_, err := b.attr.load(barrierMark, barrierAllowed)
	n := b.parties.Load()
	if err != nil || n == 0 || n > MaxParties {
		return 0, failed("Barrier.Parties", ErrCorrupt)
	}
	return int(n), nil
}

// Waiting returns how many parties wait. It may be stale by the time it is
// used.
func (b *Barrier) Waiting() (int, error) {
	n, err := b.Parties()
	if err != nil {
		return 0, err
	}
	arrived := uint32(b.word.Load())
	if int64(arrived) >= int64(n) {
		return 0, failed("Barrier.Waiting", ErrCorrupt)
	}
	return int(arrived), nil
}

func (b *Barrier) wait(call string, l limit) (serial bool, err error) {
	flags, err := b.attr.load(barrierMark, barrierAllowed)
	if err != nil {
		return false, failed(call, err)
	}
	generation, serial, err := b.arrive(flags&attrShared != 0)
	if err == nil && !serial {
		err = b.sleep(generation, l, flags&attrShared != 0)
	}
	if err == errEnded {
		return false, l.err(call)
	}
	return serial, named(call, err)
}

func (b *Barrier) sleep(generation uint32, l limit, processShared bool) error {
	w := begin(b, b.generation(), l, processShared)
	defer w.end()
	// All of the word, as the last party wrote it: to the race detector an
	// atomic access of a half is one of another word.
	for uint32(b.word.Load()>>32) == generation {
		if !w.sleep(b.generation(), generation) {
			return b.leave(generation)
		}
	}
	return nil
}

// arrive counts the caller, and wakes the others if it is the last.
func (b *Barrier) arrive(processShared bool) (generation uint32, last bool, err error) {
	parties := b.parties.Load()
	for n := failures(0); ; n.pause() {
		word := b.word.Load()
		arrived := uint32(word)
		if arrived >= parties || parties > MaxParties {
			return 0, false, ErrCorrupt
		}
		generation = uint32(word >> 32)
		last = arrived+1 == parties
		to := word + 1
		if last {
			to = uint64(generation+1) << 32
		}
		if b.word.CompareAndSwap(word, to) {
			if last && parties > 1 {
				wake(b.generation(), wakeAll, processShared)
			}
			return generation, last, nil
		}
	}
}

// leave takes the caller back, unless it was let through.
func (b *Barrier) leave(generation uint32) error {
	for n := failures(0); ; n.pause() {
		word := b.word.Load()
		switch {
		case uint32(word>>32) != generation:
			return nil
		case uint32(word) == 0:
			return ErrCorrupt
		case b.word.CompareAndSwap(word, word-1):
			return errEnded
		}
	}
}

func (b *Barrier) generation() *uint32 { return half(&b.word, highHalf) }

// String returns b's address, its parties and how many of them wait. It may be
// called at any time.
func (b *Barrier) String() string {
	parties, err := b.Parties()
	if err != nil {
		return fmt.Sprintf("shared.Barrier(%p, %v)", b, err)
	}
	waiting, err := b.Waiting()
	if err != nil {
		return fmt.Sprintf("shared.Barrier(%p, %v)", b, err)
	}
	return fmt.Sprintf("shared.Barrier(%p, %d of %d)", b, waiting, parties)
}
