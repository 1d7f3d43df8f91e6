//go:build cgo && !android && !portablefutex

package shared

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/sharedtest"
)

// The C functions, by the clauses of POSIX.1-2024 where they are from there.

const ok = syscall.Errno(0)

// clockAfter is d from now by one of C's clocks.
func clockAfter(clock int, d time.Duration) sharedtest.Deadline {
	var now unix.Timespec
	if err := unix.ClockGettime(int32(clock), &now); err != nil {
		panic(err)
	}
	end := unix.NsecToTimespec(now.Nano() + int64(d))
	return sharedtest.Deadline{Clock: clock, Sec: int64(end.Sec), Nsec: int64(end.Nsec)}
}

func has(d sharedtest.Deadline) bool {
	var now unix.Timespec
	if err := unix.ClockGettime(int32(d.Clock), &now); err != nil {
		panic(err)
	}
	return int64(now.Sec) > d.Sec || int64(now.Sec) == d.Sec && int64(now.Nsec) >= d.Nsec
}

// cObject is C memory for an object.
func cObject(t *testing.T) unsafe.Pointer {
	watch(t)
	p := sharedtest.Malloc(64)
	t.Cleanup(func() { sharedtest.Free(p) })
	return p
}

// cDeadlines checks the deadlines of a wait in C for what does not come.
func cDeadlines(t *testing.T, wait func(sharedtest.Deadline) syscall.Errno) {
	t.Helper()
	for _, clock := range []int{unix.CLOCK_MONOTONIC, unix.CLOCK_REALTIME, unix.CLOCK_BOOTTIME} {
		d := clockAfter(clock, 2*time.Millisecond)
		assert.Equal(t, syscall.ETIMEDOUT, wait(d), clock)
		assert.True(t, has(d), "not early")
		for _, sec := range []int64{0, -1, math.MinInt32} {
			d := sharedtest.Deadline{Clock: clock, Sec: sec, Nsec: 999_999_999}
			assert.Equal(t, syscall.ETIMEDOUT, wait(d), d)
		}
		for _, nsec := range []int64{-1, 1_000_000_000} {
			assert.Equal(t, syscall.EINVAL, wait(sharedtest.Deadline{Clock: clock, Sec: math.MaxInt32, Nsec: nsec}))
		}
	}
	assert.Equal(t, syscall.EINVAL, wait(sharedtest.Deadline{Clock: unix.CLOCK_THREAD_CPUTIME_ID, Sec: 1}))
}

func cSharings(t *testing.T, test func(t *testing.T, flags uint32)) {
	for name, flags := range map[string]uint32{"private": 0, "shared": sharedtest.Shared} {
		t.Run(name, func(t *testing.T) { test(t, flags) })
	}
}

// sem_init: "[EINVAL] The value argument exceeds {SEM_VALUE_MAX}."
// sem_trywait: "[EAGAIN] The semaphore was already locked".
// sem_post: "[EOVERFLOW] The maximum allowable value for a semaphore would be
// exceeded."
// sem_clockwait: "[ETIMEDOUT]", "[EINVAL] ... nanoseconds field", and "Under no
// circumstance shall the function fail with a timeout if the semaphore can be
// locked immediately."
func TestSemaphoreInCIsPosix(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		p := cObject(t)
		assert.Equal(t, syscall.EINVAL, sharedtest.SemInit(p, MaxSemaphore+1, flags))
		assert.Equal(t, syscall.EINVAL, sharedtest.SemInit(p, 1, flags|1<<15))
		assert.Equal(t, ok, sharedtest.SemInit(p, 1, flags))
		none := sharedtest.Deadline{Clock: -1, Nsec: -1}
		assert.Equal(t, ok, sharedtest.SemClockWait(p, none), "can be locked immediately")
		assert.Equal(t, syscall.EAGAIN, sharedtest.SemTryWait(p))
		cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.SemClockWait(p, d) })
		assert.Equal(t, ok, sharedtest.SemPost(p))
		value, err := sharedtest.SemValue(p)
		assert.Equal(t, ok, err)
		assert.EqualValues(t, 1, value)
		assert.Equal(t, ok, sharedtest.SemWait(p))
		assert.Equal(t, ok, sharedtest.SemInit(p, MaxSemaphore, flags))
		assert.Equal(t, syscall.EOVERFLOW, sharedtest.SemPost(p))
		(*Semaphore)(p).attr.word.Store(eventMark)
		assert.Equal(t, syscall.EINVAL, sharedtest.SemPost(p), "an event is no semaphore")
		assert.Equal(t, syscall.EINVAL, sharedtest.SemWait(p))
		(*Semaphore)(p).attr.word.Store(0)
		(*Semaphore)(p).word.Store(MaxSemaphore + 1)
		assert.Equal(t, syscall.EINVAL, sharedtest.SemWait(p))
		assert.Equal(t, syscall.EINVAL, sharedtest.SemPost(p))
	})
}

