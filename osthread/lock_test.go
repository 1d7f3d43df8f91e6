package osthread

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "unsafe" // for linkname

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/testutil"
)

// A locker has the methods of all exclusive locks.
type locker interface {
	sync.Locker
	TryLock() bool
	LockTimeout(time.Duration) bool
	LockContext(context.Context) error
	Locked() bool
}

var lockers = map[string]func() locker{
	"Lock":       func() locker { return new(Lock) },
	"fair Lock":  func() locker { return &Lock{Fair: true} },
	"RLock":      func() locker { return new(RLock) },
	"fair RLock": func() locker { return &RLock{Fair: true} },
	"RWLock":     func() locker { return new(RWLock) },
}

func eachLock(t *testing.T, f func(t *testing.T, g *testutil.Group, l locker)) {
	for name, newLock := range lockers {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) { f(t, g, newLock()) })
		})
	}
}

var errWhy = errors.New("why")

func canceledContext() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errWhy)
	return ctx
}

func TestLockShapes(t *testing.T) {
	eachLock(t, func(t *testing.T, g *testutil.Group, l locker) {
		assert.False(t, l.Locked())
		hold, held := make(chan struct{}), make(chan struct{})
		leave := g.Run(func() {
			l.Lock()
			close(held)
			<-hold
			l.Unlock()
		})
		<-held
		assert.True(t, l.Locked())
		g.Run(func() {
			assert.False(t, l.TryLock())
			assert.False(t, l.LockTimeout(0))
			assert.False(t, l.LockTimeout(-time.Hour))
			began := time.Now()
			assert.False(t, l.LockTimeout(2*time.Millisecond))
			assert.GreaterOrEqual(t, time.Since(began), 2*time.Millisecond)
			assert.ErrorIs(t, l.LockContext(canceledContext()), errWhy)
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			assert.ErrorIs(t, l.LockContext(ctx), context.DeadlineExceeded)
		})()
		close(hold)
		leave()
		g.Run(func() {
			assert.ErrorIs(t, l.LockContext(canceledContext()), errWhy, "free, but the context is done")
			assert.True(t, l.TryLock())
			l.Unlock()
			assert.True(t, l.LockTimeout(TimeoutMax))
			l.Unlock()
			assert.NoError(t, l.LockContext(context.Background()))
			l.Unlock()
		})()
		assert.False(t, l.Locked())
	})
}

func TestLockExcludes(t *testing.T) {
	eachLock(t, func(t *testing.T, g *testutil.Group, l locker) {
		const callers, rounds = 8, 300
		n := 0
		for range callers {
			g.Run(func() {
				for range rounds {
					l.Lock()
					n++
					l.Unlock()
				}
			})
		}
		g.Wait()
		assert.Equal(t, callers*rounds, n)
	})
}

// Timeouts and cancellations may come at any point before the sleep and before
// the lock is acquired. None may consume a wakeup.
func TestLockLosesNoWakeupAmongTimeoutsAndCancellations(t *testing.T) {
	eachLock(t, func(t *testing.T, g *testutil.Group, l locker) {
		var inside atomic.Int32
		for range 6 {
			g.Run(func() {
				for range 300 {
					ok := false
					switch rand.IntN(4) {
					case 0:
						l.Lock()
						ok = true
					case 1:
						ok = l.TryLock()
					case 2:
						ok = l.LockTimeout(time.Duration(rand.IntN(30)) * time.Microsecond)
					case 3:
						ctx, cancel := context.WithCancel(context.Background())
						go cancel()
						ok = l.LockContext(ctx) == nil
						cancel()
					}
					if !ok {
						continue
					}
					assert.EqualValues(t, 1, inside.Add(1))
					if rand.IntN(8) == 0 {
						runtime.Gosched()
					}
					inside.Add(-1)
					l.Unlock()
				}
			})
		}
		g.Wait()
		assert.True(t, l.TryLock())
		l.Unlock()
	})
}

func TestLockMayBeUnlockedByAnyThread(t *testing.T) {
	for _, fair := range []bool{false, true} {
		callers(t, func(t *testing.T, g *testutil.Group) {
			l := &Lock{Fair: fair}
			l.Lock()
			locked := make(chan struct{})
			for i := range 3 {
				g.Run(func() {
					l.Lock()
					locked <- struct{}{}
				})
				awaitWaiting(l.queue(), i+1)
			}
			for range 3 {
				l.Unlock()
				<-locked
			}
			l.Unlock()
		})
	}
}

