package osthread

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

func TestEventShapes(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		g.run(func() {
			var e Event
			assert.False(t, e.IsSet())
			assert.False(t, e.TryWait())
			assert.False(t, e.WaitTimeout(-1))
			assert.False(t, e.WaitTimeout(time.Millisecond))
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			assert.ErrorIs(t, e.WaitContext(ctx), context.DeadlineExceeded)
			e.Set()
			e.Set()
			e.Wait()
			assert.True(t, e.TryWait())
			assert.ErrorIs(t, e.WaitContext(canceledContext()), errWhy)
			assert.NoError(t, e.WaitContext(context.Background()))
			e.Clear()
			e.Clear()
			assert.False(t, e.IsSet())
		})
	})
}

// bpo-13502: who waited when the event was set returns true, also if it is
// cleared before it runs.
func TestSetAndClearLetsAllWaitersGo(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		var e Event
		for range 5 {
			g.run(func() { assert.True(t, e.WaitTimeout(time.Hour)) })
		}
		awaitWaiting(&e.q, 5)
		e.Set()
		e.Clear()
		g.wait()
		assert.False(t, e.IsSet())
	})
}

func TestAutoResetEventLetsOneGo(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		e := Event{AutoReset: true}
		e.Set()
		e.Set()
		assert.True(t, e.TryWait())
		assert.False(t, e.TryWait(), "Sets do not add up")
		passed := make(chan int, 3)
		for i := range 3 {
			g.run(func() { e.Wait(); passed <- i })
			awaitWaiting(&e.q, i+1)
		}
		for i := range 3 {
			e.Set()
			assert.Equal(t, i, <-passed)
			assert.Equal(t, 2-i, waiting(&e.q)())
		}
		assert.False(t, e.IsSet())
	})
}

// No Set of an auto-reset event is lost on a waiter that gives up: the sum of
// the returns is that of the Sets.
func TestAutoResetEventLosesNoSet(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		e := Event{AutoReset: true}
		var passed atomic.Int64
		const sets = 500
		for range 3 {
			g.run(func() {
				for passed.Load() < sets {
					if e.WaitTimeout(20 * time.Microsecond) {
						passed.Add(1)
					}
				}
			})
		}
		for i := range int64(sets) {
			e.Set()
			await(func() bool { return passed.Load() == i+1 })
		}
	})
}

