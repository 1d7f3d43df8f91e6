//go:build cgo && !android && !portablefutex

package shared

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/sharedtest"
)

// The C functions of a mutex, by the clauses of POSIX.1-2024, and both
// languages on the same words.

func cFlags(t *testing.T, a MutexAttr) uint32 {
	t.Helper()
	flags, err := a.flags()
	require.NoError(t, err)
	return flags
}

// eachCMutex runs test for a mutex of every kind that C has made.
func eachCMutex(t *testing.T, test func(t *testing.T, p unsafe.Pointer, a MutexAttr)) {
	for _, a := range mutexAttrs() {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			p := cObject(t)
			require.Equal(t, ok, sharedtest.MutexInit(p, cFlags(t, a)))
			onThread(t, func() { test(t, p, a) })
		})
	}
}

// pthread_mutex_init, pthread_mutexattr_set*: "[EINVAL] ... the attribute is
// invalid", "[ENOTSUP] ... an unsupported value".
func TestCMutexAttr(t *testing.T) {
	p := cObject(t)
	for attr, want := range map[uint32]syscall.Errno{
		sharedtest.ErrorCheck | sharedtest.Recursive: syscall.EINVAL,
		0x80:                                    syscall.EINVAL,
		1 << 16:                                 syscall.EINVAL,
		sharedtest.Protect:                      syscall.ENOTSUP,
		sharedtest.Protect | sharedtest.Inherit: syscall.EINVAL,
		sharedtest.Recursive | sharedtest.Robust | sharedtest.Shared: ok,
		sharedtest.ErrorCheck | sharedtest.Robust:                    ok,
		sharedtest.Shared: ok,
		sharedtest.Recursive | sharedtest.ErrorCheck | sharedtest.Inherit: syscall.EINVAL,
	} {
		assert.Equal(t, want, sharedtest.MutexInit(p, attr), "%#x", attr)
	}
	m := (*Mutex)(p)
	for _, attr := range []uint32{1, mutexMark | 3, mutexMark | 0x40, semMark} {
		m.attr.word.Store(attr)
		for _, f := range []func(unsafe.Pointer) syscall.Errno{
			sharedtest.MutexLock, sharedtest.MutexTryLock, sharedtest.MutexUnlock, sharedtest.MutexConsistent,
		} {
			assert.Equal(t, syscall.EINVAL, f(p))
		}
	}
}

func TestCMutexKinds(t *testing.T) {
	eachCMutex(t, func(t *testing.T, p unsafe.Pointer, a MutexAttr) {
		assert.Equal(t, ok, sharedtest.MutexLock(p))
		switch {
		case a.Kind == Recursive:
			assert.Equal(t, ok, sharedtest.MutexLock(p))
			assert.Equal(t, ok, sharedtest.MutexTryLock(p))
			(*Mutex)(p).depth.Store(math.MaxInt32 - 1)
			assert.Equal(t, syscall.EAGAIN, sharedtest.MutexLock(p))
			(*Mutex)(p).depth.Store(2)
			assert.Equal(t, ok, sharedtest.MutexUnlock(p))
			assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		case a.Kind == ErrorCheck, a.Inherit:
			assert.Equal(t, syscall.EDEADLK, sharedtest.MutexLock(p))
			assert.Equal(t, syscall.EBUSY, sharedtest.MutexTryLock(p))
		default:
			assert.Equal(t, syscall.EBUSY, sharedtest.MutexTryLock(p))
			cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.MutexClockLock(p, d) })
		}
		assert.Equal(t, syscall.EBUSY, sharedtest.MutexDestroy(p))
		if hasOwner(a) {
			assert.Equal(t, syscall.EPERM, sharedtest.MutexUnlockElsewhere(p))
			onThread(t, func() {
				cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.MutexClockLock(p, d) })
			})
		}
		assert.Equal(t, syscall.EINVAL, sharedtest.MutexConsistent(p))
		assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		assert.Equal(t, syscall.EPERM, sharedtest.MutexUnlock(p))
		// "Under no circumstance shall the function fail with a timeout if the
		// mutex can be locked immediately."
		assert.Equal(t, ok, sharedtest.MutexClockLock(p, sharedtest.Deadline{Clock: unix.CLOCK_REALTIME}))
		assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		assert.Equal(t, ok, sharedtest.MutexDestroy(p))
		assert.Equal(t, syscall.EINVAL, sharedtest.MutexLock(p))
	})
}

