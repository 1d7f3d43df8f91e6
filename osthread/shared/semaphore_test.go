//go:build !plan9

package shared

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestObjectsHaveTheirSizes(t *testing.T) {
	assert.EqualValues(t, 16, unsafe.Sizeof(Semaphore{}))
	assert.EqualValues(t, 8, unsafe.Sizeof(Event{}))
	assert.EqualValues(t, 16, unsafe.Sizeof(Barrier{}))
	assert.EqualValues(t, 16, unsafe.Sizeof(Cond{}))
	assert.EqualValues(t, 16, unsafe.Sizeof(Once{}))
	assert.EqualValues(t, 32, unsafe.Sizeof(RWMutex{}))
	assert.EqualValues(t, 8, unsafe.Alignof(RWMutex{}))
	assert.EqualValues(t, 8, unsafe.Alignof(Once{}))
	assert.EqualValues(t, 8, unsafe.Alignof(Semaphore{}))
	assert.EqualValues(t, 8, unsafe.Alignof(Barrier{}))
}

// clocks are those that the system has.
func clocks() (all []Clock) {
	for _, c := range []Clock{Monotonic, Realtime, Boottime} {
		if _, err := c.Now(); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// endsInTime checks that a wait for what does not come ends with its time, in
// each shape.
func endsInTime(
	t *testing.T,
	within func(time.Duration) error,
	until func(Deadline) error,
	withContext func(context.Context) error,
) {
	t.Helper()
	const d = 2 * time.Millisecond
	for _, none := range []time.Duration{math.MinInt64, -1, 0} {
		assert.ErrorIs(t, within(none), ErrTimeout, none)
	}
	began := time.Now()
	assert.ErrorIs(t, within(d), ErrTimeout)
	assert.GreaterOrEqual(t, time.Since(began), d)
	for _, c := range clocks() {
		end := c.After(d)
		assert.ErrorIs(t, until(end), ErrTimeout, c)
		now, err := c.Now()
		require.NoError(t, err)
		assert.GreaterOrEqual(t, now, end.At, c)
		assert.ErrorIs(t, until(Deadline{Clock: c}), ErrTimeout, c)
	}
	assert.ErrorIs(t, until(Deadline{Clock: -1}), ErrInvalid)
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(d, func() { cancel(cause) })
	assert.Equal(t, cause, withContext(ctx))
	assert.Equal(t, cause, withContext(ctx), "done before")
}

func eachSharing(t *testing.T, test func(t *testing.T, processShared bool)) {
	for name, processShared := range sharings() {
		t.Run(name, func(t *testing.T) {
			watch(t)
			test(t, processShared)
		})
	}
}

func TestSemaphoreCounts(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		s := new(Semaphore)
		require.NoError(t, s.Init(2, processShared))
		assert.NoError(t, s.Acquire())
		assert.NoError(t, s.AcquireTimeout(0))
		assert.Equal(t, ErrBusy, s.TryAcquire())
		endsInTime(t, s.AcquireTimeout, s.AcquireUntil, s.AcquireContext)
		assert.NoError(t, s.Release())
		value, err := s.Value()
		assert.NoError(t, err)
		assert.Equal(t, 1, value)
		assert.Contains(t, s.String(), ", value 1)")
		assert.NoError(t, s.AcquireUntil(Deadline{}), "there is a unit")
		assert.NoError(t, s.Release())
		assert.NoError(t, s.AcquireContext(context.Background()))
	})
}

func TestSemaphoreZeroValueIsOfValueZero(t *testing.T) {
	watch(t)
	s := new(Semaphore)
	assert.Equal(t, ErrBusy, s.TryAcquire())
	assert.NoError(t, s.Release())
	assert.NoError(t, s.Acquire())
}

