//go:build cgo && ((linux && !android) || windows) && !portablefutex

package threadtest

import (
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

func TestLockIsSharedWithC(t *testing.T) {
	const threads, times = 4, 125_000
	word := ctest.Malloc(4)
	defer ctest.Free(word)
	counter := (*int64)(ctest.Malloc(8))
	defer ctest.Free(unsafe.Pointer(counter))
	l := (*thread.Lock)(word)
	var goThreads []*thread.Thread
	for range threads {
		th, err := thread.Start(func() {
			for range times {
				l.Lock()
				*counter++
				l.Unlock()
			}
		}, nil)
		require.NoError(t, err)
		goThreads = append(goThreads, th)
	}
	ctest.AddUnder(word, counter, threads, times)
	for _, th := range goThreads {
		require.NoError(t, th.Join())
	}
	assert.EqualValues(t, 2*threads*times, *counter)
	assert.False(t, l.Locked())
}

func TestLockFromC(t *testing.T) {
	word := ctest.Malloc(4)
	defer ctest.Free(word)
	l := (*thread.Lock)(word)
	assert.Equal(t, syscall.EPERM, ctest.Unlock(word))
	l.Lock()
	assert.Equal(t, syscall.EBUSY, ctest.TryLock(word))
	assert.Equal(t, syscall.ETIMEDOUT, ctest.TimedLock(word, 0, 0))
	assert.Equal(t, syscall.ETIMEDOUT, ctest.TimedLock(word, math.MinInt, 0))
	assert.Equal(t, syscall.EINVAL, ctest.TimedLock(word, 0, 1e9))
	assert.Equal(t, syscall.Errno(0), ctest.Unlock(word))
	assert.Equal(t, syscall.Errno(0), ctest.Lock(word))
	assert.True(t, l.Locked())
	assert.False(t, l.TryLock())
	l.Unlock()
	assert.Equal(t, syscall.Errno(0), ctest.TimedLock(word, math.MaxInt, 0))
	// So far away that the time left overflows every unit it is converted to.
	far := make(chan syscall.Errno)
	go func() { far <- ctest.TimedLock(word, math.MaxInt, 999_999_999) }()
	for atomic.LoadUint32((*uint32)(word)) != contended {
		runtime.Gosched()
	}
	l.Unlock()
	assert.Equal(t, syscall.Errno(0), <-far)
	assert.PanicsWithError(t, "thread: Lock.Unlock: "+thread.ErrNotLocked.Error(), func() {
		l.Unlock()
		l.Unlock()
	})
}
