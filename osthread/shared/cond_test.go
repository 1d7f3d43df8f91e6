//go:build !plan9

package shared

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// eachCond runs test with conditions for one process and for several, and with
// each kind of lock.
func eachCond(t *testing.T, test func(t *testing.T, c *Cond, m CondLocker)) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		for name, attr := range map[string]MutexAttr{
			"normal":     {},
			"errorcheck": {Kind: ErrorCheck},
			"recursive":  {Kind: Recursive},
			"robust":     {Robust: true},
		} {
			if attr.Robust && !canRobust {
				continue
			}
			t.Run(name, func(t *testing.T) {
				c, m := new(Cond), new(Mutex)
				attr.ProcessShared = processShared
				require.NoError(t, m.Init(attr))
				require.NoError(t, c.Init(processShared))
				test(t, c, m)
			})
		}
		if !processShared {
			t.Run("plain", func(t *testing.T) { test(t, new(Cond), Plain(new(thread.Lock))) })
		}
	})
}

// inTheEnd calls wait until it has an error: before, it may end spuriously.
func inTheEnd(wait func() error) error {
	for {
		if err := wait(); err != nil {
			return err
		}
	}
}

func TestCondTimeoutHasTheLockAgain(t *testing.T) {
	eachCond(t, func(t *testing.T, c *Cond, m CondLocker) {
		require.NoError(t, m.Lock())
		noise := make(chan struct{})
		endsInTime(
			t,
			func(d time.Duration) error { return inTheEnd(func() error { return c.WaitTimeout(m, d) }) },
			func(d Deadline) error { return inTheEnd(func() error { return c.WaitUntil(m, d) }) },
			func(ctx context.Context) error { return inTheEnd(func() error { return c.WaitContext(ctx, m) }) },
		)
		go func() {
			defer close(noise)
			assert.NoError(t, m.Lock())
			assert.NoError(t, m.Unlock())
		}()
		assert.NoError(t, m.Unlock())
		<-noise
		assert.Zero(t, c.waiters.Load())
		assert.Contains(t, c.String(), "0 waiters")
	})
}

// Tokens that producers make, with one Signal each, are all taken, by consumers
// of which some give up.
func TestCondSignalIsNotLost(t *testing.T) {
	eachCond(t, func(t *testing.T, c *Cond, m CondLocker) {
		const consumers, times = 4, 400
		tokens := 0
		var wg sync.WaitGroup
		for i := range consumers {
			wg.Go(func() {
				for n := range times {
					assert.NoError(t, m.Lock())
					for tokens == 0 {
						waitSomehow(t, c, m, i*consumers+n)
					}
					tokens--
					assert.NoError(t, m.Unlock())
				}
			})
		}
		for n := range consumers * times {
			assert.NoError(t, m.Lock())
			tokens++
			if n%2 == 0 {
				assert.NoError(t, c.Signal())
			}
			assert.NoError(t, m.Unlock())
			if n%2 != 0 {
				assert.NoError(t, c.Signal())
			}
		}
		wg.Wait()
		assert.Zero(t, tokens)
		assert.Zero(t, c.waiters.Load())
	})
}

func waitSomehow(t *testing.T, c *Cond, m CondLocker, shape int) {
	const d = 30 * time.Microsecond
	var err error
	switch shape % 5 {
	case 0:
		err = c.WaitTimeout(m, d)
	case 1:
		err = c.WaitUntil(m, Realtime.After(d))
	case 2:
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		err = c.WaitContext(ctx, m)
	default:
		assert.NoError(t, c.Wait(m))
		return
	}
	if err != nil {
		runtime.Gosched()
	}
}

func TestCondBroadcastWakesAll(t *testing.T) {
	eachCond(t, func(t *testing.T, c *Cond, m CondLocker) {
		const waiters = 5
		for range 20 {
			released := false
			var wg sync.WaitGroup
			for range waiters {
				wg.Go(func() {
					assert.NoError(t, m.Lock())
					for !released {
						assert.NoError(t, c.Wait(m))
					}
					assert.NoError(t, m.Unlock())
				})
			}
			eventually(t, "all wait", func() bool { return c.waiters.Load() == waiters })
			assert.NoError(t, m.Lock())
			released = true
			assert.NoError(t, c.Broadcast())
			assert.NoError(t, m.Unlock())
			wg.Wait()
		}
	})
}