func TestEventInC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		for name, auto := range map[string]uint32{"manual": 0, "auto": sharedtest.Auto} {
			t.Run(name, func(t *testing.T) {
				p := cObject(t)
				assert.Equal(t, syscall.EINVAL, sharedtest.EventInit(p, flags|auto|1<<15))
				assert.Equal(t, ok, sharedtest.EventInit(p, flags|auto))
				assert.Equal(t, syscall.EAGAIN, sharedtest.EventTryWait(p))
				cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.EventClockWait(p, d) })
				assert.Equal(t, ok, sharedtest.EventSet(p))
				assert.Equal(t, ok, sharedtest.EventWait(p))
				set, err := sharedtest.EventIsSet(p)
				assert.Equal(t, ok, err)
				assert.Equal(t, auto == 0, set)
				assert.Equal(t, ok, sharedtest.EventSet(p))
				assert.Equal(t, ok, sharedtest.EventClockWait(p, sharedtest.Deadline{}), "set")
				assert.Equal(t, ok, sharedtest.EventClear(p))
				assert.Equal(t, syscall.EAGAIN, sharedtest.EventTryWait(p))
				(*Event)(p).attr.word.Store(semMark)
				assert.Equal(t, syscall.EINVAL, sharedtest.EventSet(p), "a semaphore is no event")
				(*Event)(p).attr.word.Store(eventMark | eventAuto)
				(*Event)(p).state.Store(7)
				assert.Equal(t, syscall.EINVAL, sharedtest.EventWait(p))
				assert.Equal(t, syscall.EINVAL, sharedtest.EventTryWait(p))
			})
		}
	})
}

// pthread_barrier_init: "[EINVAL] The value specified by count is equal to
// zero." pthread_barrier_wait: "the constant PTHREAD_BARRIER_SERIAL_THREAD
// shall be returned to one unspecified thread and zero shall be returned to
// each of the remaining threads".
func TestBarrierInCIsPosix(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		p := cObject(t)
		assert.Equal(t, syscall.EINVAL, sharedtest.BarrierInit(p, 0, flags))
		assert.Equal(t, syscall.EINVAL, sharedtest.BarrierInit(p, MaxParties+1, flags))
		assert.Equal(t, syscall.EINVAL, sharedtest.BarrierWait(p), "not initialized")
		assert.Equal(t, ok, sharedtest.BarrierInit(p, 3, flags))
		cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.BarrierClockWait(p, d) })
		for range 100 {
			results := make(chan syscall.Errno)
			for range 3 {
				go func() { results <- sharedtest.BarrierWait(p) }()
			}
			got := []syscall.Errno{<-results, <-results, <-results}
			assert.ElementsMatch(t, []syscall.Errno{ok, ok, sharedtest.Serial}, got)
		}
		(*Barrier)(p).word.Store(3)
		assert.Equal(t, syscall.EINVAL, sharedtest.BarrierWait(p))
	})
}

