//go:build !plan9

package shared

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// onThread runs f on a thread of its own, which ends.
func onThread(t *testing.T, f func()) {
	t.Helper()
	th, err := thread.Start(f, nil)
	require.NoError(t, err)
	require.NoError(t, th.Join())
}

// mutexAttrs are all attributes that the system has.
func mutexAttrs() (all []MutexAttr) {
	for _, kind := range []MutexKind{Normal, ErrorCheck, Recursive} {
		for n := range 8 {
			a := MutexAttr{Kind: kind, Robust: n&1 != 0, Inherit: n&2 != 0, ProcessShared: n&4 != 0}
			if new(Mutex).Init(a) == nil {
				all = append(all, a)
			}
		}
	}
	return all
}

func newMutex(t *testing.T, a MutexAttr) *Mutex {
	t.Helper()
	m := new(Mutex)
	err := m.Init(a)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return m
}

// eachMutex runs test for a mutex of every kind, on a thread, which all of them
// may be locked on.
func eachMutex(t *testing.T, test func(t *testing.T, m *Mutex, a MutexAttr)) {
	for _, a := range mutexAttrs() {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			watch(t)
			m := newMutex(t, a)
			onThread(t, func() { test(t, m, a) })
		})
	}
}

func hasOwner(a MutexAttr) bool { return a.Kind != Normal || a.Robust || a.Inherit }

func TestMutexHasTheLayoutOfC(t *testing.T) {
	var m Mutex
	assert.EqualValues(t, 16, unsafe.Sizeof(m))
	assert.EqualValues(t, 8, unsafe.Offsetof(m.attr))
	assert.EqualValues(t, 12, unsafe.Offsetof(m.depth))
}

func TestMutexAttrIsChecked(t *testing.T) {
	for _, c := range []struct {
		name string
		attr MutexAttr
		want error
	}{
		{"no kind", MutexAttr{Kind: Recursive + 1}, ErrInvalid},
		{"two protocols", MutexAttr{Inherit: true, Protect: true}, ErrInvalid},
		{"ceiling", MutexAttr{Protect: true}, ErrUnsupported},
		{"robust", MutexAttr{Robust: true}, unless(canRobust)},
		{"inherit", MutexAttr{Inherit: true}, unless(canRobust && canInherit())},
		{"shared", MutexAttr{ProcessShared: true}, unless(canShare())},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Mutex
			err := m.Init(c.attr)
			if c.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, c.want)
			assert.Zero(t, m.attr.word.Load(), "unchanged")
		})
	}
}

func unless(supported bool) error {
	if supported {
		return nil
	}
	return ErrUnsupported
}

func TestMutexExcludes(t *testing.T) {
	for _, a := range mutexAttrs() {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			watch(t)
			m := newMutex(t, a)
			const callers, times = 4, 1000
			counter := 0
			var threads []*thread.Thread
			for range callers {
				th, err := thread.Start(func() {
					for range times {
						if !assert.NoError(t, m.Lock()) {
							return
						}
						counter++
						assert.NoError(t, m.Unlock())
					}
				}, nil)
				require.NoError(t, err)
				threads = append(threads, th)
			}
			for _, th := range threads {
				require.NoError(t, th.Join())
			}
			assert.Equal(t, callers*times, counter)
			assert.Zero(t, m.word.Load())
			assert.Zero(t, m.depth.Load())
		})
	}
}

// Goroutines without a thread of their own are pinned while they hold a mutex
// with an owner, and only then.
func TestMutexPinsGoroutines(t *testing.T) {
	watch(t)
	for _, a := range mutexAttrs() {
		m := newMutex(t, a)
		if a.Inherit {
			assert.ErrorIs(t, m.Lock(), ErrNotAttached)
			assert.ErrorIs(t, m.TryLock(), ErrNotAttached)
			continue
		}
		counter := 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 200 {
					if !assert.NoError(t, m.Lock()) {
						return
					}
					runtime.Gosched()
					counter++
					if a.Kind == Recursive {
						assert.NoError(t, m.Lock())
						runtime.Gosched()
						assert.NoError(t, m.Unlock())
					}
					assert.NoError(t, m.Unlock())
					runtime.Gosched()
				}
			})
		}
		wg.Wait()
		assert.Equal(t, 1600, counter, a)
	}
}

