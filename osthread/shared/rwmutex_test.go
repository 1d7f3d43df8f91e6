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

	"example.com/thread/internal/testutil"
)

// eachRW runs test with locks of all attributes.
func eachRW(t *testing.T, test func(t *testing.T, rw *RWMutex)) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		for name, robust := range map[string]bool{"stalled": false, "robust": true} {
			if robust && !canRobust {
				continue
			}
			t.Run(name, func(t *testing.T) {
				rw := new(RWMutex)
				require.NoError(t, rw.Init(RWMutexAttr{Robust: robust, ProcessShared: processShared}))
				test(t, rw)
			})
		}
	})
	t.Run("zero value", func(t *testing.T) { watch(t); test(t, new(RWMutex)) })
}

func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	<-done
}

func TestRWMutexExcludes(t *testing.T) {
	eachRW(t, func(t *testing.T, rw *RWMutex) {
		const times = 300
		a, b := 0, 0
		var reading atomic.Int32
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for n := range times {
					if i < 2 {
						lockRWSomehow(rw, i+n)
						assert.Zero(t, reading.Load())
						a++
						b++
						assert.NoError(t, rw.Unlock())
						continue
					}
					rlockSomehow(rw, i+n)
					reading.Add(1)
					assert.Equal(t, a, b)
					reading.Add(-1)
					assert.NoError(t, rw.RUnlock())
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 2*times, a)
		assert.Zero(t, rw.state.Load())
		assert.Contains(t, rw.String(), ", unlocked)")
	})
}

func lockRWSomehow(rw *RWMutex, shape int) {
	const d = 50 * time.Microsecond
	switch shape % 4 {
	case 0:
		for rw.LockTimeout(d) != nil {
		}
	case 1:
		for rw.LockUntil(Realtime.After(d)) != nil {
		}
	case 2:
		for rw.TryLock() != nil {
			runtime.Gosched()
		}
	default:
		testutil.Must(rw.Lock())
	}
}

func rlockSomehow(rw *RWMutex, shape int) {
	const d = 50 * time.Microsecond
	switch shape % 4 {
	case 0:
		for rw.RLockTimeout(d) != nil {
		}
	case 1:
		for rw.RLockUntil(Realtime.After(d)) != nil {
		}
	case 2:
		for rw.TryRLock() != nil {
			runtime.Gosched()
		}
	default:
		testutil.Must(rw.RLock())
	}
}

func TestRWMutexWriterExcludesAll(t *testing.T) {
	eachRW(t, func(t *testing.T, rw *RWMutex) {
		assert.NoError(t, rw.Lock())
		assert.Contains(t, rw.String(), ", locked for writing)")
		assert.ErrorIs(t, rw.Lock(), ErrDeadlock)
		assert.ErrorIs(t, rw.RLock(), ErrDeadlock)
		assert.Equal(t, ErrBusy, rw.TryLock())
		assert.Equal(t, ErrBusy, rw.TryRLock())
		inGoroutine(func() {
			assert.Equal(t, ErrBusy, rw.TryLock())
			assert.Equal(t, ErrBusy, rw.TryRLock())
			assert.ErrorIs(t, rw.Unlock(), ErrNotOwner)
			assert.ErrorIs(t, rw.RUnlock(), ErrNotOwner, "there are no readers")
			endsInTime(t, rw.LockTimeout, rw.LockUntil, rw.LockContext)
			endsInTime(t, rw.RLockTimeout, rw.RLockUntil, rw.RLockContext)
		})
		assert.NoError(t, rw.Unlock())
		assert.ErrorIs(t, rw.Unlock(), ErrNotOwner)
	})
}

func TestRWMutexReadersShare(t *testing.T) {
	eachRW(t, func(t *testing.T, rw *RWMutex) {
		assert.NoError(t, rw.RLock())
		inGoroutine(func() {
			assert.NoError(t, rw.RLock())
			assert.NoError(t, rw.TryRLock())
			assert.NoError(t, rw.RLockContext(context.Background()))
			assert.Contains(t, rw.String(), ", 4 readers)")
			assert.Equal(t, ErrBusy, rw.TryLock())
			endsInTime(t, rw.LockTimeout, rw.LockUntil, rw.LockContext)
		})
		for range 4 {
			assert.NoError(t, rw.RUnlock())
		}
		assert.ErrorIs(t, rw.RUnlock(), ErrNotOwner)
		assert.NoError(t, rw.TryLock())
		assert.NoError(t, rw.Unlock())
	})
}

// A writer that waits keeps new readers out, and one that gives up lets them
// in.
func TestRWMutexWriterThatGivesUpLetsReadersIn(t *testing.T) {
	eachRW(t, func(t *testing.T, rw *RWMutex) {
		for range 30 {
			assert.NoError(t, rw.RLock())
			ctx, cancel := context.WithCancel(context.Background())
			writer, reader := make(chan error), make(chan error)
			go func() { writer <- rw.LockContext(ctx) }()
			eventually(t, "the writer waits", func() bool { return rw.state.Load() == rwWriter|1 })
			assert.Equal(t, ErrBusy, rw.TryRLock())
			go func() { reader <- rw.RLock() }()
			eventually(t, "the reader waits", func() bool { return rw.gate.Load()&gateMarked != 0 })
			cancel()
			assert.ErrorIs(t, <-writer, context.Canceled)
			assert.NoError(t, <-reader)
			assert.NoError(t, rw.RUnlock())
			assert.NoError(t, rw.RUnlock())
		}
	})
}