// Go waits for what C posts, and the reverse.
func TestSemaphoreBetweenGoAndC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		const times = 1000
		p, q := cObject(t), cObject(t)
		assert.Equal(t, ok, sharedtest.SemInit(p, 0, flags))
		assert.Equal(t, ok, sharedtest.SemInit(q, 0, flags))
		var wg sync.WaitGroup
		wg.Go(func() {
			for range times {
				assert.Equal(t, ok, sharedtest.SemWait(p))
				assert.Equal(t, ok, sharedtest.SemPost(q))
			}
		})
		for range times {
			assert.NoError(t, (*Semaphore)(p).Release())
			assert.NoError(t, (*Semaphore)(q).AcquireContext(context.Background()))
		}
		wg.Wait()
		assert.Zero(t, (*Semaphore)(p).word.Load())
		assert.Zero(t, (*Semaphore)(q).word.Load())
	})
}

func TestEventBetweenGoAndC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		for name, auto := range map[string]uint32{"manual": 0, "auto": sharedtest.Auto} {
			t.Run(name, func(t *testing.T) {
				const times = 1000
				p, q := cObject(t), cObject(t)
				assert.Equal(t, ok, sharedtest.EventInit(p, flags|auto))
				assert.Equal(t, ok, sharedtest.EventInit(q, flags|auto))
				var wg sync.WaitGroup
				wg.Go(func() {
					for range times {
						assert.Equal(t, ok, sharedtest.EventWait(p))
						assert.Equal(t, ok, sharedtest.EventClear(p))
						assert.Equal(t, ok, sharedtest.EventSet(q))
					}
				})
				for range times {
					assert.NoError(t, (*Event)(p).Set())
					assert.NoError(t, (*Event)(q).Wait())
					assert.NoError(t, (*Event)(q).Clear())
				}
				wg.Wait()
			})
		}
	})
}

func TestBarrierBetweenGoAndC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		const times = 500
		p := cObject(t)
		b := (*Barrier)(p)
		assert.NoError(t, b.Init(4, flags != 0))
		serials := make(chan int, 4)
		for i := range 4 {
			go func() {
				n := 0
				for range times {
					if i%2 == 0 {
						serial, err := b.Wait()
						assert.NoError(t, err)
						if serial {
							n++
						}
						continue
					}
					if err := sharedtest.BarrierWait(p); err == sharedtest.Serial {
						n++
					} else {
						assert.Equal(t, ok, err)
					}
				}
				serials <- n
			}()
		}
		assert.Equal(t, times, <-serials+<-serials+<-serials+<-serials)
	})
}

// onOneThread runs f with the goroutine locked to its thread, which C's owners
// are.
func onOneThread(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
}

// pthread_cond_timedwait: "[ETIMEDOUT] The time specified ... has passed", and
// "upon return the mutex shall have been locked and shall be owned by the
// calling thread". "[EPERM] ... the current thread does not own the mutex."
// "[EINVAL] the value specified by abstime ... nanosecond value".
// pthread_cond_signal "shall have no effect if there are no threads currently
// blocked on cond."
func TestCondInCIsPosix(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		onOneThread(func() {
			c, m := cObject(t), cObject(t)
			assert.Equal(t, syscall.EINVAL, sharedtest.CondInit(c, flags|1<<15))
			assert.Equal(t, ok, sharedtest.CondInit(c, flags))
			assert.Equal(t, ok, sharedtest.MutexInit(m, flags|sharedtest.ErrorCheck))
			assert.Equal(t, syscall.EPERM, sharedtest.CondWait(c, m))
			assert.Equal(t, ok, sharedtest.CondSignal(c))
			assert.Equal(t, ok, sharedtest.CondBroadcast(c))
			assert.Zero(t, (*Cond)(c).seq.Load(), "no effect")
			assert.Equal(t, ok, sharedtest.MutexLock(m))
			cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.CondClockWait(c, m, d) })
			assert.Equal(t, syscall.EDEADLK, sharedtest.MutexLock(m), "owned by the calling thread")
			assert.Equal(t, ok, sharedtest.MutexUnlock(m))

			assert.Equal(t, ok, sharedtest.MutexInit(m, flags|sharedtest.Recursive))
			assert.Equal(t, ok, sharedtest.MutexLock(m))
			assert.Equal(t, ok, sharedtest.MutexLock(m))
			assert.Equal(t, syscall.EINVAL, sharedtest.CondWait(c, m), "locked twice")
			assert.Equal(t, ok, sharedtest.MutexUnlock(m))
			assert.Equal(t, syscall.ETIMEDOUT, sharedtest.CondClockWait(c, m, clockAfter(unix.CLOCK_MONOTONIC, 1)))
			assert.Equal(t, ok, sharedtest.MutexUnlock(m))
			assert.Equal(t, syscall.EPERM, sharedtest.MutexUnlock(m))
			assert.Zero(t, (*Cond)(c).waiters.Load())

			(*Cond)(c).attr.word.Store(semMark)
			assert.Equal(t, syscall.EINVAL, sharedtest.CondSignal(c))
			assert.Equal(t, syscall.EINVAL, sharedtest.CondWait(c, m))
		})
	})
}

