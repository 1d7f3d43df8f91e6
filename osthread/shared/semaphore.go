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

// The word of a Semaphore, for Go here and for C in csrc/ost_sem.h, whose
// header has the argument why no wakeup is lost and what a killed process
// leaves:
//
//	63          32 31           0
//	+-------------+-------------+
//	|   waiters   |    value    |	waiters sleep on the value, while it is 0
//	+-------------+-------------+
//
//	Release	value + 1; if there are waiters, wakes one
//	Acquire	value - 1; if it is 0: waiters + 1, sleep, and then in one step
//		value - 1 and waiters - 1, or at the end of the wait waiters - 1

// MaxSemaphore is the greatest value of a [Semaphore] (POSIX: SEM_VALUE_MAX).
const MaxSemaphore = math.MaxInt32

const (
	semMark    uint32 = 0x5345_0000
	semAllowed        = attrShared
	semWaiter  uint64 = 1 << 32
)

// A Semaphore is a counting semaphore that C code can use, too, as the
// ost_sem_t of csrc/ost_sem.h, and that processes can share (POSIX: sem_t). The
// zero value has the value 0 and is for one process. It must not be copied
// after first use.
//
// A goroutine that waits blocks its thread. A Semaphore has no owner: units of
// a process that ends are gone.
//
// All methods return ErrCorrupt if the memory does not hold a semaphore.
//
// In the terms of the Go memory model, a Release synchronizes before the return
// of the Acquire that takes its unit.
type Semaphore struct {
	word atomic.Uint64
	attr attrs
	_    uint32
}

// Init makes s a semaphore of that value. processShared says that processes
// share s: then its waiters check the value every 100 ms at least, as their
// waker may have been killed. Nobody may use s meanwhile.
//
// Init returns ErrCount, here EINVAL, if value is not in 0 to [MaxSemaphore],
// and ErrUnsupported if the system cannot share between processes.
//
// POSIX: sem_init.
func (s *Semaphore) Init(value int, processShared bool) error {
	if value < 0 || value > MaxSemaphore {
		return fmt.Errorf("shared: Semaphore.Init(%d): %w: %w", value, ErrCount, syscall.EINVAL)
	}
	flags, err := flagsFor(0, processShared)
	if err != nil {
		return failed("Semaphore.Init", err)
	}
	s.attr.word.Store(semMark | flags)
	s.word.Store(uint64(value))
	return nil
}

// Acquire takes one unit, sleeping until there is one.
//
// POSIX: sem_wait.
func (s *Semaphore) Acquire() error {
	return pass("Semaphore.Acquire", forever(), s.try, s.acquire)
}

// TryAcquire takes one unit if there is one, and returns ErrBusy if not.
//
// POSIX: sem_trywait, whose error is EAGAIN.
func (s *Semaphore) TryAcquire() error { return named("Semaphore.TryAcquire", s.try()) }

func (s *Semaphore) try() error {
	if _, err := s.attr.load(semMark, semAllowed); err != nil {
		return err
	}
	return s.take(0)
}

// AcquireTimeout is Acquire for at most d; then it returns ErrTimeout.
func (s *Semaphore) AcquireTimeout(d time.Duration) error {
	return pass("Semaphore.AcquireTimeout", within(d), s.try, s.acquire)
}

// AcquireContext is Acquire until ctx is done; then it returns ctx's cause.
func (s *Semaphore) AcquireContext(ctx context.Context) error {
	return passContext("Semaphore.AcquireContext", ctx, s.try, s.acquire)
}

// AcquireUntil is Acquire until d; then it returns ErrTimeout.
//
// POSIX: sem_timedwait, sem_clockwait.
func (s *Semaphore) AcquireUntil(d Deadline) error {
	return pass("Semaphore.AcquireUntil", untilTime(d), s.try, s.acquire)
}

// Release adds one unit and wakes a waiter. Once it has added the unit it uses
// only the address of s: the caller that it lets through may free the memory.
// Release returns ErrOverflow if the value is [MaxSemaphore].
//
// POSIX: sem_post.
func (s *Semaphore) Release() error { return named("Semaphore.Release", s.release()) }

func (s *Semaphore) release() error {
	flags, err := s.attr.load(semMark, semAllowed)
	if err != nil {
		return err
	}
	for n := failures(0); ; n.pause() {
		word := s.word.Load()
		switch value := uint32(word); {
		case value > MaxSemaphore:
			return ErrCorrupt
		case value == MaxSemaphore:
			return ErrOverflow
		}
		if s.word.CompareAndSwap(word, word+1) {
			if word >= semWaiter {
				wake(s.value(), 1, flags&attrShared != 0)
			}
			return nil
		}
	}
}

// Value returns the value, at least 0. It may be stale by the time it is used.
//
// POSIX: sem_getvalue.
func (s *Semaphore) Value() (int, error) {
	_, err := s.attr.load(semMark, semAllowed)
	value := uint32(s.word.Load())
	if err != nil || value > MaxSemaphore {
		return 0, failed("Semaphore.Value", ErrCorrupt)
	}
	return int(value), nil
}

// take takes one unit, and with it the count of a waiter that leaves, semWaiter
// or 0. It returns ErrBusy if there is no unit.
func (s *Semaphore) take(waiter uint64) error {
	for n := failures(0); ; n.pause() {
		word := s.word.Load()
		switch value := uint32(word); {
		case value > MaxSemaphore:
			return ErrCorrupt
		case value == 0:
			return ErrBusy
		}
		if s.word.CompareAndSwap(word, word-1-waiter) {
			return nil
		}
	}
}

func (s *Semaphore) acquire(l limit) error {
	flags, err := s.attr.load(semMark, semAllowed)
	if err != nil {
		return err
	}
	spin(s.value(), func() bool { return uint32(s.word.Load()) != 0 })
	w := begin(s, s.value(), l, flags&attrShared != 0)
	defer w.end()
	s.word.Add(semWaiter)
	for more := true; ; more = w.sleep(s.value(), 0) {
		// A waiter that has slept tries before it gives up: it may have
		// consumed the only wakeup.
		err := s.take(semWaiter)
		switch {
		case err == nil:
			return nil
		case err == ErrBusy && more:
			continue
		case err == ErrBusy:
			err = errEnded
		}
		s.word.Add(^(semWaiter - 1)) // subtracts it
		return err
	}
}

func (s *Semaphore) value() *uint32 { return half(&s.word, lowHalf) }

// String returns s's address and value. It may be called at any time.
func (s *Semaphore) String() string {
	value, err := s.Value()
	if err != nil {
		return fmt.Sprintf("shared.Semaphore(%p, %v)", s, err)
	}
	return fmt.Sprintf("shared.Semaphore(%p, value %d)", s, value)
}