func TestRWMutexTooManyReaders(t *testing.T) {
	watch(t)
	rw := new(RWMutex)
	rw.state.Store(rwMaxReaders)
	assert.ErrorIs(t, rw.RLock(), ErrCount)
	assert.NoError(t, rw.RUnlock())
	assert.NoError(t, rw.RLock())
}

// asDead is a robust lock whose writer has died, with that many readers.
func asDead(t *testing.T, readers uint32) *RWMutex {
	if !canRobust {
		t.Skip("dead owners are not seen")
	}
	watch(t)
	rw := new(RWMutex)
	require.NoError(t, rw.Init(RWMutexAttr{Robust: true}))
	rw.writer.word.Store(rwDead &^ ownerInconsistent) // an id that no thread has
	rw.state.Store(rwWriter | readers)
	return rw
}

func TestRWMutexWriterThatHasDiedIsReplaced(t *testing.T) {
	for name, lock := range map[string]func(rw *RWMutex) error{
		"Lock":        (*RWMutex).Lock,
		"TryLock":     (*RWMutex).TryLock,
		"LockTimeout": func(rw *RWMutex) error { return rw.LockTimeout(0) },
	} {
		t.Run(name, func(t *testing.T) {
			rw := asDead(t, 0)
			assert.ErrorIs(t, rw.RLock(), ErrOwnerDead)
			assert.ErrorIs(t, rw.TryRLock(), ErrOwnerDead)
			assert.ErrorIs(t, rw.RLockTimeout(0), ErrOwnerDead)
			assert.ErrorIs(t, rw.RUnlock(), ErrNotOwner, "RLock has not locked it")
			assert.ErrorIs(t, lock(rw), ErrOwnerDead)
			inGoroutine(func() { assert.Equal(t, ErrBusy, rw.TryRLock()) })
			assert.NoError(t, rw.Consistent())
			assert.ErrorIs(t, rw.Consistent(), ErrInvalid)
			assert.NoError(t, rw.Unlock())
			assert.ErrorIs(t, rw.Consistent(), ErrNotOwner)
			assert.NoError(t, rw.RLock())
			assert.NoError(t, rw.RUnlock())
			assert.NoError(t, rw.Lock())
			assert.NoError(t, rw.Unlock())
		})
	}
}

func TestRWMutexUnlockWithoutConsistentIsNotRecoverable(t *testing.T) {
	rw := asDead(t, 0)
	assert.ErrorIs(t, rw.Lock(), ErrOwnerDead)
	reader, writer := make(chan error), make(chan error)
	go func() { reader <- rw.RLock() }()
	go func() { writer <- rw.Lock() }()
	eventually(t, "both wait", func() bool {
		return rw.gate.Load()&gateMarked != 0 && rw.writer.word.Load()&ownerWaiters != 0
	})
	assert.NoError(t, rw.Unlock())
	assert.ErrorIs(t, <-reader, ErrNotRecoverable)
	assert.ErrorIs(t, <-writer, ErrNotRecoverable)
	for _, lock := range []func() error{rw.Lock, rw.TryLock, rw.RLock, rw.TryRLock} {
		assert.ErrorIs(t, lock(), ErrNotRecoverable)
	}
	assert.Contains(t, rw.String(), "not recoverable")
}

// A writer that finds the one before dead, and gives up because of readers,
// leaves that to be found by the next.
func TestRWMutexDeathIsNotForgottenByAWriterThatGivesUp(t *testing.T) {
	rw := asDead(t, 1)
	assert.ErrorIs(t, rw.LockTimeout(time.Millisecond), ErrTimeout)
	assert.Equal(t, ErrBusy, rw.TryLock())
	assert.ErrorIs(t, rw.RLock(), ErrOwnerDead)
	locked := make(chan error)
	go func() {
		err := rw.Lock()
		assert.NoError(t, rw.Consistent())
		assert.NoError(t, rw.Unlock())
		locked <- err
	}()
	assert.NoError(t, rw.RUnlock())
	assert.ErrorIs(t, <-locked, ErrOwnerDead)
	assert.NoError(t, rw.Lock())
	assert.NoError(t, rw.Unlock())
}

func TestRWMutexLockersPanicWithTheError(t *testing.T) {
	watch(t)
	rw := new(RWMutex)
	for _, l := range []sync.Locker{rw.Locker(), rw.RLocker()} {
		l.Lock()
		assert.NotZero(t, rw.state.Load())
		l.Unlock()
		assert.ErrorIs(t, testutil.PanicOf(l.Unlock), ErrNotOwner)
	}
	rw.Locker().Lock()
	for _, l := range []sync.Locker{rw.Locker(), rw.RLocker()} {
		assert.ErrorIs(t, testutil.PanicOf(l.Lock), ErrDeadlock)
	}
}

func TestRWMutexSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	rw := new(RWMutex)
	rw.attr.word.Store(semMark)
	for _, call := range []func() error{
		rw.Lock, rw.TryLock, rw.RLock, rw.TryRLock, rw.Unlock, rw.RUnlock, rw.Consistent,
		func() error { return rw.LockTimeout(time.Second) },
	} {
		assert.ErrorIs(t, call(), ErrCorrupt)
	}
	assert.Contains(t, rw.String(), "corrupt")
	rw.attr.word.Store(0)
	rw.state.Store(1 << 30)
	assert.ErrorIs(t, rw.RLock(), ErrCorrupt)
	assert.ErrorIs(t, rw.RUnlock(), ErrCorrupt)
	assert.ErrorIs(t, rw.LockTimeout(time.Millisecond), ErrTimeout)
}