func TestLockFairHandsOffInOrder(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		l := &Lock{Fair: true}
		l.Lock()
		var order []int
		for i := range 5 {
			g.Run(func() {
				l.Lock()
				order = append(order, i)
				l.Unlock()
			})
			awaitWaiting(l.queue(), i+1)
		}
		l.Unlock()
		l.Lock() // after all of them
		assert.Equal(t, []int{0, 1, 2, 3, 4}, order)
		l.Unlock()
	})
}

// A waiter is not bypassed for much longer than starvationThreshold, however
// fast the owner locks again.
func TestLockHandsOffAfterStarvationThreshold(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var l Lock
		var stop atomic.Bool
		spins := runtime.GOMAXPROCS(0)
		for range spins {
			g.Run(func() {
				for !stop.Load() {
					l.Lock()
					for range 50 {
						runtime.KeepAlive(l.word.Load())
					}
					l.Unlock()
				}
			})
		}
		g.Run(func() {
			for range 20 {
				l.Lock() // the time limit of the test ends a wait that never succeeds
				//lint:ignore SA2001 only acquiring it matters
				l.Unlock()
			}
		})()
		stop.Store(true)
	})
}

func TestLockUnlockOfUnlockedPanics(t *testing.T) {
	tests := []struct {
		name string
		l    locker
		want error
	}{
		{"Lock", new(Lock), ErrNotLocked},
		{"fair Lock", &Lock{Fair: true}, ErrNotLocked},
		{"RLock", new(RLock), ErrNotOwner},
		{"RWLock", new(RWLock), ErrNotLocked},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.ErrorIs(t, panicOf(test.l.Unlock), test.want)
			assert.False(t, test.l.Locked())
			assert.True(t, test.l.TryLock())
			test.l.Unlock()
		})
	}
}

func TestRLockCountsItsOwnersLocks(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var r RLock
		entered, leave := make(chan struct{}), make(chan struct{})
		g.Run(func() {
			assert.False(t, r.Owned())
			r.Lock()
			assert.True(t, r.TryLock())
			assert.True(t, r.LockTimeout(-1))
			assert.NoError(t, r.LockContext(context.Background()))
			for range 3 {
				r.Unlock()
				assert.True(t, r.Owned())
				assert.True(t, r.Locked())
			}
			entered <- struct{}{}
			<-leave
			r.Unlock()
			assert.False(t, r.Owned())
			assert.ErrorIs(t, panicOf(r.Unlock), ErrNotOwner)
		})
		<-entered
		g.Run(func() {
			assert.False(t, r.TryLock())
			assert.ErrorIs(t, panicOf(r.Unlock), ErrNotOwner, "of another's")
			assert.True(t, r.Locked())
			assert.Contains(t, r.String(), "locked by")
		})()
		close(leave)
		g.Wait()
		assert.False(t, r.Locked())
		assert.Contains(t, r.String(), ", unlocked)")
	})
}

func TestRLockDepthDoesNotWrap(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		g.Run(func() {
			var r RLock
			r.Lock()
			r.depth = math.MaxInt32
			assert.ErrorIs(t, panicOf(r.Lock), ErrCount)
			assert.True(t, r.Owned())
			r.depth = 0
			r.Unlock()
			assert.False(t, r.Locked())
		})()
	})
}