// lockElsewhere locks the mutex at p on a thread of C, which ends.
func lockElsewhere(t *testing.T, p unsafe.Pointer) {
	t.Helper()
	assert.Equal(t, ok, sharedtest.MutexLockElsewhere(p))
	if os.Getenv(leak.ExecEnv) == "" {
		return
	}
	// An emulator's thread lives on for a moment after the one that it is for.
	for o := (*Mutex)(p).word.Load(); !isDead(o); {
		runtime.Gosched()
	}
}

func TestCRobustMutex(t *testing.T) {
	eachCMutex(t, func(t *testing.T, p unsafe.Pointer, a MutexAttr) {
		if !a.Robust {
			return
		}
		end := clockAfter(unix.CLOCK_MONOTONIC, time.Hour)
		for _, lock := range []func(unsafe.Pointer) syscall.Errno{
			sharedtest.MutexLock, sharedtest.MutexTryLock,
			func(p unsafe.Pointer) syscall.Errno { return sharedtest.MutexClockLock(p, end) },
			func(p unsafe.Pointer) syscall.Errno {
				return sharedtest.MutexClockLock(p, sharedtest.Deadline{Clock: unix.CLOCK_MONOTONIC})
			},
		} {
			lockElsewhere(t, p)
			assert.Equal(t, syscall.EOWNERDEAD, lock(p))
			assert.Equal(t, ok, sharedtest.MutexConsistent(p))
			assert.Equal(t, syscall.EINVAL, sharedtest.MutexConsistent(p))
			assert.Equal(t, ok, sharedtest.MutexUnlock(p))
			assert.Equal(t, syscall.EPERM, sharedtest.MutexConsistent(p))
		}
		lockElsewhere(t, p)
		assert.Equal(t, syscall.EOWNERDEAD, sharedtest.MutexLock(p))
		assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		assert.Equal(t, syscall.ENOTRECOVERABLE, sharedtest.MutexLock(p))
		assert.Equal(t, syscall.ENOTRECOVERABLE, sharedtest.MutexTryLock(p))
		assert.ErrorIs(t, (*Mutex)(p).Lock(), ErrNotRecoverable)
		assert.Equal(t, ok, sharedtest.MutexDestroy(p))
	})
}

// On one thread each language unlocks what the other has locked, and both see
// the same owner.
func TestMutexIsOneForBothLanguages(t *testing.T) {
	onThread(t, func() {
		assert.Equal(t, sharedtest.Self(), self(true))
		assert.NotZero(t, self(true)>>32)
	})
	eachCMutex(t, func(t *testing.T, p unsafe.Pointer, a MutexAttr) {
		m := (*Mutex)(p)
		assert.NoError(t, m.Lock())
		assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		assert.Equal(t, ok, sharedtest.MutexLock(p))
		if a.Kind == Recursive {
			assert.NoError(t, m.Lock())
			assert.Equal(t, ok, sharedtest.MutexLock(p))
			assert.NoError(t, m.Unlock())
			assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		}
		assert.NoError(t, m.Unlock())
		assert.ErrorIs(t, m.Unlock(), ErrNotOwner)
		if a.Robust {
			lockElsewhere(t, p)
			assert.ErrorIs(t, m.Lock(), ErrOwnerDead)
			assert.Equal(t, ok, sharedtest.MutexConsistent(p))
			assert.NoError(t, m.Unlock())
			onThread(t, func() { assert.NoError(t, m.Lock()) })
			assert.Equal(t, syscall.EOWNERDEAD, sharedtest.MutexLock(p))
			assert.NoError(t, m.Consistent())
			assert.Equal(t, ok, sharedtest.MutexUnlock(p))
		}
	})
}