func TestSemaphoreInitChecksItsArguments(t *testing.T) {
	s := new(Semaphore)
	for _, n := range []int{math.MinInt, -1} {
		assert.ErrorIs(t, s.Init(n, false), ErrCount, n)
	}
	if n := MaxSemaphore; n+1 > n { // int has 64 bits
		assert.ErrorIs(t, s.Init(n+1, false), ErrCount)
	}
	if !canShare() {
		assert.ErrorIs(t, s.Init(0, true), ErrUnsupported)
	}
}

func TestSemaphoreReleaseAboveTheGreatestValueIsAnError(t *testing.T) {
	s := new(Semaphore)
	require.NoError(t, s.Init(MaxSemaphore, false))
	assert.ErrorIs(t, s.Release(), ErrOverflow)
	value, err := s.Value()
	assert.NoError(t, err)
	assert.Equal(t, MaxSemaphore, value)
}

// Units are conserved among callers of all shapes, and nobody is left asleep.
func TestSemaphoreLosesNoUnit(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		const callers, times, units = 6, 500, 2
		s := new(Semaphore)
		require.NoError(t, s.Init(units, processShared))
		var inside atomic.Int32
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				for n := range times {
					acquireSomehow(s, i+n)
					assert.LessOrEqual(t, inside.Add(1), int32(units))
					inside.Add(-1)
					assert.NoError(t, s.Release())
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, units, s.word.Load(), "no waiter is counted")
	})
}

func acquireSomehow(s *Semaphore, shape int) {
	const d = 20 * time.Microsecond
	switch shape % 4 {
	case 0:
		for s.AcquireTimeout(d) != nil {
		}
	case 1:
		for s.AcquireUntil(Realtime.After(d)) != nil {
		}
	case 2:
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		if s.AcquireContext(ctx) == nil {
			return
		}
		fallthrough
	default:
		if s.Acquire() != nil {
			panic("acquire failed")
		}
	}
}

// A waiter that gives up must not consume the only wakeup.
func TestSemaphoreTimeoutLosesNoWakeup(t *testing.T) {
	watch(t)
	s := new(Semaphore)
	for i := range 300 {
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, s.Acquire()) })
		wg.Go(func() {
			if s.AcquireTimeout(time.Duration(i)*time.Microsecond) == nil {
				assert.NoError(t, s.Release())
			}
		})
		assert.NoError(t, s.Release())
		wg.Wait()
	}
}

func TestSemaphoreSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	for name, corrupt := range map[string]func(*Semaphore){
		"value":        func(s *Semaphore) { s.word.Store(MaxSemaphore + 1) },
		"another type": func(s *Semaphore) { s.attr.word.Store(eventMark) },
		"flags":        func(s *Semaphore) { s.attr.word.Store(semMark | 1<<15) },
		"no mark":      func(s *Semaphore) { s.attr.word.Store(attrShared) },
	} {
		t.Run(name, func(t *testing.T) {
			s := new(Semaphore)
			corrupt(s)
			assert.ErrorIs(t, s.Acquire(), ErrCorrupt)
			assert.ErrorIs(t, s.TryAcquire(), ErrCorrupt)
			assert.ErrorIs(t, s.AcquireTimeout(time.Second), ErrCorrupt)
			assert.ErrorIs(t, s.Release(), ErrCorrupt)
			_, err := s.Value()
			assert.ErrorIs(t, err, ErrCorrupt)
			assert.Contains(t, s.String(), "corrupt")
		})
	}
}

// A count of waiters that is too high, as of killed waiters, or wrong does no
// harm to the value.
func TestSemaphoreCountOfWaitersMayBeWrong(t *testing.T) {
	watch(t)
	for _, waiters := range []uint64{1, 1 << 31, math.MaxUint32} {
		s := new(Semaphore)
		s.word.Store(waiters << 32)
		assert.ErrorIs(t, s.AcquireTimeout(time.Microsecond), ErrTimeout)
		assert.NoError(t, s.Release())
		assert.NoError(t, s.Acquire())
		assert.Equal(t, waiters<<32, s.word.Load())
	}
}