func TestSemaphoreShapes(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		g.run(func() {
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

func TestWhoWaitsInAFairQueueIsOldWhenTheClockBegins(t *testing.T) {
	assert.Greater(t, 0-since(true), starvationThreshold)
}

// The bound may come from a flag.
func TestBoundedSemaphoreThatCanNeverHoldAsMany(t *testing.T) {
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

func TestFairSemaphoreServesInOrder(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		s := NewSemaphore(0)
		s.Fair = true
		got := make(chan int, 3)
		for i, want := range []int{3, 1, 2} {
			g.run(func() { s.Acquire(want); got <- want })
			awaitWaiting(&s.q, i+1)
		}
		s.Release(2) // not enough for the first, who is not passed by
		assert.False(t, s.TryAcquire(1))
		assert.Equal(t, 3, waiting(&s.q)())
		s.Release(2)
		assert.ElementsMatch(t, []int{3, 1}, []int{<-got, <-got})
		s.Release(2)
		assert.Equal(t, 2, <-got)
	})
}

// One who wants many is not kept waiting by those who want few and are never
// all gone.
func TestSemaphoreStarvesNobody(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		s := NewSemaphore(3)
		var over atomic.Bool
		for range 4 {
			g.run(func() {
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
		g.wait()
		assert.Equal(t, 3, s.Value())
	})
}

// Who leaves the head of the queue lets those behind go who want less.
func TestSemaphoreWaiterThatLeavesLetsTheNextGo(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		s := NewSemaphore(1)
		s.Fair = true
		ctx, cancel := context.WithCancel(context.Background())
		g.run(func() { assert.ErrorIs(t, s.AcquireContext(ctx, 2), context.Canceled) })
		awaitWaiting(&s.q, 1)
		g.run(func() { s.Acquire(1) })
		awaitWaiting(&s.q, 2)
		cancel()
		g.wait()
		assert.Zero(t, s.Value())
	})
}

// One that waits for more of it than there is, and takes nothing, keeps nobody
// from it, however long it waits.
func TestSemaphoreUnderAWaitForAll(t *testing.T) {
	for _, fair := range []bool{false, true} {
		callers(t, func(t *testing.T, g *group) {
			s := NewSemaphore(1)
			s.Fair = fair
			assert.False(t, WaitAllTimeout(3*time.Millisecond, s, s))
			assert.True(t, s.TryAcquire(1))
			s.Release(1)
			ctx, cancel := context.WithCancel(context.Background())
			g.run(func() { assert.ErrorIs(t, WaitAllContext(ctx, s, s), context.Canceled) })
			awaitWaiting(&s.q, 1)
			for until := time.Now().Add(3 * time.Millisecond); time.Now().Before(until); {
				assert.True(t, s.AcquireTimeout(1, time.Minute))
				s.Release(1)
			}
			assert.Equal(t, 0, WaitAny(s))
			s.Release(1)
			cancel()
			g.wait()
			assert.Equal(t, 1, s.Value())
		})
	}
}

func TestSemaphoreConservesPermits(t *testing.T) {
	t.Run("barging", func(t *testing.T) { conservesPermits(t, false) })
	t.Run("fair", func(t *testing.T) { conservesPermits(t, true) })
}

func conservesPermits(t *testing.T, fair bool) {
	callers(t, func(t *testing.T, g *group) {
		s := NewBoundedSemaphore(3)
		s.Fair = fair
		var out atomic.Int32
		for i := range 6 {
			g.run(func() {
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
		g.wait()
		assert.Equal(t, 3, s.Value())
	})
}

func TestBarrierRounds(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		const parties, rounds = 4, 100
		var inRound [rounds]atomic.Int32
		actions := 0
		b := NewBarrier(parties, func() { actions++ })
		var seen [rounds]sync.Map
		for range parties {
			g.run(func() {
				for r := range rounds {
					inRound[r].Add(1)
					i, err := b.Wait()
					assert.NoError(t, err)
					assert.EqualValues(t, parties, inRound[r].Load())
					_, twice := seen[r].LoadOrStore(i, true)
					assert.False(t, twice, "index %d twice", i)
				}
			})
		}
		g.wait()
		assert.Equal(t, rounds, actions)
		assert.Equal(t, parties, b.Parties())
		assert.Zero(t, b.Waiting())
	})
}

func TestBarrierBreaks(t *testing.T) {
	tests := []struct {
		name  string
		how   func(b *Barrier) error
		heals bool
	}{
		{"Abort", func(b *Barrier) error { b.Abort(); b.Abort(); return ErrBroken }, false},
		{"Reset", func(b *Barrier) error { b.Reset(); return ErrBroken }, true},
		{"time-out", func(b *Barrier) error {
			_, err := b.WaitTimeout(time.Millisecond)
			assert.ErrorIs(t, err, ErrTimeout)
			return err
		}, false},
		{"no time", func(b *Barrier) error { _, err := b.TryWait(); return err }, false},
		{"done context", func(b *Barrier) error {
			_, err := b.WaitContext(canceledContext())
			assert.ErrorIs(t, err, errWhy)
			return err
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *group) {
				b := NewBarrier(3, nil)
				g.run(func() {
					_, err := b.Wait()
					assert.ErrorIs(t, err, ErrBroken)
				})
				await(func() bool { return b.Waiting() == 1 })
				g.run(func() { assert.ErrorIs(t, test.how(b), ErrBroken) })
				g.wait()
				assert.Equal(t, !test.heals, b.Broken())
				if !test.heals {
					_, err := b.Wait()
					assert.ErrorIs(t, err, ErrBroken)
					b.Reset()
				}
				for range 3 {
					g.run(func() {
						_, err := b.WaitTimeout(time.Hour)
						assert.NoError(t, err)
					})
				}
			})
		})
	}
	assert.ErrorIs(t, panicOf(func() { NewBarrier(0, nil) }), ErrCount)
}

func TestBarrierActionThatFailsBreaksIt(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic(errWhy) }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			b := NewBarrier(2, fail)
			var g group
			g.t = t
			g.run(func() {
				_, err := b.Wait()
				assert.ErrorIs(t, err, ErrBroken)
			})
			await(func() bool { return b.Waiting() == 1 })
			done := make(chan error)
			go func() {
				defer close(done)
				defer func() {
					if err, _ := recover().(error); err != nil {
						done <- err
					}
				}()
				_, _ = b.Wait()
			}()
			if name == "panic" {
				assert.ErrorIs(t, <-done, errWhy)
			}
			<-done
			g.wait()
			assert.True(t, b.Broken())
		})
	}
}