// What C unlocks for a pinned goroutine leaves no trace in the mutex.
func TestMutexUnlockedByCOnAGoroutine(t *testing.T) {
	p := cObject(t)
	require.Equal(t, ok, sharedtest.MutexInit(p, sharedtest.ErrorCheck))
	done := make(chan struct{})
	go func() { // which stays pinned
		defer close(done)
		assert.NoError(t, (*Mutex)(p).Lock())
		assert.Equal(t, ok, sharedtest.MutexUnlock(p))
	}()
	<-done
	assert.Zero(t, (*Mutex)(p).depth.Load())
	assert.Zero(t, (*Mutex)(p).word.Load())
}

func TestMutexExcludesGoAndC(t *testing.T) {
	for _, a := range mutexAttrs() {
		t.Run(fmt.Sprintf("%+v", a), func(t *testing.T) {
			p := cObject(t)
			require.Equal(t, ok, sharedtest.MutexInit(p, cFlags(t, a)))
			m, counter := (*Mutex)(p), (*int64)(unsafe.Add(p, 32))
			const times = 2000
			var threads []*thread.Thread
			for range 2 {
				th, err := thread.Start(func() {
					for range times {
						if !assert.NoError(t, m.Lock()) {
							return
						}
						*counter++
						assert.NoError(t, m.Unlock())
					}
				}, nil)
				require.NoError(t, err)
				threads = append(threads, th)
			}
			sharedtest.MutexAdd(p, counter, 2, times)
			for _, th := range threads {
				require.NoError(t, th.Join())
			}
			assert.EqualValues(t, 4*times, *counter)
			assert.Zero(t, m.word.Load())
		})
	}
}

// exec ends all threads but one, which keeps its id, or gets that of the first.
func TestRobustMutexOwnerCallsExec(t *testing.T) {
	for _, a := range []MutexAttr{
		{Robust: true, ProcessShared: true},
		{Robust: true, ProcessShared: true, Inherit: true},
	} {
		for _, inThread := range []bool{false, true} {
			t.Run(fmt.Sprintf("%+v in a thread=%v", a, inThread), func(t *testing.T) {
				watch(t)
				area, f, err := mapArena(nil)
				if err != nil {
					t.Skip(err)
				}
				defer func() {
					assert.NoError(t, unix.Munmap(area))
					assert.NoError(t, f.Close())
				}()
				m := (*Mutex)(area.at(0))
				require.NoError(t, m.Init(a))
				locked := area.ready()
				pid, err := sharedtest.MutexLockAndExec(area.at(0), inThread, (*uint32)(unsafe.Pointer(locked)))
				require.NoError(t, err)
				defer func() { assert.NoError(t, cVictim(pid).kill()) }()
				eventually(t, "the child has locked", func() bool { return locked.Load() != 0 })
				onThread(t, func() {
					assert.ErrorIs(t, m.Lock(), ErrOwnerDead)
					assert.NoError(t, m.Consistent())
					assert.NoError(t, m.Unlock())
				})
			})
		}
	}
}

// A thread of high priority waits for one of low priority, while one in between
// computes: 200 ms without priority inheritance, none of it with it, as with a
// mutex of pthreads.
func TestMutexInheritsPriority(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second of one processor")
	}
	watch(t)
	results := map[int]time.Duration{}
	for _, kind := range []int{sharedtest.InversionPlain, sharedtest.InversionInherit, sharedtest.InversionPthreadPI} {
		waited, err := sharedtest.Inversion(kind)
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EAGAIN) {
			t.Skipf("needs SCHED_FIFO and two processors: %v", err)
		}
		require.NoError(t, err)
		results[kind] = waited
	}
	t.Logf("waited %v; with inheritance %v; pthread's %v", results[sharedtest.InversionPlain],
		results[sharedtest.InversionInherit], results[sharedtest.InversionPthreadPI])
	assert.Greater(t, results[sharedtest.InversionPlain], 150*time.Millisecond)
	// Not relative to pthread's, which is some microseconds: a busy machine may
	// keep a processor from a thread of any priority.
	assert.Less(t, results[sharedtest.InversionInherit], results[sharedtest.InversionPlain]/2)
}