// The owner is known by a serial, so a thread does not own the lock of an ended
// thread even if it gets that thread's ident and id.
func TestRLockOfEndedThreadStaysLocked(t *testing.T) {
	var r RLock
	th, err := Go(func() error { r.Lock(); return nil })
	require.NoError(t, err)
	require.NoError(t, th.Join())
	reused := false
	for i := 0; i < 50 && !reused; i++ {
		next, err := Go(func() error {
			assert.False(t, r.Owned())
			assert.False(t, r.TryLock())
			assert.ErrorIs(t, panicOf(r.Unlock), ErrNotOwner)
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, next.Join())
		reused = next.Ident() == th.Ident()
	}
	assert.True(t, r.Locked())
}

// An Attach while the lock is held changes the thread's record, but not the
// lock's owner or the pinning of the goroutine.
func TestRLockAcrossAttach(t *testing.T) {
	var r RLock
	r.Lock()
	_, err := thread.Attach()
	require.NoError(t, err)
	assert.True(t, r.TryLock())
	r.Unlock()
	r.Unlock()
	require.NoError(t, thread.Detach())
	assert.False(t, r.Locked())
	assert.False(t, r.pinned)
}

// A goroutine that holds an RLock is pinned to its thread until the last
// Unlock.
func TestRLockPinsItsGoroutineToAThread(t *testing.T) {
	var r RLock
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				r.Lock()
				r.Lock()
				runtime.Gosched()
				assert.True(t, r.Owned())
				r.Unlock()
				runtime.Gosched()
				r.Unlock()
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	assert.False(t, r.Locked())
}

// Without cgo a thread's slot is a row of a table: a goroutine that moves to
// another thread during the check must not act as that one.
func TestRLockOfGoroutineAmongShortLivedThreads(t *testing.T) {
	const rounds = 2000
	var done atomic.Bool
	var threads, locking sync.WaitGroup
	for range 6 {
		threads.Go(func() {
			for !done.Load() {
				th, err := Go(func() error { runtime.Gosched(); return nil })
				if assert.NoError(t, err) {
					assert.NoError(t, th.Join())
				}
			}
		})
	}
	for range 4 {
		locking.Go(func() {
			r := new(RLock) // nobody else knows it
			for range rounds {
				r.Lock()
				if !assert.NoError(t, panicOf(r.Unlock)) {
					return
				}
			}
		})
	}
	locking.Wait()
	done.Store(true)
	threads.Wait()
}

// serials is package thread's counter, to let threads begin far apart.
//
//go:linkname serials example.com/thread.serials
var serials atomic.Uint64

// A slot of 32 bits has no room for the whole of a serial.
func TestRLockOfThreadIsNotALaterThreads(t *testing.T) {
	var r RLock
	held, leave := make(chan struct{}), make(chan struct{})
	holder, err := Go(func() error {
		r.Lock()
		close(held)
		<-leave
		return panicOf(r.Unlock)
	})
	require.NoError(t, err)
	<-held
	for _, apart := range []uint64{1 << 15, 1 << 16, 1 << 20} {
		low, err := holder.OSThread()
		require.NoError(t, err)
		serials.Store(low.Serial() + apart - 1)
		th, err := Go(func() error {
			assert.False(t, r.Owned(), "%d threads after the holder", apart)
			assert.False(t, r.TryLock(), "%d threads after the holder", apart)
			return panicOf(r.Unlock)
		})
		require.NoError(t, err)
		assert.ErrorIs(t, th.Join(), ErrNotOwner, "%d threads after the holder", apart)
	}
	close(leave)
	assert.NoError(t, holder.Join())
}

// Threads made by Go have no record. The slots are set by hand, since Go makes
// few threads.
func TestRLockOfGoroutineIsNotALaterThreads(t *testing.T) {
	onThread := func(slot uintptr, f func()) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		was := ident.ID()
		defer ident.SetSlot(was)
		ident.SetSlot(slot)
		f()
	}
	const serial = 1 << 20
	var r RLock
	onThread(ident.Make(serial, 0), func() {
		r.Lock()
		for _, apart := range []uint64{1, 1 << 15, 1 << 16, 1 << 20, 1 << 30} {
			done := make(chan struct{})
			go onThread(ident.Make(serial+apart, 0), func() {
				defer close(done)
				assert.False(t, r.Owned(), apart)
				assert.False(t, r.TryLock(), apart)
			})
			<-done
		}
		r.Unlock()
	})
}

// An Unlock by a goroutine that holds nothing panics, whatever threads it and
// the holder are on meanwhile.
func TestRLockUnlockByAnotherGoroutinePanics(t *testing.T) {
	const rounds = 2000
	var r RLock
	var done atomic.Bool
	var strangers, holders sync.WaitGroup
	for range 4 {
		strangers.Go(func() {
			for !done.Load() {
				if !assert.ErrorIs(t, panicOf(r.Unlock), ErrNotOwner) {
					return
				}
				runtime.Gosched()
			}
		})
	}
	for range 2 {
		holders.Go(func() {
			for range rounds {
				r.Lock()
				runtime.Gosched()
				if !assert.NoError(t, panicOf(r.Unlock)) {
					return
				}
			}
		})
	}
	holders.Wait()
	done.Store(true)
	strangers.Wait()
}