// The last to come is never too late.
func TestBarrierLastPartyPassesWithoutTime(t *testing.T) {
	b := NewBarrier(1, nil)
	i, err := b.TryWait()
	assert.NoError(t, err)
	assert.Zero(t, i)
}

func TestRWLockReadersShare(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		var w RWLock
		all := NewBarrier(3, nil)
		for range 3 {
			g.run(func() {
				w.RLock()
				_, err := all.Wait() // all are in at once
				assert.NoError(t, err)
				assert.False(t, w.TryLock())
				_, err = all.Wait()
				assert.NoError(t, err)
				w.RUnlock()
			})
		}
		g.wait()
		assert.True(t, w.TryLock())
		assert.False(t, w.TryRLock())
		assert.False(t, w.RLockTimeout(time.Millisecond))
		assert.ErrorIs(t, w.RLockContext(canceledContext()), errWhy)
		assert.Contains(t, w.String(), "writing")
		w.Unlock()
		l := w.RLocker()
		l.Lock()
		assert.Equal(t, 1, w.Readers())
		l.Unlock()
		assert.ErrorIs(t, panicOf(w.RUnlock), ErrNotLocked)
		assert.ErrorIs(t, panicOf(w.Downgrade), ErrNotLocked)
		assert.ErrorIs(t, panicOf(func() { _ = w.Upgrade() }), ErrNotLocked)
		assert.True(t, w.TryLock())
	})
}

func TestRWLockPreference(t *testing.T) {
	for _, readers := range []bool{false, true} {
		callers(t, func(t *testing.T, g *group) {
			w := RWLock{PreferReaders: readers}
			w.RLock()
			g.run(func() {
				w.Lock()
				//lint:ignore SA2001 having had it is what counts
				w.Unlock()
			})
			awaitWaiting(&w.q, 1)
			assert.Equal(t, readers, w.TryRLock())
			if readers {
				w.RUnlock()
			}
			w.RUnlock()
		})
	}
}

func TestRWLockUpgradeAndDowngrade(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		var w RWLock
		w.RLock()
		assert.NoError(t, w.TryUpgrade())
		w.Downgrade()
		w.RLock()
		assert.ErrorIs(t, w.TryUpgrade(), ErrTimeout)
		assert.ErrorIs(t, w.UpgradeTimeout(time.Millisecond), ErrTimeout)
		assert.ErrorIs(t, w.UpgradeContext(canceledContext()), errWhy)
		var order []string
		g.run(func() {
			w.Lock()
			order = append(order, "writer")
			w.Unlock()
		})
		awaitWaiting(&w.q, 1)
		g.run(func() {
			assert.NoError(t, w.Upgrade())
			order = append(order, "upgrader")
			w.Downgrade()
			w.RUnlock()
		})
		await(func() bool {
			w.q.Lock()
			defer w.q.Unlock()
			return w.queued[toUpgrade] > 0
		})
		assert.ErrorIs(t, w.Upgrade(), ErrDeadlock)
		w.RUnlock()
		g.wait()
		assert.Equal(t, []string{"upgrader", "writer"}, order)
	})
}

// In a fair lock nobody passes those who wait, and they come in in order,
// readers together.
func TestPollPausesShortly(t *testing.T) {
	began := time.Now()
	polls := 0
	assert.False(t, poll(func() (ok, closed bool) { polls++; return false, false }))
	// At worst 18 us; were a pause computed with too few bits, half a minute.
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, spinLimit()+1, polls)
}

// Unlocking what nobody has locked neither lets others in beside each other nor
// makes theirs fail.
func TestRWLockMisuseBesideUse(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		var w RWLock
		var misused sync.WaitGroup
		var writing, over atomic.Bool
		misused.Go(func() {
			for !over.Load() {
				if w.TryLock() { // so that nobody reads whose lock would be undone
					err := panicOf(w.RUnlock)
					assert.ErrorIs(t, err, ErrNotLocked)
					w.Unlock()
				}
			}
		})
		for range 3 {
			g.run(func() {
				for range 300 {
					w.Lock()
					assert.False(t, writing.Swap(true))
					writing.Store(false)
					w.Unlock()
					w.RLock()
					assert.False(t, writing.Load())
					w.RUnlock()
				}
			})
		}
		g.wait()
		over.Store(true)
		misused.Wait()
		assert.Contains(t, w.String(), ", unlocked)")
	})
}

