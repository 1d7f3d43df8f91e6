package osthread

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

// For any numbers a Semaphore counts right, or panics with ErrCount or
// ErrOverflow and is unchanged.
func FuzzSemaphore(f *testing.F) {
	f.Add(0, false, false, 1, 1)
	f.Add(3, true, true, 2, 4)
	f.Add(math.MaxInt, false, true, math.MaxInt, 1)
	f.Add(math.MaxInt-1, false, false, 1, 2)
	f.Add(math.MinInt, true, false, math.MinInt, math.MinInt)
	f.Fuzz(func(t *testing.T, permits int, bounded, fair bool, acquire, release int) {
		make, most := NewSemaphore, math.MaxInt
		if bounded {
			make, most = NewBoundedSemaphore, permits
		}
		var s *Semaphore
		err := panicOf(func() { s = make(permits) })
		if (err != nil) != (permits < 0) || err != nil && !errors.Is(err, ErrCount) {
			t.Fatalf("%d permits: %v", permits, err)
		}
		if s == nil {
			return
		}
		s.Fair = fair
		left := permits
		acquired := false
		err = panicOf(func() { acquired = s.TryAcquire(acquire) })
		switch {
		case acquire < 1:
			if !errors.Is(err, ErrCount) {
				t.Errorf("TryAcquire(%d): %v", acquire, err)
			}
		case acquired != (acquire <= permits) || err != nil:
			t.Errorf("TryAcquire(%d) of %d: %v, %v", acquire, permits, acquired, err)
		case acquired:
			left -= acquire
		}
		err = panicOf(func() { s.Release(release) })
		switch {
		case release < 1 && errors.Is(err, ErrCount), release > most-left && errors.Is(err, ErrOverflow):
		case err != nil || release < 1 || release > most-left:
			t.Errorf("Release(%d) with %d of at most %d: %v", release, left, most, err)
		default:
			left += release
		}
		if s.Value() != left || s.Waiting() != 0 {
			t.Errorf("got %v, want %d permits", s, left)
		}
	})
}

// NewBarrier panics with ErrCount if there are no parties.
func FuzzBarrier(f *testing.F) {
	f.Add(1, int64(0))
	f.Add(2, int64(-1))
	f.Add(0, int64(1))
	f.Add(math.MaxInt, int64(math.MinInt64))
	f.Add(math.MinInt, int64(1000))
	f.Fuzz(func(t *testing.T, parties int, d int64) {
		var b *Barrier
		err := panicOf(func() { b = NewBarrier(parties, nil) })
		if (err != nil) != (parties < 1) || err != nil && !errors.Is(err, ErrCount) {
			t.Fatalf("%d parties: %v", parties, err)
		}
		if b == nil {
			return
		}
		index, err := b.WaitTimeout(min(time.Duration(d), time.Millisecond))
		if parties == 1 {
			if index != 0 || err != nil || b.Broken() {
				t.Errorf("the only party got %d, %v", index, err)
			}
		} else if !errors.Is(err, ErrBroken) || !errors.Is(err, ErrTimeout) || !b.Broken() {
			t.Errorf("one of %d parties got %d, %v", parties, index, err)
		}
	})
}

// Any timeout serves a call that need not wait, and ends one that would, which
// then has taken nothing. Waits that are not served take at most 1 ms here.
func FuzzTimeouts(f *testing.F) {
	for _, d := range []int64{0, 1, -1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, 1 << 40, 999_999} {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		d, short := time.Duration(n), min(time.Duration(n), time.Millisecond)
		var l Lock
		var r RLock
		var w RWLock
		var e Event
		s := NewSemaphore(1)
		ctx, cancel := context.WithTimeout(context.Background(), short)
		defer cancel()
		for _, row := range []struct {
			name string
			call func(d time.Duration) bool
		}{
			{"Lock", l.LockTimeout},
			{"RWLock", w.LockTimeout},
			{"Semaphore", func(d time.Duration) bool { return s.AcquireTimeout(1, d) }},
		} {
			if !row.call(d) {
				t.Errorf("%s is free, but not acquired within %v", row.name, d)
			}
			if row.call(short) {
				t.Errorf("%s is acquired twice within %v", row.name, short)
			}
		}
		for range 2 {
			if !r.LockTimeout(d) {
				t.Fatalf("an RLock is not locked twice within %v", d)
			}
			defer r.Unlock()
		}
		if w.RLockTimeout(short) || l.LockContext(ctx) == nil {
			t.Errorf("acquired within %v what is held", short)
		}
		if e.WaitTimeout(short) || WaitAnyTimeout(short, &e) >= 0 || WaitAllTimeout(short, &e) {
			t.Errorf("an Event is set within %v", short)
		}
		e.Set()
		if !e.WaitTimeout(d) || WaitAnyTimeout(d, &e) != 0 || !WaitAllTimeout(d, &e) {
			t.Errorf("an Event that is set is not within %v", d)
		}
		c := NewCondition(&l) // which is held
		if c.WaitTimeout(short) || c.WaitForTimeout(func() bool { return false }, short) || !l.Locked() {
			t.Errorf("a Condition is notified within %v", short)
		}
		l.Unlock()
		tm := NewTimer(short, nil, nil)
		if tm.Interval() != short || !tm.Cancel() {
			t.Errorf("%v cannot be canceled", tm)
		}
		if l.Waiting()+w.Waiting()+s.Waiting()+e.Waiting()+c.Waiting() != 0 {
			t.Error("there are waiters left")
		}
	})
}