func TestCondInCWithAPlainMutex(t *testing.T) {
	c, m := cObject(t), cObject(t)
	l := (*thread.Lock)(m)
	deadline := clockAfter(unix.CLOCK_REALTIME, time.Millisecond)
	assert.Equal(t, syscall.EPERM, sharedtest.CondClockWaitPlain(c, m, deadline), "not locked")
	l.Lock()
	cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.CondClockWaitPlain(c, m, d) })
	assert.True(t, l.Locked())
	assert.Equal(t, ok, sharedtest.CondInit(c, sharedtest.Shared))
	assert.Equal(t, syscall.EINVAL, sharedtest.CondClockWaitPlain(c, m, deadline), "m is for one process")
	assert.True(t, l.Locked())
}

// onDyingThread runs f on a thread that ends with it. That is not the process's
// first thread, which Go does not end.
func onDyingThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		done := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			defer close(done)
			f()
		}()
		<-done
		runtime.UnlockOSThread()
	}()
}

// "If mutex is a robust mutex ... [EOWNERDEAD] The state of the protected
// object may be inconsistent because the previous owner has died", from
// pthread_cond_wait as from pthread_mutex_lock.
func TestCondWaitReturnsOwnerDead(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		for name, wait := range map[string]func(c, m unsafe.Pointer) error{
			"C": func(c, m unsafe.Pointer) error { return sharedtest.CondWait(c, m) },
			"C until": func(c, m unsafe.Pointer) error {
				return sharedtest.CondClockWait(c, m, clockAfter(unix.CLOCK_MONOTONIC, time.Hour))
			},
			"Go": func(c, m unsafe.Pointer) error { return (*Cond)(c).Wait((*Mutex)(m)) },
		} {
			t.Run(name, func(t *testing.T) {
				c, m := cObject(t), cObject(t)
				assert.Equal(t, ok, sharedtest.CondInit(c, flags))
				assert.Equal(t, ok, sharedtest.MutexInit(m, flags|sharedtest.Robust))
				onDyingThread(func() {
					eventually(t, "the waiter waits", func() bool { return (*Cond)(c).waiters.Load() == 1 })
					assert.Equal(t, ok, sharedtest.MutexLock(m))
					assert.Equal(t, ok, sharedtest.CondSignal(c))
				})
				onOneThread(func() {
					assert.Equal(t, ok, sharedtest.MutexLock(m))
					assert.ErrorIs(t, wait(c, m), syscall.EOWNERDEAD)
					assert.NoError(t, (*Mutex)(m).Consistent())
					assert.Equal(t, ok, sharedtest.MutexUnlock(m))
				})
			})
		}
	})
}