// firstHalfOfAnRUnlockTooMany leaves w as such a call does in its middle; the
// second half is returned.
func firstHalfOfAnRUnlockTooMany(w *RWLock) (second func()) {
	s := w.word.Add(^rwReader + 1)
	return func() { w.runlockSlow(s) }
}

func TestRWLockDowngradeBesideMisuse(t *testing.T) {
	var w RWLock
	w.Lock()
	second := firstHalfOfAnRUnlockTooMany(&w)
	var down sync.WaitGroup
	down.Go(w.Downgrade)
	for range 1000 {
		require.False(t, w.TryLock(), "a writer beside the reader")
		runtime.Gosched()
	}
	assert.ErrorIs(t, panicOf(second), ErrNotLocked)
	down.Wait()
	assert.Equal(t, 1, w.Readers())
	w.RUnlock()
	assert.Contains(t, w.String(), ", unlocked)")
}

func TestRWLockUpgradeBesideMisuse(t *testing.T) {
	var w RWLock
	second := firstHalfOfAnRUnlockTooMany(&w)
	assert.ErrorIs(t, panicOf(func() { w.TryUpgrade() }), ErrNotLocked)
	assert.ErrorIs(t, panicOf(second), ErrNotLocked)
	assert.True(t, w.TryLock())
	w.Unlock()
	assert.Zero(t, w.word.Load())
}

// onOneProcessor sets GOMAXPROCS to 1 for a test.
func onOneProcessor(t *testing.T) {
	procs := runtime.GOMAXPROCS(1)
	settle := func() {
		for park.Procs() != min(runtime.GOMAXPROCS(0), runtime.NumCPU()) { // it asks now and then
		}
	}
	settle()
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		settle()
	})
}

// One that has been woken gets the processor although nobody takes it from
// those who lock and unlock.
func TestWhoUnlocksOnOneProcessorStepsAside(t *testing.T) {
	onOneProcessor(t)
	var l Lock
	var r RLock
	var w RWLock
	s := NewSemaphore(1)
	ageRW := func() {
		w.q.Lock()
		defer w.q.Unlock()
		w.retries.since -= 2 * starvationThreshold
	}
	tests := []struct {
		name         string
		lock, unlock func()
		wait, done   func()
		q            queue
		age          func() // the one with the turn
	}{
		{"Lock", l.Lock, l.Unlock, l.Lock, l.Unlock, &l.q, func() { l.oldest.Add(-2 * starvationThreshold) }},
		{"RLock", r.Lock, r.Unlock, r.Lock, r.Unlock, &r.q, func() { r.oldest.Add(-2 * starvationThreshold) }},
		{"RWLock, writers", w.Lock, w.Unlock, w.Lock, w.Unlock, &w.q, ageRW},
		{"RWLock, a writer waits for readers", w.RLock, w.RUnlock, w.Lock, w.Unlock, &w.q, ageRW},
		{"RWLock, a reader waits for writers", w.Lock, w.Unlock, w.RLock, w.RUnlock, &w.q, ageRW},
		{
			"Semaphore", func() { s.Acquire(1) }, func() { s.Release(1) }, func() { s.Acquire(1) }, func() { s.Release(1) }, &s.q,
			func() {
				s.q.Lock()
				defer s.q.Unlock()
				s.retries.since -= 2 * starvationThreshold
			},
		},
	}
	for _, test := range tests {
		for _, waiters := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/waiters=%d", test.name, waiters), func(t *testing.T) {
				g := &group{t: t}
				var in atomic.Int32
				test.lock()
				for range waiters {
					g.run(func() {
						test.wait()
						in.Add(1)
						test.done()
					})
				}
				awaitWaiting(test.q, waiters)
				test.unlock()
				test.lock()
				if in.Load() == 0 {
					test.age()
				}
				// A time that the scheduler would not take the processor away
				// in.
				for n := 0; n < 2*agingInterval && in.Load() == 0; n++ {
					test.unlock()
					test.lock()
				}
				assert.NotZero(t, in.Load())
				test.unlock()
				g.wait()
			})
		}
	}
}

