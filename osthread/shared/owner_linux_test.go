package shared

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
)

// onFirst starts f in a goroutine that begins on the first thread, which must
// be free.
func onFirst(t *testing.T, f func()) {
	others := make(chan struct{}) // occupy the threads that the scheduler takes before it
	defer close(others)
	tried := make(chan bool)
	for range 1000 {
		go func() {
			runtime.LockOSThread()
			first := onFirstThread(readSelf(false))
			tried <- first
			if !first {
				<-others
			}
			runtime.UnlockOSThread()
			if first {
				f()
			}
		}()
		if <-tried {
			return
		}
		time.AfterFunc(0, func() {}) // a thread that polls for the runtime's timers comes back
	}
	require.FailNow(t, "the first thread is not free")
}

// A goroutine that ends with an object locked ends another thread if it begins
// on the process's first, which cannot end.
func TestGoroutineThatBeginsOnTheFirstThreadEndsLocked(t *testing.T) {
	leak.InChild(t, func() {
		watch(t)
		for range 20 {
			endLocked(t, newMutex(t, MutexAttr{Robust: true}), func(f func()) { onFirst(t, f) })

			var rw RWMutex
			require.NoError(t, rw.Init(RWMutexAttr{Robust: true}))
			done := make(chan struct{})
			onFirst(t, func() {
				defer close(done)
				assert.NoError(t, rw.Lock())
			})
			<-done
			require.ErrorIs(t, rw.Lock(), ErrOwnerDead)

			var o Once
			done = make(chan struct{})
			onFirst(t, func() {
				defer close(done)
				assert.NoError(t, o.Do(func() { assert.False(t, onFirstThread(readSelf(false))) }))
			})
			<-done
		}
	})
}

// A goroutine that is locked to the first thread stays there.
func TestGoroutineLockedToTheFirstThreadStays(t *testing.T) {
	leak.InChild(t, func() {
		watch(t)
		m := newMutex(t, MutexAttr{Robust: true})
		done := make(chan struct{})
		onFirst(t, func() {
			defer close(done)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			before := readSelf(false)
			for range 100 {
				assert.NoError(t, m.Lock())
				assert.Equal(t, before, readSelf(false))
				assert.NoError(t, m.Unlock())
			}
		})
		<-done
	})
}
