package osthread

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
)

func TestRWLockReadersShare(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var w RWLock
		all := NewBarrier(3, nil)
		for range 3 {
			g.Run(func() {
				w.RLock()
				_, err := all.Wait() // all are in at once
				assert.NoError(t, err)
				assert.False(t, w.TryLock())
				_, err = all.Wait()
				assert.NoError(t, err)
				w.RUnlock()
			})
		}
		g.Wait()
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

// Nothing acquires between an RUnlock too many and its undoing, and what came
// in between is served afterwards.
func TestRWLockRUnlockTooManyIsUndone(t *testing.T) {
	for name, acquire := range map[string]func(w *RWLock){"reader": (*RWLock).RLock, "writer": (*RWLock).Lock} {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) {
				var w RWLock
				s := w.word.Add(minusReader)
				assert.False(t, w.TryLock())
				assert.False(t, w.TryRLock())
				assert.Zero(t, w.Readers())
				assert.False(t, w.Locked())
				assert.ErrorIs(t, panicOf(func() { _ = w.TryUpgrade() }), ErrNotLocked)
				g.Run(func() { acquire(&w) })
				awaitWaiting(w.queue(), 1)
				assert.ErrorIs(t, panicOf(func() { w.runlockSlow(s) }), ErrNotLocked)
				g.Wait()
				assert.True(t, w.Locked())
			})
		})
	}
}

func TestRWLockRUnlocksTooManyChangeNothing(t *testing.T) {
	const each = 1000
	callers(t, func(t *testing.T, g *testutil.Group) {
		var w RWLock
		var left atomic.Int64
		n := 0
		for range 4 {
			left.Add(1)
			g.Run(func() {
				for range each {
					w.Lock()
					n++
					w.Unlock()
				}
				left.Add(-1)
			})
			g.Run(func() {
				for left.Load() > 0 {
					assert.ErrorIs(t, panicOf(w.RUnlock), ErrNotLocked)
				}
			})
		}
		g.Wait()
		assert.Equal(t, 4*each, n)
		assert.Zero(t, w.word.Load()&^rwWatched)
	})
}

func TestRWLockPreference(t *testing.T) {
	for _, readers := range []bool{false, true} {
		callers(t, func(t *testing.T, g *testutil.Group) {
			w := RWLock{PreferReaders: readers}
			w.RLock()
			g.Run(func() {
				w.Lock()
				//lint:ignore SA2001 only acquiring it matters
				w.Unlock()
			})
			awaitWaiting(w.queue(), 1)
			assert.Equal(t, readers, w.TryRLock())
			if readers {
				w.RUnlock()
			}
			w.RUnlock()
		})
	}
}

func TestRWLockUpgradeAndDowngrade(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var w RWLock
		w.RLock()
		assert.NoError(t, w.TryUpgrade())
		w.Downgrade()
		w.RLock()
		assert.ErrorIs(t, w.TryUpgrade(), ErrTimeout)
		assert.ErrorIs(t, w.UpgradeTimeout(time.Millisecond), ErrTimeout)
		assert.ErrorIs(t, w.UpgradeContext(canceledContext()), errWhy)
		var order []string
		g.Run(func() {
			w.Lock()
			order = append(order, "writer")
			w.Unlock()
		})
		awaitWaiting(w.queue(), 1)
		g.Run(func() {
			assert.NoError(t, w.Upgrade())
			order = append(order, "upgrader")
			w.Downgrade()
			w.RUnlock()
		})
		await(func() bool {
			w.queue().Lock()
			defer w.queue().Unlock()
			return w.queue().queued[toUpgrade] > 0
		})
		assert.ErrorIs(t, w.Upgrade(), ErrDeadlock)
		w.RUnlock()
		g.Wait()
		assert.Equal(t, []string{"upgrader", "writer"}, order)
	})
}

// An unlock of what is not locked neither breaks mutual exclusion nor makes
// other callers' unlocks fail.
func TestRWLockMisuseDuringUse(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
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
			g.Run(func() {
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
		g.Wait()
		over.Store(true)
		misused.Wait()
		assert.Contains(t, w.String(), ", unlocked)")
	})
}

// An RUnlock too many does not take back the reader that a Downgrade makes.
func TestRWLockDowngradeDuringMisuse(t *testing.T) {
	var w RWLock
	var over atomic.Bool
	var misused sync.WaitGroup
	misused.Go(func() {
		for !over.Load() {
			assert.ErrorIs(t, panicOf(func() { w.Lock(); defer w.Unlock(); w.RUnlock() }), ErrNotLocked)
		}
	})
	for range 1000 {
		w.Lock()
		assert.ErrorIs(t, panicOf(w.RUnlock), ErrNotLocked)
		w.Downgrade()
		require.Equal(t, 1, w.Readers())
		require.False(t, w.TryLock(), "a writer beside the reader")
		w.RUnlock()
	}
	over.Store(true)
	misused.Wait()
	assert.Contains(t, w.String(), ", unlocked)")
}

func TestRWLockUpgradeDuringMisuse(t *testing.T) {
	var w RWLock
	var misused sync.WaitGroup
	for range 2 {
		misused.Go(func() {
			for range 1000 {
				assert.ErrorIs(t, panicOf(w.RUnlock), ErrNotLocked)
				assert.ErrorIs(t, panicOf(func() { _ = w.TryUpgrade() }), ErrNotLocked)
			}
		})
	}
	misused.Wait()
	assert.True(t, w.TryLock())
	w.Unlock()
	assert.Zero(t, w.word.Load()&^rwWatched)
}

// In a fair lock no newcomer passes a waiter. Waiters acquire in order, readers
// together.
func TestRWLockFair(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		w := RWLock{Fair: true}
		w.Lock()
		var mu sync.Mutex
		var order []string
		came := func(caller string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, caller)
		}
		both := NewBarrier(2, nil)
		for i, caller := range []string{"writer", "readers", "readers", "writer again"} {
			g.Run(func() {
				if caller != "readers" {
					w.Lock()
					came(caller)
					w.Unlock()
					return
				}
				w.RLock()
				came(caller)
				_, err := both.Wait()
				assert.NoError(t, err)
				w.RUnlock()
			})
			awaitWaiting(w.queue(), i+1)
		}
		w.Unlock()
		w.Lock() // stands behind all of them
		came("last")
		w.Unlock()
		g.Wait()
		assert.Equal(t, []string{"writer", "readers", "readers", "writer again", "last"}, order)
	})
}

// Readers of which one always holds the lock do not starve a writer, and
// writers in close succession do not starve a reader.
func TestRWLockStarvesNoWaiter(t *testing.T) {
	for _, readers := range []bool{true, false} {
		callers(t, func(t *testing.T, g *testutil.Group) {
			var w RWLock
			var over atomic.Bool
			for range 3 {
				g.Run(func() {
					for !over.Load() {
						if readers {
							w.RLock()
							w.RLocker().Unlock()
						} else {
							w.Lock()
							//lint:ignore SA2001 the lock is held without a pause
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
		callers(t, func(t *testing.T, g *testutil.Group) {
			w := RWLock{PreferReaders: kind == "prefer readers", Fair: kind == "fair"}
			shared, writes := 0, 0
			var count atomic.Int64
			for i := range 6 {
				g.Run(func() {
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
			g.Wait()
			writes = int(count.Load())
			assert.Equal(t, writes, shared)
			assert.False(t, w.Locked())
		})
	}
}