// pthread_mutex_lock: "If the mutex type is PTHREAD_MUTEX_ERRORCHECK ... an
// error", "[EDEADLK] ... the current thread already owns the mutex";
// PTHREAD_MUTEX_RECURSIVE "shall maintain the concept of a lock count".
// pthread_mutex_trylock: "[EBUSY]".
func TestMutexRelockByOwner(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		assert.NoError(t, m.Lock())
		switch {
		case a.Kind == Recursive:
			assert.NoError(t, m.Lock())
			assert.NoError(t, m.TryLock())
			assert.NoError(t, m.LockTimeout(0))
			for range 3 {
				assert.NoError(t, m.Unlock())
			}
		case a.Kind == ErrorCheck, a.Inherit:
			assert.ErrorIs(t, m.Lock(), syscall.EDEADLK)
			assert.ErrorIs(t, m.TryLock(), syscall.EBUSY)
		default: // "a thread attempting to relock the mutex ... shall deadlock"
			assert.ErrorIs(t, m.LockTimeout(3*time.Millisecond), ErrTimeout)
			assert.ErrorIs(t, m.TryLock(), syscall.EBUSY)
		}
		onThread(t, func() { assert.ErrorIs(t, m.TryLock(), ErrBusy) })
		assert.NoError(t, m.Unlock())
		onThread(t, func() {
			assert.NoError(t, m.TryLock())
			assert.NoError(t, m.Unlock())
		})
		assert.ErrorIs(t, m.Unlock(), ErrNotOwner)
	})
}

// pthread_mutex_unlock: "[EPERM] The mutex type is PTHREAD_MUTEX_ERRORCHECK or
// PTHREAD_MUTEX_RECURSIVE, or the mutex is a robust mutex, and the current
// thread does not own the mutex."
func TestMutexUnlockByAnother(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		assert.NoError(t, m.Lock())
		onThread(t, func() {
			if !hasOwner(a) {
				assert.NoError(t, m.Unlock())
				return
			}
			assert.ErrorIs(t, m.Unlock(), ErrNotOwner)
		})
		if hasOwner(a) {
			assert.NoError(t, m.Unlock())
		}
		assert.Zero(t, m.word.Load())
	})
}

// pthread_mutex_lock: "[EAGAIN] The mutex could not be acquired because the
// maximum number of recursive locks for mutex has been exceeded."
func TestMutexCountsToItsMaximum(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		if a.Kind != Recursive {
			return
		}
		assert.NoError(t, m.Lock())
		m.depth.Store(math.MaxInt32 - 2)
		assert.NoError(t, m.Lock())
		assert.ErrorIs(t, m.Lock(), ErrCount)
		assert.ErrorIs(t, m.TryLock(), ErrCount)
		m.depth.Store(0)
		assert.NoError(t, m.Unlock())
	})
}

// pthread_mutex_clocklock: "[ETIMEDOUT] The mutex could not be locked before
// the specified timeout expired", "Under no circumstance shall the function
// fail with a timeout if the mutex can be locked immediately."
func TestMutexLimits(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, _ MutexAttr) {
		past := Deadline{Clock: Monotonic}
		assert.NoError(t, m.LockUntil(past))
		onThread(t, func() {
			const d = 3 * time.Millisecond
			began := time.Now()
			assert.ErrorIs(t, m.LockTimeout(d), ErrTimeout)
			assert.GreaterOrEqual(t, time.Since(began), d)
			assert.ErrorIs(t, m.LockTimeout(0), ErrTimeout)
			assert.ErrorIs(t, m.LockUntil(past), ErrTimeout)
			assert.ErrorIs(t, m.LockUntil(Deadline{Clock: 9, At: math.MaxInt64}), ErrInvalid)
			for _, c := range []Clock{Monotonic, Realtime, Boottime} {
				if _, err := c.Now(); err == nil {
					assert.ErrorIs(t, m.LockUntil(c.After(d)), ErrTimeout, c)
				}
			}
			ctx, cancel := context.WithCancel(context.Background())
			stop := time.AfterFunc(d, cancel)
			assert.ErrorIs(t, m.LockContext(ctx), context.Canceled)
			stop.Stop()
			assert.ErrorIs(t, m.LockContext(ctx), context.Canceled)
		})
		assert.NoError(t, m.Unlock())
		assert.NoError(t, m.LockContext(context.Background()))
		assert.NoError(t, m.Unlock())
	})
}

func TestMutexLocker(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		l := m.Locker()
		l.Lock()
		if a.Kind == ErrorCheck {
			assert.Panics(t, l.Lock)
		}
		l.Unlock()
		assert.Panics(t, l.Unlock)
	})
}

// What is no mutex is refused, and not touched.
func TestMutexChecksItsMark(t *testing.T) {
	watch(t)
	for _, attr := range []uint32{1, mutexMark | 3, mutexMark | 0x40, mutexMark | 0x8000, semMark, ^uint32(0)} {
		var m Mutex
		m.attr.word.Store(attr)
		for name, err := range map[string]error{
			"Lock": m.Lock(), "TryLock": m.TryLock(), "LockTimeout": m.LockTimeout(time.Hour),
			"Unlock": m.Unlock(), "Consistent": m.Consistent(),
		} {
			assert.ErrorIs(t, err, ErrCorrupt, name)
		}
		assert.Zero(t, m.word.Load())
		assert.Contains(t, m.String(), "corrupt")
	}
}

