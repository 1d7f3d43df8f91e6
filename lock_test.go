package thread

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
)

// A Lock is a sync.Locker.
var _ sync.Locker = (*Lock)(nil)

func TestLockIsOneWordOfFourBytes(t *testing.T) {
	assert.EqualValues(t, 4, unsafe.Sizeof(Lock{}))
}

func TestLockExcludes(t *testing.T) {
	const threads, times = 8, 2000
	var l Lock
	var wg sync.WaitGroup
	counter := 0
	for i := range threads {
		wg.Add(1)
		body := func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			for range times {
				lockSomehow(&l, rng)
				counter++
				l.Unlock()
			}
		}
		if i%2 == 0 {
			go body()
			continue
		}
		th, err := Start(body, nil)
		require.NoError(t, err)
		defer func() { assert.NoError(t, th.Join()) }()
	}
	wg.Wait()
	assert.Equal(t, threads*times, counter)
	assert.False(t, l.Locked())
}

// lockSomehow locks l by a random method, repeating those that give up.
func lockSomehow(l *Lock, rng *rand.Rand) {
	switch rng.IntN(4) {
	case 0:
		l.Lock()
	case 1:
		for !l.TryLock() {
			Yield()
		}
	case 2:
		for !l.LockTimeout(time.Duration(rng.IntN(20)) * time.Microsecond) {
		}
	default:
		for {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(50))*time.Microsecond)
			err := l.LockContext(ctx)
			cancel()
			if err == nil {
				return
			}
		}
	}
}

// A waiter that gives up must not consume the only wakeup: a waiter without a
// timeout waits among others that give up.
func TestLockTimeoutLosesNoWakeup(t *testing.T) {
	var l Lock
	var wg sync.WaitGroup
	for range 500 {
		l.Lock()
		wg.Add(2)
		go func() {
			defer wg.Done()
			l.Lock()
			defer l.Unlock()
		}()
		go func() {
			defer wg.Done()
			if l.LockTimeout(time.Duration(rand.IntN(100)) * time.Microsecond) {
				l.Unlock()
			}
		}()
		for l.word.Load() != contended { // until a waiter sleeps, or is about to
			Yield()
		}
		l.Unlock()
		wg.Wait()
	}
}

func TestLockUnlockByAnotherThread(t *testing.T) {
	var l Lock
	l.Lock()
	th, err := Start(l.Unlock, nil)
	require.NoError(t, err)
	l.Lock()
	require.NoError(t, th.Join())
	l.Unlock()
}

func TestLockUnlockOfUnlockedPanicsAndLeavesItUnlocked(t *testing.T) {
	var l Lock
	func() {
		defer func() {
			err, ok := recover().(error)
			require.True(t, ok)
			assert.ErrorIs(t, err, ErrNotLocked)
		}()
		l.Unlock()
	}()
	assert.False(t, l.Locked())
	assert.True(t, l.TryLock())
	assert.True(t, l.Locked())
	assert.False(t, l.TryLock())
	l.Unlock()
}

func TestLockTimeout(t *testing.T) {
	var l Lock
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, time.Hour, math.MaxInt64} {
		assert.True(t, l.LockTimeout(d), "free lock, %v", d)
		l.Unlock()
	}
	l.Lock()
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, 5 * time.Millisecond} {
		before := time.Now()
		assert.False(t, l.LockTimeout(d), "%v", d)
		assert.GreaterOrEqual(t, time.Since(before), d)
	}
	got := make(chan bool)
	go func() { got <- l.LockTimeout(math.MaxInt64) }()
	for l.word.Load() != contended {
		Yield()
	}
	l.Unlock()
	assert.True(t, <-got)
}

func TestLockContext(t *testing.T) {
	var l Lock
	cause := errors.New("cause")
	done, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	assert.Equal(t, cause, l.LockContext(done), "done before, lock free")
	assert.False(t, l.Locked())

	l.Lock()
	const waiters = 4
	ctx, cancel := context.WithCancelCause(context.Background())
	errs := make(chan error, waiters)
	for range waiters {
		go func() { errs <- l.LockContext(ctx) }()
	}
	plain := make(chan struct{})
	go func() { l.Lock(); close(plain) }()
	for l.word.Load() != contended {
		Yield()
	}
	cancel(cause)
	for range waiters {
		assert.Equal(t, cause, <-errs)
	}
	l.Unlock()
	<-plain // the cancellation has not consumed this waiter's wakeup
	assert.NoError(t, func() error { l.Unlock(); return l.LockContext(context.Background()) }())
}

// A Lock in a local variable must escape to the heap: the stack moves when it
// grows, while waiters sleep on the word.
func TestLockOnAStackDoesNotMove(t *testing.T) {
	moved := make(chan bool)
	go func() {
		var l Lock
		before := uintptr(unsafe.Pointer(&l))
		l.Lock()
		grow(1000)
		l.Unlock()
		moved <- uintptr(unsafe.Pointer(&l)) != before
	}()
	assert.False(t, <-moved)
}

func grow(n int) (sum byte) {
	var frame [1024]byte
	if n > 0 {
		sum = grow(n - 1)
	}
	frame[n%len(frame)] = sum
	return frame[0]
}

func TestLockFutexIsItsWord(t *testing.T) {
	var l Lock
	l.Lock()
	assert.Equal(t, futex.Changed, futex.Wait(l.futex(), free, futex.Never))
	l.Unlock()
}

// The context is done before the lock is free, so the wait must not acquire it.
func TestLockContextDoneBeforeUnlockDoesNotLock(t *testing.T) {
	for range 100 {
		var l Lock
		l.Lock()
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan error)
		go func() { got <- l.LockContext(ctx) }()
		for l.word.Load() != contended {
			runtime.Gosched()
		}
		cancel()
		l.Unlock()
		require.ErrorIs(t, <-got, context.Canceled)
		require.False(t, l.Locked())
	}
}

func TestLockString(t *testing.T) {
	var l Lock
	assert.Contains(t, l.String(), ", unlocked)")
	l.Lock()
	assert.Contains(t, l.String(), ", locked)")
	l.Unlock()
}