// A waiter whose context ends does not use up the Signal for another.
func TestCondContextLosesNoSignal(t *testing.T) {
	watch(t)
	c, m := new(Cond), new(Mutex)
	for range 300 {
		ctx, cancel := context.WithCancel(context.Background())
		taken := false
		var wg sync.WaitGroup
		for _, ctx := range []context.Context{ctx, context.Background()} {
			wg.Go(func() {
				assert.NoError(t, m.Lock())
				for !taken {
					if err := c.WaitContext(ctx, m); err != nil {
						break
					}
				}
				assert.NoError(t, m.Unlock())
			})
		}
		eventually(t, "both wait", func() bool { return c.waiters.Load() == 2 })
		go cancel()
		assert.NoError(t, m.Lock())
		taken = true
		assert.NoError(t, m.Unlock())
		assert.NoError(t, c.Signal())
		eventually(t, "one has left", func() bool { return c.waiters.Load() < 2 })
		assert.NoError(t, c.Signal())
		wg.Wait()
		cancel()
	}
}

func TestCondWaitNeedsTheLockOnce(t *testing.T) {
	watch(t)
	c, m := new(Cond), new(Mutex)
	require.NoError(t, m.Init(MutexAttr{Kind: Recursive}))
	assert.ErrorIs(t, c.Wait(m), ErrNotOwner)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	assert.NoError(t, m.Lock())
	assert.NoError(t, m.Lock())
	assert.ErrorIs(t, c.Wait(m), ErrInvalid)
	assert.NoError(t, m.Unlock())
	assert.ErrorIs(t, c.WaitTimeout(m, 1), ErrTimeout)
	assert.NoError(t, m.Unlock())
	assert.Panics(t, func() { _ = c.Wait(Plain(new(thread.Lock))) })
	assert.Zero(t, c.waiters.Load())
	if canShare() {
		require.NoError(t, c.Init(true))
		assert.ErrorIs(t, c.Wait(Plain(new(thread.Lock))), ErrInvalid)
	}
}

func TestCondWithoutWaitersIsNotChanged(t *testing.T) {
	c := new(Cond)
	assert.NoError(t, c.Signal())
	assert.NoError(t, c.Broadcast())
	assert.Zero(t, c.seq.Load())
}

func TestCondSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	c, m := new(Cond), new(Mutex)
	c.attr.word.Store(semMark)
	assert.NoError(t, m.Lock())
	assert.ErrorIs(t, c.Wait(m), ErrCorrupt)
	assert.ErrorIs(t, c.Signal(), ErrCorrupt)
	assert.ErrorIs(t, c.Broadcast(), ErrCorrupt)
	assert.NoError(t, m.Unlock())
	assert.Contains(t, c.String(), "corrupt")
}

// The number of waiters may be wrong: too many cost a system call, too few a
// wakeup, which the deadline ends.
func TestCondCountOfWaitersMayBeWrong(t *testing.T) {
	watch(t)
	c, m := new(Cond), new(Mutex)
	c.waiters.Store(7)
	assert.NoError(t, c.Signal())
	assert.NoError(t, c.Broadcast())
	assert.NoError(t, m.Lock())
	assert.ErrorIs(t, c.WaitTimeout(m, time.Millisecond), ErrTimeout)
	assert.NoError(t, m.Unlock())
	assert.EqualValues(t, 7, c.waiters.Load())
}

// The sequence wraps around.
func TestCondSequenceWraps(t *testing.T) {
	watch(t)
	c, m := new(Cond), new(Mutex)
	c.seq.Store(^uint32(0))
	var done atomic.Bool
	assert.NoError(t, m.Lock())
	go func() {
		assert.NoError(t, m.Lock())
		done.Store(true)
		assert.NoError(t, m.Unlock())
		assert.NoError(t, c.Signal())
	}()
	for !done.Load() {
		assert.NoError(t, c.Wait(m))
	}
	assert.NoError(t, m.Unlock())
}