// Consumers of C and Go take what producers of Go, and other consumers, signal.
func TestCondBetweenGoAndC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		kinds := map[string]uint32{"normal": 0, "errorcheck": sharedtest.ErrorCheck, "robust": sharedtest.Robust}
		for name, kind := range kinds {
			t.Run(name, func(t *testing.T) {
				c, m, tokens := cObject(t), cObject(t), (*uint32)(cObject(t))
				assert.Equal(t, ok, sharedtest.CondInit(c, flags))
				assert.Equal(t, ok, sharedtest.MutexInit(m, flags|kind))
				cond, mutex := (*Cond)(c), (*Mutex)(m)
				const times = 500
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() {
						onOneThread(func() { assert.Equal(t, ok, sharedtest.Consume(c, m, tokens, times)) })
					})
					wg.Go(func() {
						for range times {
							assert.NoError(t, mutex.Lock())
							for *tokens == 0 {
								assert.NoError(t, cond.Wait(mutex))
							}
							*tokens--
							assert.NoError(t, mutex.Unlock())
						}
					})
				}
				for n := range 4 * times {
					assert.NoError(t, mutex.Lock())
					*tokens++
					assert.NoError(t, mutex.Unlock())
					if n%2 == 0 {
						assert.NoError(t, cond.Signal())
					} else {
						assert.Equal(t, ok, sharedtest.CondSignal(c))
					}
				}
				wg.Wait()
				assert.Zero(t, *tokens)
			})
		}
	})
	t.Run("plain", func(t *testing.T) {
		c, m, tokens := cObject(t), cObject(t), (*uint32)(cObject(t))
		const times = 500
		done := make(chan syscall.Errno)
		go func() { done <- sharedtest.ConsumePlain(c, m, tokens, times) }()
		l := (*thread.Lock)(m)
		for range times {
			l.Lock()
			*tokens++
			l.Unlock()
			assert.NoError(t, (*Cond)(c).Signal())
		}
		assert.Equal(t, ok, <-done)
	})
}

// pthread_once: "The first call to pthread_once() by any thread in a process,
// with a given once_control, shall call the init_routine with no arguments.
// Subsequent calls ... shall not call the init_routine." A call within the
// routine, which POSIX leaves undefined, is a deadlock.
func TestOnceInCIsPosix(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		onOneThread(func() {
			p := cObject(t)
			assert.Equal(t, syscall.EINVAL, sharedtest.OnceInit(p, flags|1<<15))
			assert.Equal(t, ok, sharedtest.OnceInit(p, flags))
			err, inner, calls := sharedtest.OnceRecursive(p)
			assert.Equal(t, []syscall.Errno{ok, syscall.EDEADLK}, []syscall.Errno{err, inner})
			assert.Equal(t, 1, calls)
			err, _, calls = sharedtest.OnceRecursive(p)
			assert.Equal(t, ok, err)
			assert.Zero(t, calls)
			assert.True(t, (*Once)(p).Done())
			assert.Equal(t, syscall.EALREADY, sharedtest.OnceBegin(p))
			assert.Equal(t, syscall.EPERM, sharedtest.OnceEnd(p, 1))

			assert.Equal(t, ok, sharedtest.OnceInit(p, flags))
			assert.Equal(t, ok, sharedtest.OnceBegin(p))
			assert.Equal(t, syscall.EDEADLK, sharedtest.OnceBegin(p))
			inGoroutine(func() {
				assert.ErrorIs(t, (*Once)(p).DoTimeout(time.Millisecond, func() {}), ErrTimeout)
			})
			assert.Equal(t, ok, sharedtest.OnceEnd(p, 0), "as if it had not been called")
			results := make(chan syscall.Errno)
			assert.NoError(t, (*Once)(p).Do(func() {
				go func() { onOneThread(func() { results <- sharedtest.OnceBegin(p) }) }()
				eventually(t, "C waits", func() bool { return (*Once)(p).owner.word.Load()&ownerWaiters != 0 })
			}))
			assert.Equal(t, syscall.EALREADY, <-results)
			(*Once)(p).attr.word.Store(semMark)
			assert.Equal(t, syscall.EINVAL, sharedtest.OnceBegin(p))
			assert.Equal(t, syscall.EINVAL, sharedtest.OnceEnd(p, 1))
		})
	})
}

// A runner of C whose thread ends within the function is replaced.
func TestOnceInCReplacesARunnerThatHasDied(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		p := cObject(t)
		assert.Equal(t, ok, sharedtest.OnceInit(p, flags))
		begun := make(chan syscall.Errno)
		onDyingThread(func() { begun <- sharedtest.OnceBegin(p) })
		assert.Equal(t, ok, <-begun)
		onOneThread(func() {
			assert.Equal(t, ok, sharedtest.OnceBegin(p))
			assert.Equal(t, ok, sharedtest.OnceEnd(p, 1))
		})
	})
}