// pthread_mutex_lock: "[EOWNERDEAD] The mutex is a robust mutex and the ...
// thread terminated while holding the mutex lock. The mutex lock shall be
// acquired by the calling thread".
// pthread_mutex_consistent: "[EINVAL] The mutex object ... is not robust or
// does not protect an inconsistent state."
func TestRobustMutexOwnerThreadEnds(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		assert.NoError(t, m.Lock())
		assert.ErrorIs(t, m.Consistent(), syscall.EINVAL)
		assert.NoError(t, m.Unlock())
		if !a.Robust {
			return
		}
		for _, lock := range []func() error{
			m.Lock, m.TryLock,
			func() error { return m.LockTimeout(0) },
			func() error { return m.LockTimeout(time.Hour) },
		} {
			onThread(t, func() {
				assert.NoError(t, m.Lock())
				if a.Kind == Recursive {
					assert.NoError(t, m.Lock())
				}
			})
			assert.ErrorIs(t, lock(), errnoOwnerDead)
			onThread(t, func() { assert.ErrorIs(t, m.Consistent(), ErrNotOwner) })
			assert.NoError(t, m.Consistent())
			assert.ErrorIs(t, m.Consistent(), syscall.EINVAL)
			assert.NoError(t, m.Unlock())
			assert.ErrorIs(t, m.Unlock(), ErrNotOwner, "the dead owner's count is gone")
			assert.NoError(t, m.Lock())
			assert.NoError(t, m.Unlock())
		}
	})
}

// Of the waiters that sleep when the owner ends one gets the error, and the
// others go on after it.
func TestRobustMutexOwnerEndsWithWaiters(t *testing.T) {
	for _, a := range mutexAttrs() {
		if !a.Robust {
			continue
		}
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			watch(t)
			m := newMutex(t, a)
			locked, end := make(chan bool), make(chan bool)
			owner, err := thread.Start(func() {
				assert.NoError(t, m.Lock())
				locked <- true
				<-end
			}, nil)
			require.NoError(t, err)
			<-locked
			var dead atomic.Int32
			var threads []*thread.Thread
			for range 4 {
				th, err := thread.Start(func() {
					err := m.Lock()
					if errors.Is(err, ErrOwnerDead) {
						dead.Add(1)
						assert.NoError(t, m.Consistent())
					} else {
						assert.NoError(t, err)
					}
					assert.NoError(t, m.Unlock())
				}, nil)
				require.NoError(t, err)
				threads = append(threads, th)
			}
			eventually(t, "one waits", func() bool { return m.word.Load()&ownerWaiters != 0 })
			close(end)
			require.NoError(t, owner.Join())
			for _, th := range threads {
				require.NoError(t, th.Join())
			}
			assert.EqualValues(t, 1, dead.Load())
		})
	}
}

// pthread_mutex_unlock: "If the mutex is a robust mutex and the state ... was
// not made consistent ... all subsequent attempts to lock ...
// [ENOTRECOVERABLE]".
func TestRobustMutexNotRecoverable(t *testing.T) {
	eachMutex(t, func(t *testing.T, m *Mutex, a MutexAttr) {
		if !a.Robust {
			return
		}
		onThread(t, func() { assert.NoError(t, m.Lock()) })
		assert.ErrorIs(t, m.Lock(), ErrOwnerDead)
		waiter, err := thread.Start(func() { assert.ErrorIs(t, m.Lock(), errnoNotRecoverable) }, nil)
		assert.NoError(t, err)
		eventually(t, "one waits", func() bool { return m.word.Load()&ownerWaiters != 0 })
		assert.NoError(t, m.Unlock())
		assert.NoError(t, waiter.Join())
		for _, err := range []error{m.Lock(), m.TryLock(), m.LockTimeout(time.Hour)} {
			assert.ErrorIs(t, err, ErrNotRecoverable)
		}
		assert.Contains(t, m.String(), "not recoverable")
		assert.ErrorIs(t, m.Unlock(), ErrNotOwner)
		assert.NoError(t, m.Init(a))
		assert.NoError(t, m.Lock())
		assert.NoError(t, m.Unlock())
	})
}

// A goroutine that ends with a mutex locked ends its thread.
func TestRobustMutexGoroutineEnds(t *testing.T) {
	watch(t)
	endLocked(t, newMutex(t, MutexAttr{Robust: true}), func(f func()) { go f() })
}

// endLocked locks m in a goroutine that ends, and then here.
func endLocked(t *testing.T, m *Mutex, start func(f func())) {
	done := make(chan struct{})
	start(func() {
		defer close(done)
		assert.NoError(t, m.Lock())
	})
	<-done
	require.ErrorIs(t, m.Lock(), ErrOwnerDead)
	assert.NoError(t, m.Consistent())
	assert.NoError(t, m.Unlock())
}

func TestMutexString(t *testing.T) {
	var m Mutex
	assert.Contains(t, m.String(), "unlocked")
	require.NoError(t, m.Lock())
	assert.Contains(t, m.String(), ", locked")
	require.NoError(t, m.Unlock())
	require.NoError(t, m.Init(MutexAttr{Kind: ErrorCheck}))
	require.NoError(t, m.Lock())
	assert.Contains(t, m.String(), "locked by thread")
	require.NoError(t, m.Unlock())
}
