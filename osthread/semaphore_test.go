package osthread

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
	"example.com/thread/internal/wait"
)

func TestSemaphoreShapes(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		g.Run(func() {
			s := NewSemaphore(2)
			s.Acquire(2)
			assert.False(t, s.TryAcquire(1))
			assert.False(t, s.AcquireTimeout(1, -1))
			assert.False(t, s.AcquireTimeout(1, time.Millisecond))
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			assert.ErrorIs(t, s.AcquireContext(ctx, 1), context.DeadlineExceeded)
			assert.ErrorIs(t, s.AcquireContext(canceledContext(), 1), errWhy)
			s.Release(3)
			assert.Equal(t, 3, s.Value())
			assert.NoError(t, s.AcquireContext(context.Background(), 2))
			assert.True(t, s.AcquireTimeout(1, TimeoutMax))
			assert.Zero(t, s.Value())
		})
	})
}

// The bound may come from a flag.
func TestSemaphoreBoundedRefusesMoreThanItsBound(t *testing.T) {
	for most := range 2 {
		s := NewBoundedSemaphore(most)
		assert.False(t, s.TryAcquire(most+1))
		assert.False(t, s.AcquireTimeout(most+1, time.Millisecond))
		ctx, cancel := context.WithCancelCause(t.Context())
		go cancel(errWhy)
		assert.ErrorIs(t, s.AcquireContext(ctx, most+1), errWhy)
		assert.ErrorIs(t, panicOf(func() { s.Acquire(most + 1) }), ErrCount)
		assert.Equal(t, most, s.Value())
	}
}

func TestSemaphoreMisuse(t *testing.T) {
	assert.ErrorIs(t, panicOf(func() { NewSemaphore(-1) }), ErrCount)
	assert.ErrorIs(t, panicOf(func() { NewBoundedSemaphore(-1) }), ErrCount)
	b := NewBoundedSemaphore(3)
	b.Acquire(2)
	for name, f := range map[string]func(){
		"overflow": func() { b.Release(3) }, "none": func() { b.Release(0) }, "negative": func() { b.Release(-1) },
		"more than it holds": func() { b.Acquire(4) }, "acquire none": func() { b.TryAcquire(0) },
	} {
		want := ErrCount
		if name == "overflow" {
			want = ErrOverflow
		}
		assert.ErrorIs(t, panicOf(f), want, name)
		assert.Equal(t, 1, b.Value(), name)
	}
	b.Release(2)
	assert.Equal(t, 3, b.Value())
	most := NewSemaphore(math.MaxInt)
	assert.ErrorIs(t, panicOf(func() { most.Release(1) }), ErrOverflow)
	assert.Equal(t, math.MaxInt, most.Value())
	var zero Semaphore
	assert.False(t, zero.TryAcquire(1))
	zero.Release(1)
	assert.True(t, zero.TryAcquire(1))
}

func TestSemaphoreFairServesInOrder(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(0)
		s.Fair = true
		got := make(chan int, 3)
		for i, want := range []int{3, 1, 2} {
			g.Run(func() { s.Acquire(want); got <- want })
			awaitWaiting(s.queue(), i+1)
		}
		s.Release(2) // not enough for the first waiter, which nobody may overtake
		assert.False(t, s.TryAcquire(1))
		assert.Equal(t, 3, waiting(s.queue())())
		s.Release(2)
		assert.ElementsMatch(t, []int{3, 1}, []int{<-got, <-got})
		s.Release(2)
		assert.Equal(t, 2, <-got)
	})
}

// A caller that wants many permits is not starved by callers that want few, of
// which some always hold permits.
func TestSemaphoreStarvesNoWaiter(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(3)
		var over atomic.Bool
		for range 4 {
			g.Run(func() {
				for !over.Load() {
					s.Acquire(1)
					s.Release(1)
				}
			})
		}
		for range 20 {
			if assert.True(t, s.AcquireTimeout(3, starved)) {
				s.Release(3)
			}
		}
		over.Store(true)
		g.Wait()
		assert.Equal(t, 3, s.Value())
	})
}

// If the head of the queue times out, waiters behind it that want less succeed.
func TestSemaphoreTimeoutLetsTheNextWaiterIn(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(1)
		s.Fair = true
		ctx, cancel := context.WithCancel(context.Background())
		g.Run(func() { assert.ErrorIs(t, s.AcquireContext(ctx, 2), context.Canceled) })
		awaitWaiting(s.queue(), 1)
		g.Run(func() { s.Acquire(1) })
		awaitWaiting(s.queue(), 2)
		cancel()
		g.Wait()
		assert.Zero(t, s.Value())
	})
}