// pthread_rwlock_tryrdlock, pthread_rwlock_trywrlock: "[EBUSY] The read-write
// lock could not be acquired". pthread_rwlock_wrlock, pthread_rwlock_rdlock:
// "[EDEADLK] ... the current thread already owns the read-write lock for
// writing". pthread_rwlock_rdlock: "[EAGAIN] ... the maximum number of read
// locks". pthread_rwlock_unlock: "[EPERM] The current thread does not hold a
// lock on the read-write lock."
func TestRWLockInCIsPosix(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		onOneThread(func() {
			p := cObject(t)
			rw := (*RWMutex)(p)
			assert.Equal(t, syscall.EINVAL, sharedtest.RWInit(p, flags|1<<15))
			assert.Equal(t, ok, sharedtest.RWInit(p, flags))
			assert.Equal(t, syscall.EPERM, sharedtest.RWUnlock(p))
			assert.Equal(t, syscall.EPERM, sharedtest.RWRdUnlock(p))
			assert.Equal(t, syscall.EPERM, sharedtest.RWWrUnlock(p))

			assert.Equal(t, ok, sharedtest.RWWrLock(p))
			assert.Equal(t, syscall.EDEADLK, sharedtest.RWWrLock(p))
			assert.Equal(t, syscall.EDEADLK, sharedtest.RWRdLock(p))
			assert.Equal(t, syscall.EBUSY, sharedtest.RWTryWrLock(p))
			assert.Equal(t, syscall.EBUSY, sharedtest.RWTryRdLock(p))
			inGoroutine(func() {
				onOneThread(func() {
					assert.Equal(t, syscall.EPERM, sharedtest.RWWrUnlock(p))
					cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.RWClockRdLock(p, d) })
					cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.RWClockWrLock(p, d) })
				})
				assert.ErrorIs(t, rw.Unlock(), ErrNotOwner)
				assert.Equal(t, ErrBusy, rw.TryRLock())
			})
			assert.Equal(t, ok, sharedtest.RWUnlock(p))

			assert.Equal(t, ok, sharedtest.RWRdLock(p))
			assert.Equal(t, ok, sharedtest.RWTryRdLock(p))
			assert.NoError(t, rw.RLock())
			assert.Equal(t, syscall.EBUSY, sharedtest.RWTryWrLock(p))
			cDeadlines(t, func(d sharedtest.Deadline) syscall.Errno { return sharedtest.RWClockWrLock(p, d) })
			assert.Equal(t, ok, sharedtest.RWUnlock(p))
			assert.Equal(t, ok, sharedtest.RWRdUnlock(p))
			assert.NoError(t, rw.RUnlock())
			assert.NoError(t, rw.Lock())
			assert.Equal(t, syscall.EBUSY, sharedtest.RWTryRdLock(p))
			assert.NoError(t, rw.Unlock())

			rw.state.Store(rwMaxReaders)
			assert.Equal(t, syscall.EAGAIN, sharedtest.RWRdLock(p))
			rw.state.Store(rwMaxReaders + 1)
			assert.Equal(t, syscall.EINVAL, sharedtest.RWRdLock(p))
			rw.attr.word.Store(semMark)
			assert.Equal(t, syscall.EINVAL, sharedtest.RWWrLock(p))
		})
	})
}