// The same for those that were notified, and stood in the lock's queue without
// having waited for the lock.
func TestWhoUnlocksOnOneProcessorStepsAsideForTheNotified(t *testing.T) {
	onOneProcessor(t)
	var l Lock
	c := NewCondition(&l)
	g := &group{t: t}
	var in atomic.Bool
	for range 2 {
		g.run(func() {
			l.Lock()
			c.Wait()
			in.Store(true)
			l.Unlock()
		})
	}
	await(func() bool { return c.Waiting() == 2 })
	l.Lock()
	c.NotifyAll()
	l.Unlock()
	l.Lock()
	if !in.Load() {
		assert.NotZero(t, l.oldest.Load())
		l.oldest.Add(-2 * starvationThreshold)
	}
	for n := 0; n < 2*agingInterval && !in.Load(); n++ {
		l.Unlock()
		l.Lock()
	}
	assert.True(t, in.Load())
	l.Unlock()
	g.wait()
}

// It does so also when another that waited behind has given up since.
func TestWhoUnlocksOnOneProcessorStepsAsideForTheLast(t *testing.T) {
	onOneProcessor(t)
	var m mutex
	l := park.Forever()
	first, second := wait.New(nil, &l), wait.New(nil, &l)
	require.True(t, m.try(anonymous))
	for _, n := range []*wait.Node{first, second} {
		n.Key, n.Since = anonymous, futex.Now()
		require.False(t, m.enqueue(n, false))
	}
	m.word.Add(minusAnonymous)
	require.Equal(t, gotRetry, m.release())
	require.True(t, m.try(anonymous), "first, with its turn, does not run")
	require.True(t, m.leave(second))
	assert.NotZero(t, m.word.Load()&queued, "or no Unlock sees that somebody waits")
	assert.NotZero(t, m.oldest.Load())
	m.stopSpinning(false)
	m.word.Add(minusAnonymous)
	assert.Zero(t, m.word.Load())
	first.Await() // the wake-up for its turn
	first.Free()
	second.Free()
}

func TestRWLockFair(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		w := RWLock{Fair: true}
		w.Lock()
		var mu sync.Mutex
		var order []string
		came := func(who string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, who)
		}
		both := NewBarrier(2, nil)
		for i, who := range []string{"writer", "readers", "readers", "writer again"} {
			g.run(func() {
				if who != "readers" {
					w.Lock()
					came(who)
					w.Unlock()
					return
				}
				w.RLock()
				came(who)
				_, err := both.Wait()
				assert.NoError(t, err)
				w.RUnlock()
			})
			awaitWaiting(&w.q, i+1)
		}
		w.Unlock()
		w.Lock() // stands behind all of them
		came("last")
		w.Unlock()
		g.wait()
		assert.Equal(t, []string{"writer", "readers", "readers", "writer again", "last"}, order)
	})
}

// starved is how long nobody waits, on a machine that is busy: without fairness
// these tests wait for as long as the others go on.
const starved = 20 * time.Second

// Readers that are never all gone cannot keep a writer out, nor writers that
// come one upon the other a reader.
func TestRWLockStarvesNobody(t *testing.T) {
	for _, readers := range []bool{true, false} {
		callers(t, func(t *testing.T, g *group) {
			var w RWLock
			var over atomic.Bool
			for range 3 {
				g.run(func() {
					for !over.Load() {
						if readers {
							w.RLock()
							w.RLocker().Unlock()
						} else {
							w.Lock()
							//lint:ignore SA2001 the lock is to be held without a pause
							w.Unlock()
						}
					}
				})
			}
			for range 20 {
				if readers && assert.True(t, w.LockTimeout(starved)) {
					w.Unlock()
				} else if !readers && assert.True(t, w.RLockTimeout(starved)) {
					w.RUnlock()
				}
			}
			over.Store(true)
		})
	}
}