// A WaitAll that waits for more permits than there are takes none and keeps no
// other caller out, however long it waits.
func TestSemaphoreValueDuringWaitAll(t *testing.T) {
	for _, fair := range []bool{false, true} {
		callers(t, func(t *testing.T, g *testutil.Group) {
			s := NewSemaphore(1)
			s.Fair = fair
			assert.False(t, WaitAllTimeout(3*time.Millisecond, s, s))
			assert.True(t, s.TryAcquire(1))
			s.Release(1)
			ctx, cancel := context.WithCancel(context.Background())
			g.Run(func() { assert.ErrorIs(t, WaitAllContext(ctx, s, s), context.Canceled) })
			awaitWaiting(s.queue(), 1)
			for until := time.Now().Add(3 * time.Millisecond); time.Now().Before(until); {
				assert.True(t, s.AcquireTimeout(1, time.Minute))
				s.Release(1)
			}
			assert.Equal(t, 0, WaitAny(s))
			s.Release(1)
			cancel()
			g.Wait()
			assert.Equal(t, 1, s.Value())
		})
	}
}

func TestSemaphoreConservesPermits(t *testing.T) {
	t.Run("barging", func(t *testing.T) { conservesPermits(t, false) })
	t.Run("fair", func(t *testing.T) { conservesPermits(t, true) })
}

func conservesPermits(t *testing.T, fair bool) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewBoundedSemaphore(3)
		s.Fair = fair
		var out atomic.Int32
		for i := range 6 {
			g.Run(func() {
				for n := range 200 {
					want := 1 + (i+n)%3
					if n%2 == 0 {
						s.Acquire(want)
					} else if !s.AcquireTimeout(want, time.Duration(n%20)*time.Microsecond) {
						continue
					}
					assert.LessOrEqual(t, out.Add(int32(want)), int32(3))
					out.Add(int32(-want))
					s.Release(want)
				}
			})
		}
		g.Wait()
		assert.Equal(t, 3, s.Value())
	})
}

// A WaitAll that cannot succeed takes nothing, not even for a moment.
func TestSemaphoreWaitAllHidesNoPermits(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s, none := NewBoundedSemaphore(1), NewSemaphore(0)
		var over atomic.Bool
		g.Run(func() {
			for !over.Load() {
				assert.False(t, TryWaitAll(s, none))
				assert.False(t, TryWaitAll(s, s, none))
			}
		})
		for range 2000 {
			assert.Equal(t, 1, s.Value())
			if assert.True(t, s.TryAcquire(1)) {
				s.Release(1)
			}
			assert.ErrorIs(t, panicOf(func() { s.Release(1) }), ErrOverflow)
		}
		over.Store(true)
		g.Wait()
		assert.Equal(t, 1, s.Value())
	})
}

// As many permits as an int can count, with a waiter, look like semBusy.
func TestSemaphoreCountsToMaxIntWithWaiters(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(0)
		for range 20 {
			g.Run(func() { s.Acquire(math.MaxInt) })
			awaitWaiting(s.queue(), 1)
			s.Release(1)
			assert.Equal(t, 1, s.Value())
			assert.ErrorIs(t, panicOf(func() { s.Release(math.MaxInt) }), ErrOverflow)
			s.Release(math.MaxInt - 1)
			g.Wait()
			assert.Zero(t, s.Value())
		}
	})
}

// waiterOf returns a node that waits for n permits of s, and whose owner does
// not run.
func waiterOf(t *testing.T, s *Semaphore, n int) *wait.Node {
	l := park.Forever()
	w := wait.New(nil, &l)
	w.Key, w.Since = uint64(n), futex.Now()
	require.False(t, s.enqueue(w, false))
	return w
}

// A waiter that was woken but has no processor keeps no other asleep.
func TestSemaphoreLateWaiterKeepsNoOtherAsleep(t *testing.T) {
	if park.CanSpin(); park.OnOneP() {
		t.Skip("on one processor no other could run")
	}
	s := NewSemaphore(0)
	first, second := waiterOf(t, s, 1), waiterOf(t, s, 1)
	s.Release(1)
	first.Await()
	for n := 0; s.Waiting() > 0 && assert.Less(t, n, 1<<20); n++ {
		assert.True(t, s.TryAcquire(1) || s.queue().kept.Load() == semAll)
		s.Release(1)
	}
	second.Await()
	if second.Got == gotRetry {
		assert.True(t, s.retry(second))
	}
	s.giveUp(first)
	assert.Zero(t, s.Value())
	assert.Zero(t, s.queue().promised)
	assert.Zero(t, s.queue().woken)
	first.Free()
	second.Free()
}

// A Release passes while the permits are promised to a waiter that was woken.
func TestSemaphoreReleasePassesWhilePermitsArePromised(t *testing.T) {
	s := NewSemaphore(0)
	first, second := waiterOf(t, s, 2), waiterOf(t, s, 1)
	s.Release(1)
	assert.Equal(t, 2, s.Waiting(), "too few for the head")
	s.Release(1)
	first.Await()
	assert.Equal(t, int64(3), s.queue().need.Load())
	assert.Equal(t, 1, s.Waiting())
	s.giveUp(first)
	second.Await()
	assert.True(t, second.Got == gotLock || s.retry(second))
	assert.Equal(t, 1, s.Value())
	assert.Zero(t, s.queue().promised)
	first.Free()
	second.Free()
}