// The words of a lock are the same in all ways to die, in C and in Go.
func TestRWLockInCReplacesAWriterThatHasDied(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		for name, lock := range map[string]func(p unsafe.Pointer) error{
			"writer of C":  func(p unsafe.Pointer) error { return nilIfOK(sharedtest.RWWrLock(p)) },
			"writer of Go": func(p unsafe.Pointer) error { return (*RWMutex)(p).Lock() },
		} {
			t.Run(name, func(t *testing.T) {
				p := cObject(t)
				rw := (*RWMutex)(p)
				die := func() {
					got := make(chan error)
					onDyingThread(func() { got <- lock(p) })
					assert.NoError(t, <-got)
				}
				assert.Equal(t, ok, sharedtest.RWInit(p, flags|sharedtest.Robust))
				die()
				assert.Equal(t, syscall.EOWNERDEAD, sharedtest.RWRdLock(p))
				assert.Equal(t, syscall.EOWNERDEAD, sharedtest.RWClockRdLock(p, clockAfter(unix.CLOCK_MONOTONIC, 0)))
				assert.ErrorIs(t, rw.RLock(), ErrOwnerDead)
				onOneThread(func() {
					assert.Equal(t, syscall.EOWNERDEAD, sharedtest.RWWrLock(p))
					assert.Equal(t, ok, sharedtest.RWConsistent(p))
					assert.Equal(t, ok, sharedtest.RWWrUnlock(p))
				})
				assert.NoError(t, rw.RLock())
				assert.NoError(t, rw.RUnlock())
				die()
				onOneThread(func() {
					eventually(t, "it is dead", func() bool { return sharedtest.RWTryRdLock(p) == syscall.EOWNERDEAD })
					assert.Equal(t, syscall.EOWNERDEAD, sharedtest.RWTryWrLock(p))
					assert.Equal(t, ok, sharedtest.RWUnlock(p), "without consistent")
					for _, lock := range []func(unsafe.Pointer) syscall.Errno{
						sharedtest.RWRdLock, sharedtest.RWTryRdLock, sharedtest.RWWrLock, sharedtest.RWTryWrLock,
					} {
						assert.Equal(t, syscall.ENOTRECOVERABLE, lock(p))
					}
				})
				assert.ErrorIs(t, rw.RLock(), ErrNotRecoverable)
				// A writer that gives up because of a reader
				// leaves the death to the next.
				assert.Equal(t, ok, sharedtest.RWInit(p, flags|sharedtest.Robust))
				rw.writer.word.Store(rwDead)
				rw.state.Store(rwWriter | 1)
				onOneThread(func() {
					d := clockAfter(unix.CLOCK_MONOTONIC, time.Millisecond)
					assert.Equal(t, syscall.ETIMEDOUT, sharedtest.RWClockWrLock(p, d))
					assert.Equal(t, syscall.EBUSY, sharedtest.RWTryWrLock(p))
					assert.Equal(t, ok, sharedtest.RWRdUnlock(p))
					assert.Equal(t, syscall.EOWNERDEAD, sharedtest.RWWrLock(p))
					assert.Equal(t, ok, sharedtest.RWConsistent(p))
					assert.Equal(t, ok, sharedtest.RWUnlock(p))
				})
			})
		}
	})
}

func nilIfOK(err syscall.Errno) error {
	if err == ok {
		return nil
	}
	return err
}

func TestRWLockBetweenGoAndC(t *testing.T) {
	cSharings(t, func(t *testing.T, flags uint32) {
		const times = 300
		p := cObject(t)
		rw := (*RWMutex)(p)
		assert.Equal(t, ok, sharedtest.RWInit(p, flags))
		var a, b atomic.Int64 // the race detector does not see C's locks
		var wg sync.WaitGroup
		for range 2 {
			for _, c := range []struct {
				lock, unlock func() error
				writes       bool
			}{
				{rw.Lock, rw.Unlock, true},
				{rw.RLock, rw.RUnlock, false},
				{
					func() error { return nilIfOK(sharedtest.RWWrLock(p)) },
					func() error { return nilIfOK(sharedtest.RWUnlock(p)) }, true,
				},
				{
					func() error { return nilIfOK(sharedtest.RWRdLock(p)) },
					func() error { return nilIfOK(sharedtest.RWUnlock(p)) }, false,
				},
			} {
				wg.Go(func() {
					onOneThread(func() {
						for range times {
							assert.NoError(t, c.lock())
							assert.Equal(t, a.Load(), b.Load())
							if c.writes {
								a.Add(1)
								runtime.Gosched()
								b.Add(1)
							}
							assert.NoError(t, c.unlock())
						}
					})
				})
			}
		}
		wg.Wait()
		assert.EqualValues(t, 4*times, a.Load())
		assert.Zero(t, rw.state.Load())
	})
}