func TestRWLockExcludes(t *testing.T) {
	for _, kind := range []string{"", "prefer readers", "fair"} {
		callers(t, func(t *testing.T, g *group) {
			w := RWLock{PreferReaders: kind == "prefer readers", Fair: kind == "fair"}
			shared, writes := 0, 0
			var count atomic.Int64
			for i := range 6 {
				g.run(func() {
					for n := range 200 {
						d := time.Duration(n%15) * time.Microsecond
						switch (i + n) % 4 {
						case 0:
							w.Lock()
							shared++
							count.Add(1)
							w.Unlock()
						case 1:
							if w.LockTimeout(d) {
								shared++
								count.Add(1)
								w.Downgrade()
								_ = shared
								w.RUnlock()
							}
						case 2:
							if w.RLockTimeout(d) {
								_ = shared
								if w.UpgradeTimeout(d) == nil {
									shared++
									count.Add(1)
									w.Unlock()
								} else {
									w.RUnlock()
								}
							}
						case 3:
							w.RLock()
							_ = shared
							w.RUnlock()
						}
					}
				})
			}
			g.wait()
			writes = int(count.Load())
			assert.Equal(t, writes, shared)
			assert.False(t, w.Locked())
		})
	}
}

func TestWaitAnyTakesFromOne(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		a, b := NewSemaphore(0), NewSemaphore(0)
		e := Event{AutoReset: true}
		assert.Equal(t, -1, TryWaitAny(a, b, &e))
		assert.Equal(t, -1, WaitAnyTimeout(time.Millisecond, a, b, &e))
		_, err := WaitAnyContext(canceledContext(), a)
		assert.ErrorIs(t, err, errWhy)
		assert.ErrorIs(t, panicOf(func() { WaitAny() }), ErrCount)
		g.run(func() { assert.Equal(t, 1, WaitAny(a, b, &e)) })
		awaitWaiting(&e.q, 1)
		b.Release(1)
		g.wait()
		assert.Zero(t, waiting(&a.q)()+waiting(&e.q)())
		e.Set()
		a.Release(1)
		i, err := WaitAnyContext(context.Background(), b, a, &e)
		assert.NoError(t, err)
		assert.Equal(t, 1, i)
		assert.True(t, e.IsSet(), "nothing is taken from the others")
		th, err := Go(func() error { return nil })
		require.NoError(t, err)
		assert.Equal(t, 1, WaitAny(b, th))
		require.NoError(t, th.Join())
	})
}

// What one of several objects gives reaches exactly one waiter, among plain
// waiters, time-outs, and waits for all.
func TestWaitAnyLosesNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		const permits = 300
		a, b := NewSemaphore(0), NewSemaphore(0)
		var taken, both atomic.Int64
		done := func() bool { return taken.Load() == 2*permits }
		for range 2 {
			g.run(func() {
				for !done() {
					if WaitAnyTimeout(20*time.Microsecond, a, b) >= 0 {
						taken.Add(1)
					}
				}
			})
		}
		g.run(func() {
			for !done() {
				if a.AcquireTimeout(1, 20*time.Microsecond) {
					taken.Add(1)
				}
			}
		})
		g.run(func() {
			for !done() {
				if WaitAllTimeout(20*time.Microsecond, b, a) {
					taken.Add(2)
					both.Add(1)
				}
			}
		})
		for range permits {
			a.Release(1)
			b.Release(1)
		}
		g.wait()
		assert.Zero(t, a.Value()+b.Value())
	})
}

// One who waits for two permits at once does not keep one from others.
func TestWaitAllOfTheSameKeepsNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		s := NewSemaphore(1)
		g.run(func() { WaitAll(s, s) })
		awaitWaiting(&s.q, 1)
		assert.Equal(t, 1, s.Value())
		s.Release(1)
		g.wait()
		assert.Zero(t, s.Value())
	})
}

// A WaitAll that finds the rest ready is served in its turn, however many
// others stand in the queue again and again.
func TestWaitAllBesideAStandingQueue(t *testing.T) {
	for _, fair := range []bool{false, true} {
		t.Run(fmt.Sprintf("fair=%v", fair), func(t *testing.T) {
			s := NewSemaphore(2)
			s.Fair = fair
			var e Event
			e.Set()
			var done atomic.Bool
			callers(t, func(t *testing.T, g *group) {
				done.Store(false)
				for range 8 {
					g.run(func() {
						for !done.Load() {
							s.Acquire(1)
							for range 100 {
								runtime.Gosched()
							}
							s.Release(1)
						}
					})
				}
				for range 20 {
					if !assert.True(t, WaitAllTimeout(10*time.Second, s, &e)) {
						break
					}
					s.Release(1)
					if !assert.True(t, WaitAllTimeout(10*time.Second, s)) {
						break
					}
					s.Release(1)
				}
				done.Store(true)
				g.wait()
				assert.Equal(t, 2, s.Value())
				assert.Zero(t, s.reserved)
			})
		})
	}
}

// One thing is there, and who is told of it lacks another: the next is told.
func TestWaitAllThatCannotTakeTellsTheNext(t *testing.T) {
	auto := func() (Waitable, func()) {
		e := &Event{AutoReset: true}
		return e, e.Set
	}
	permit := func() (Waitable, func()) {
		s := NewSemaphore(0)
		return s, func() { s.Release(1) }
	}
	for name, make := range map[string]func() (Waitable, func()){"AutoReset": auto, "Semaphore": permit} {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *group) {
				const others = 5
				w, give := make()
				var lacks, has, served Event
				has.Set()
				for i := range others {
					g.run(func() { WaitAll(w, &lacks) })
					awaitWaiting(queueOf(w), i+1)
				}
				g.run(func() {
					WaitAll(w, &has)
					served.Set()
				})
				awaitWaiting(queueOf(w), others+1)
				give()
				served.Wait()
				awaitWaiting(&lacks.q, others)
				lacks.Set()
				awaitWaiting(queueOf(w), others)
				for range others {
					give()
					await(func() bool {
						queueOf(w).Lock()
						defer queueOf(w).Unlock()
						return !w.WaitSource().Ready()
					})
				}
				g.wait()
				assert.False(t, TryWaitAll(w, &has))
			})
		})
	}
}

// counted counts how often it is asked, under its guard.
type counted struct {
	*Event
	asked int
}

func (c *counted) WaitSource() wait.Source { return countedSource{c.Event.WaitSource(), c} }

type countedSource struct {
	wait.Source
	c *counted
}

func (s countedSource) Ready() bool {
	s.c.asked++
	return s.Source.Ready()
}

// Two waiters that want more than there is look once each, and sleep.
func TestWaitAllsThatWantMoreSleep(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		c := &counted{Event: &Event{AutoReset: true}}
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 2 {
			g.run(func() { assert.ErrorIs(t, WaitAllContext(ctx, c, c), context.Canceled) })
			awaitWaiting(&c.q, i+1)
		}
		c.Set()
		asked := func() int {
			c.q.Lock()
			defer c.q.Unlock()
			return c.asked
		}
		await(func() bool { return asked() >= 6 }) // at first, and when told
		awaitWaiting(&c.q, 2)
		for range 1000 {
			runtime.Gosched()
		}
		assert.LessOrEqual(t, asked(), 12)
		cancel()
		g.wait()
		assert.True(t, c.TryWait(), "what was there is left")
	})
}

func TestWaitAllForMoreThanASemaphoreCanHold(t *testing.T) {
	s := NewBoundedSemaphore(1)
	assert.False(t, TryWaitAll(s, s))
	assert.False(t, WaitAllTimeout(time.Millisecond, s, s))
	assert.ErrorIs(t, panicOf(func() { WaitAll(s, s) }), ErrCount)
	var e Event
	e.Set()
	assert.True(t, TryWaitAll(s, &e))
}

// A told WaitAll gives up at the same time: what was kept for it is others'.
func TestWaitAllThatIsToldAndGivesUp(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		s := NewSemaphore(0)
		var lacks Event
		for range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			g.run(func() { assert.ErrorIs(t, WaitAllContext(ctx, s, &lacks), context.Canceled) })
			awaitWaiting(&s.q, 1)
			g.run(func() { s.Acquire(1) })
			awaitWaiting(&s.q, 2)
			g.run(func() { s.Release(1) })
			cancel()
			g.wait()
			assert.Zero(t, s.Value())
			assert.Zero(t, s.reserved)
		}
	})
}

func TestWaitAllTakesAllOrNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *group) {
		a, b := NewSemaphore(1), NewSemaphore(0)
		var e Event
		assert.True(t, TryWaitAll())
		assert.False(t, TryWaitAll(a, b))
		assert.False(t, WaitAllTimeout(time.Millisecond, a, b, &e))
		assert.ErrorIs(t, WaitAllContext(canceledContext(), a), errWhy)
		assert.Equal(t, 1, a.Value())
		g.run(func() { WaitAll(a, a, b, &e) })
		awaitWaiting(&a.q, 1)
		b.Release(1)
		e.Set()
		assert.Equal(t, 1, b.Value())
		a.Release(1)
		g.wait()
		assert.Zero(t, a.Value()+b.Value())
	})
}
