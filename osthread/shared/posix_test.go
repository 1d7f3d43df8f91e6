//go:build !plan9

package shared

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What POSIX.1-2024 says that each function does and returns, clause by clause,
// on the thread that owns what is owned. 0 is success. That two callers exclude
// each other, and that no wakeup is lost, is tested with each object.

// A clause is one sentence: the function, the words, and what the calls return.
type clause struct {
	function, says string
	calls          func(t *testing.T) error
	want           syscall.Errno
}

const (
	eok  = syscall.Errno(0)
	soon = 2 * time.Millisecond
)

// past and short are deadlines.
func past() Deadline  { return Deadline{Monotonic, 1} }
func short() Deadline { return Monotonic.After(soon) }

func testClauses(t *testing.T, clauses []clause) {
	for _, c := range clauses {
		t.Run(fmt.Sprintf("%s/%s", c.function, c.says), func(t *testing.T) {
			watch(t)
			onThread(t, func() {
				err := c.calls(t)
				if c.want == eok {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, c.want)
				}
			})
		})
	}
}

// posixMutex returns a mutex of a kind, locked by another thread or not.
func posixMutex(t *testing.T, a MutexAttr, byAnother bool) *Mutex {
	m := new(Mutex)
	assert.NoError(t, m.Init(a))
	if byAnother {
		locked, over := make(chan struct{}), make(chan struct{})
		t.Cleanup(func() { close(over) })
		go onThread(t, func() {
			assert.NoError(t, m.Lock())
			close(locked)
			<-over
		})
		<-locked
	}
	return m
}

func TestPosixMutex(t *testing.T) {
	check, recursive := MutexAttr{Kind: ErrorCheck}, MutexAttr{Kind: Recursive}
	clauses := []clause{
		{"pthread_mutex_init", "[EINVAL] the attributes are invalid", func(*testing.T) error {
			return new(Mutex).Init(MutexAttr{Kind: Recursive + 1})
		}, syscall.EINVAL},
		{"pthread_mutex_init", "the state becomes initialized and unlocked", func(t *testing.T) error {
			m := posixMutex(t, check, false)
			assert.NoError(t, m.Lock())
			assert.NoError(t, m.Init(recursive))
			return m.TryLock()
		}, eok},
		{"pthread_mutex_lock", "returns with the mutex locked by the calling thread", func(t *testing.T) error {
			m := posixMutex(t, check, false)
			assert.NoError(t, m.Lock())
			return m.Unlock()
		}, eok},
		{"pthread_mutex_lock", "[EDEADLK] ERRORCHECK and the current thread owns it", func(t *testing.T) error {
			m := posixMutex(t, check, false)
			assert.NoError(t, m.Lock())
			return m.Lock()
		}, syscall.EDEADLK},
		{"pthread_mutex_lock", "RECURSIVE maintains a lock count", func(t *testing.T) error {
			m := posixMutex(t, recursive, false)
			assert.NoError(t, errors.Join(m.Lock(), m.Lock(), m.Unlock(), m.Unlock()))
			return m.Unlock()
		}, syscall.EPERM},
		{"pthread_mutex_lock", "[EAGAIN] the maximum number of recursive locks", func(t *testing.T) error {
			m := posixMutex(t, recursive, false)
			assert.NoError(t, m.Lock())
			m.depth.Store(math.MaxInt32 - 1)
			return m.Lock()
		}, syscall.EAGAIN},
		{"pthread_mutex_trylock", "[EBUSY] the mutex was already locked", func(t *testing.T) error {
			return posixMutex(t, check, true).TryLock()
		}, syscall.EBUSY},
		{"pthread_mutex_trylock", "[EBUSY] also by the calling thread", func(t *testing.T) error {
			m := posixMutex(t, MutexAttr{}, false)
			assert.NoError(t, m.Lock())
			return m.TryLock()
		}, syscall.EBUSY},
		{"pthread_mutex_trylock", "RECURSIVE owned by the calling thread: the count goes up", func(t *testing.T) error {
			m := posixMutex(t, recursive, false)
			assert.NoError(t, m.Lock())
			return m.TryLock()
		}, eok},
		{"pthread_mutex_timedlock", "[ETIMEDOUT] not locked before the timeout", func(t *testing.T) error {
			return posixMutex(t, check, true).LockUntil(Realtime.After(soon))
		}, syscall.ETIMEDOUT},
		{"pthread_mutex_timedlock", "a mutex that is free is locked whatever the time", func(t *testing.T) error {
			return posixMutex(t, check, false).LockUntil(past())
		}, eok},
		{"pthread_mutex_timedlock", "[EDEADLK] ERRORCHECK and the current thread owns it", func(t *testing.T) error {
			m := posixMutex(t, check, false)
			assert.NoError(t, m.Lock())
			return m.LockUntil(short())
		}, syscall.EDEADLK},
		{"pthread_mutex_timedlock", "a relock of NORMAL times out", func(t *testing.T) error {
			m := posixMutex(t, MutexAttr{}, false)
			assert.NoError(t, m.Lock())
			return m.LockUntil(short())
		}, syscall.ETIMEDOUT},
		{"pthread_mutex_clocklock", "[EINVAL] a bad clock, of a call that would block", func(t *testing.T) error {
			return posixMutex(t, check, true).LockUntil(Deadline{Boottime + 1, math.MaxInt64})
		}, syscall.EINVAL},
		{"pthread_mutex_clocklock", "CLOCK_MONOTONIC", func(t *testing.T) error {
			return posixMutex(t, check, true).LockUntil(short())
		}, syscall.ETIMEDOUT},
		{"pthread_mutex_unlock", "[EPERM] ERRORCHECK and not owned", func(t *testing.T) error {
			return posixMutex(t, check, true).Unlock()
		}, syscall.EPERM},
		{"pthread_mutex_unlock", "[EPERM] RECURSIVE and not owned", func(t *testing.T) error {
			return posixMutex(t, recursive, true).Unlock()
		}, syscall.EPERM},
		{"pthread_mutex_unlock", "[EPERM] an unlocked ERRORCHECK", func(t *testing.T) error {
			return posixMutex(t, check, false).Unlock()
		}, syscall.EPERM},
		{"pthread_mutex_consistent", "[EINVAL] the mutex is not robust", func(t *testing.T) error {
			m := posixMutex(t, check, false)
			assert.NoError(t, m.Lock())
			return m.Consistent()
		}, syscall.EINVAL},
	}
	if canRobust {
		clauses = append(clauses, robustClauses()...)
	}
	testClauses(t, clauses)
}

// ownerDead returns a robust mutex that the caller has locked with EOWNERDEAD.
func ownerDead(t *testing.T) *Mutex {
	m := posixMutex(t, MutexAttr{Robust: true}, false)
	onThread(t, func() { assert.NoError(t, m.Lock()) })
	assert.ErrorIs(t, m.Lock(), errnoOwnerDead)
	return m
}

func robustClauses() []clause {
	robust := MutexAttr{Robust: true}
	return []clause{
		{"pthread_mutex_lock", "[EOWNERDEAD] the owning thread ended with the lock", func(t *testing.T) error {
			m := posixMutex(t, robust, false)
			onThread(t, func() { assert.NoError(t, m.Lock()) })
			return m.Lock()
		}, errnoOwnerDead},
		{"pthread_mutex_trylock", "[EOWNERDEAD]", func(t *testing.T) error {
			m := posixMutex(t, robust, false)
			onThread(t, func() { assert.NoError(t, m.Lock()) })
			return m.TryLock()
		}, errnoOwnerDead},
		{"pthread_mutex_timedlock", "[EOWNERDEAD]", func(t *testing.T) error {
			m := posixMutex(t, robust, false)
			onThread(t, func() { assert.NoError(t, m.Lock()) })
			return m.LockUntil(Realtime.After(time.Hour))
		}, errnoOwnerDead},
		{"pthread_mutex_consistent", "the state is consistent after the unlock", func(t *testing.T) error {
			m := ownerDead(t)
			assert.NoError(t, errors.Join(m.Consistent(), m.Unlock()))
			return m.Lock()
		}, eok},
		{"pthread_mutex_consistent", "[EINVAL] it does not protect an inconsistent state", func(t *testing.T) error {
			m := posixMutex(t, robust, false)
			assert.NoError(t, m.Lock())
			return m.Consistent()
		}, syscall.EINVAL},
		{"pthread_mutex_unlock", "[ENOTRECOVERABLE] after an unlock without consistent", func(t *testing.T) error {
			m := ownerDead(t)
			assert.NoError(t, m.Unlock())
			assert.ErrorIs(t, m.TryLock(), errnoNotRecoverable)
			return m.Lock()
		}, errnoNotRecoverable},
		{"pthread_mutex_unlock", "[EPERM] a robust mutex that is not owned", func(t *testing.T) error {
			return posixMutex(t, robust, true).Unlock()
		}, syscall.EPERM},
		{"pthread_mutex_init", "a mutex that is not recoverable can be initialized anew", func(t *testing.T) error {
			m := ownerDead(t)
			assert.NoError(t, errors.Join(m.Unlock(), m.Init(robust)))
			return m.Lock()
		}, eok},
		{"pthread_mutex_trylock", "[ENOTRECOVERABLE]", func(t *testing.T) error {
			m := ownerDead(t)
			assert.NoError(t, m.Unlock())
			return m.TryLock()
		}, errnoNotRecoverable},
		{"pthread_mutex_timedlock", "[ENOTRECOVERABLE] whatever the time", func(t *testing.T) error {
			m := ownerDead(t)
			assert.NoError(t, m.Unlock())
			return m.LockUntil(past())
		}, errnoNotRecoverable},
		{"pthread_mutex_timedlock", "[EOWNERDEAD] whatever the time", func(t *testing.T) error {
			m := posixMutex(t, robust, false)
			onThread(t, func() { assert.NoError(t, m.Lock()) })
			return m.LockUntil(past())
		}, errnoOwnerDead},
		{"pthread_cond_wait", "[ENOTRECOVERABLE] the owner unlocked without consistent", func(t *testing.T) error {
			c, m := new(Cond), ownerDead(t)
			assert.NoError(t, errors.Join(m.Consistent(), m.Unlock(), m.Lock()))
			go onThread(t, func() {
				assert.NoError(t, m.Lock())
				go onThread(t, func() {
					assert.ErrorIs(t, m.Lock(), errnoOwnerDead)
					assert.NoError(t, errors.Join(c.Signal(), m.Unlock()))
				})
			}) // ends with the mutex
			return c.Wait(m)
		}, errnoNotRecoverable},
		{"pthread_cond_wait", "[EOWNERDEAD] the mutex is acquired, its owner has died", func(t *testing.T) error {
			c, m := new(Cond), posixMutex(t, robust, false)
			assert.NoError(t, m.Lock())
			go onThread(t, func() {
				assert.NoError(t, errors.Join(m.Lock(), c.Signal()))
			}) // ends with the mutex
			return c.Wait(m)
		}, errnoOwnerDead},
	}
}

func TestPosixCond(t *testing.T) {
	locked := func(t *testing.T) *Mutex {
		m := posixMutex(t, MutexAttr{Kind: ErrorCheck}, false)
		assert.NoError(t, m.Lock())
		return m
	}
	testClauses(t, []clause{
		{"pthread_cond_wait", "[EPERM] the mutex is not owned by the current thread", func(t *testing.T) error {
			return new(Cond).Wait(posixMutex(t, MutexAttr{Kind: ErrorCheck}, true))
		}, syscall.EPERM},
		{"pthread_cond_wait", "returns with the mutex locked and owned", func(t *testing.T) error {
			c, m := new(Cond), locked(t)
			go onThread(t, func() { assert.NoError(t, errors.Join(m.Lock(), c.Signal(), m.Unlock())) })
			assert.NoError(t, c.Wait(m))
			return m.Unlock()
		}, eok},
		{"pthread_cond_timedwait", "[ETIMEDOUT] and the mutex is owned again", func(t *testing.T) error {
			c, m := new(Cond), locked(t)
			err := c.WaitUntil(m, Realtime.After(soon))
			assert.NoError(t, m.Unlock())
			return err
		}, syscall.ETIMEDOUT},
		{"pthread_cond_timedwait", "[ETIMEDOUT] the time had passed at the call", func(t *testing.T) error {
			return new(Cond).WaitUntil(locked(t), past())
		}, syscall.ETIMEDOUT},
		{"pthread_cond_clockwait", "[EINVAL] the clock is invalid; the mutex stays owned", func(t *testing.T) error {
			c, m := new(Cond), locked(t)
			err := c.WaitUntil(m, Deadline{-1, math.MaxInt64})
			assert.NoError(t, m.Unlock())
			return err
		}, syscall.EINVAL},
		{"pthread_cond_clockwait", "CLOCK_MONOTONIC", func(t *testing.T) error {
			return new(Cond).WaitUntil(locked(t), short())
		}, syscall.ETIMEDOUT},
		{"pthread_cond_signal", "no effect if no thread is blocked", func(t *testing.T) error {
			c, m := new(Cond), locked(t)
			assert.NoError(t, c.Signal())
			return c.WaitUntil(m, short())
		}, syscall.ETIMEDOUT},
		{"pthread_cond_broadcast", "no effect if no thread is blocked", func(t *testing.T) error {
			c, m := new(Cond), locked(t)
			assert.NoError(t, c.Broadcast())
			return c.WaitUntil(m, short())
		}, syscall.ETIMEDOUT},
	})
}

func TestPosixRWLock(t *testing.T) {
	readByAnother := func(t *testing.T) *RWMutex {
		rw := new(RWMutex)
		onThread(t, func() { assert.NoError(t, rw.RLock()) })
		return rw
	}
	// written returns a lock that a thread that lives holds for writing.
	written := func(t *testing.T) *RWMutex {
		rw := new(RWMutex)
		locked, over := make(chan struct{}), make(chan struct{})
		t.Cleanup(func() { close(over) })
		go onThread(t, func() { assert.NoError(t, rw.Lock()); close(locked); <-over })
		<-locked
		return rw
	}
	testClauses(t, []clause{
		{"pthread_rwlock_rdlock", "acquired if no writer holds the lock and none waits", func(t *testing.T) error {
			rw := readByAnother(t)
			return errors.Join(rw.RLock(), rw.RUnlock(), rw.RUnlock())
		}, eok},
		{"pthread_rwlock_rdlock", "[EAGAIN] the maximum number of read locks", func(t *testing.T) error {
			rw := new(RWMutex)
			rw.state.Store(rwMaxReaders)
			return rw.RLock()
		}, syscall.EAGAIN},
		{"pthread_rwlock_rdlock", "[EDEADLK] the current thread owns it for writing", func(t *testing.T) error {
			rw := new(RWMutex)
			assert.NoError(t, rw.Lock())
			return rw.RLock()
		}, syscall.EDEADLK},
		{"pthread_rwlock_tryrdlock", "[EBUSY] a writer holds the lock", func(t *testing.T) error {
			return written(t).TryRLock()
		}, syscall.EBUSY},
		{"pthread_rwlock_tryrdlock", "[EBUSY] a writer waits for the lock", func(t *testing.T) error {
			rw := readByAnother(t)
			go onThread(t, func() { assert.NoError(t, errors.Join(rw.Lock(), rw.Unlock())) })
			var err error
			eventually(t, "a writer waits", func() bool {
				if err = rw.TryRLock(); err == nil {
					assert.NoError(t, rw.RUnlock())
				}
				return err != nil
			})
			assert.NoError(t, rw.RUnlock())
			return err
		}, syscall.EBUSY},
		{"pthread_rwlock_timedrdlock", "[ETIMEDOUT]", func(t *testing.T) error {
			return written(t).RLockUntil(Realtime.After(soon))
		}, syscall.ETIMEDOUT},
		{"pthread_rwlock_timedrdlock", "a lock that is free is acquired whatever the time", func(t *testing.T) error {
			return new(RWMutex).RLockUntil(past())
		}, eok},
		{"pthread_rwlock_clockrdlock", "[EINVAL] a bad clock, of a call that would block", func(t *testing.T) error {
			return written(t).RLockUntil(Deadline{-1, math.MaxInt64})
		}, syscall.EINVAL},
		{"pthread_rwlock_wrlock", "acquired if nobody holds the lock", func(t *testing.T) error {
			rw := new(RWMutex)
			return errors.Join(rw.Lock(), rw.Unlock())
		}, eok},
		{"pthread_rwlock_wrlock", "[EDEADLK] the current thread owns it for writing", func(t *testing.T) error {
			rw := new(RWMutex)
			assert.NoError(t, rw.Lock())
			return rw.Lock()
		}, syscall.EDEADLK},
		{"pthread_rwlock_trywrlock", "[EBUSY] held for reading", func(t *testing.T) error {
			return readByAnother(t).TryLock()
		}, syscall.EBUSY},
		{"pthread_rwlock_trywrlock", "[EBUSY] held for writing", func(t *testing.T) error {
			return written(t).TryLock()
		}, syscall.EBUSY},
		{"pthread_rwlock_timedwrlock", "[ETIMEDOUT] held for reading", func(t *testing.T) error {
			return readByAnother(t).LockUntil(Realtime.After(soon))
		}, syscall.ETIMEDOUT},
		{"pthread_rwlock_clockwrlock", "[ETIMEDOUT] held for writing, CLOCK_MONOTONIC", func(t *testing.T) error {
			return written(t).LockUntil(short())
		}, syscall.ETIMEDOUT},
		{"pthread_rwlock_unlock", "[EPERM] the current thread does not hold it for writing", func(t *testing.T) error {
			return written(t).Unlock()
		}, syscall.EPERM},
		{"pthread_rwlock_unlock", "[EPERM] nobody holds it for reading", func(t *testing.T) error {
			return new(RWMutex).RUnlock()
		}, syscall.EPERM},
	})
}

func TestPosixBarrier(t *testing.T) {
	testClauses(t, []clause{
		{"pthread_barrier_init", "[EINVAL] the count is zero", func(*testing.T) error {
			return new(Barrier).Init(0, false)
		}, syscall.EINVAL},
		{"pthread_barrier_wait", "one thread gets PTHREAD_BARRIER_SERIAL_THREAD", func(t *testing.T) error {
			b := new(Barrier)
			assert.NoError(t, b.Init(3, false))
			var serials atomic.Int32
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for range 100 {
						serial, err := b.Wait()
						assert.NoError(t, err)
						if serial {
							serials.Add(1)
						}
					}
				})
			}
			wg.Wait()
			assert.EqualValues(t, 100, serials.Load(), "the barrier is reset each time")
			return nil
		}, eok},
	})
}

func TestPosixSemaphore(t *testing.T) {
	sem := func(t *testing.T, value int) *Semaphore {
		s := new(Semaphore)
		assert.NoError(t, s.Init(value, false))
		return s
	}
	testClauses(t, []clause{
		{"sem_init", "[EINVAL] the value is out of range", func(*testing.T) error {
			return new(Semaphore).Init(-1, false)
		}, syscall.EINVAL},
		{"sem_init", "the value may be SEM_VALUE_MAX", func(t *testing.T) error {
			value, err := sem(t, MaxSemaphore).Value()
			assert.Equal(t, MaxSemaphore, value)
			return err
		}, eok},
		{"sem_wait", "decrements a value that is not zero", func(t *testing.T) error {
			s := sem(t, 2)
			assert.NoError(t, s.Acquire())
			value, err := s.Value()
			assert.Equal(t, 1, value)
			return err
		}, eok},
		{"sem_trywait", "the value is zero: not acquired", func(t *testing.T) error {
			return sem(t, 0).TryAcquire()
		}, syscall.EBUSY}, // POSIX has EAGAIN here alone; C has it, too
		{"sem_timedwait", "[ETIMEDOUT]", func(t *testing.T) error {
			return sem(t, 0).AcquireUntil(Realtime.After(soon))
		}, syscall.ETIMEDOUT},
		{"sem_timedwait", "succeeds at once if the value is positive, whatever the time", func(t *testing.T) error {
			return sem(t, 1).AcquireUntil(past())
		}, eok},
		{"sem_clockwait", "[EINVAL] a bad clock, of a call that would block", func(t *testing.T) error {
			return sem(t, 0).AcquireUntil(Deadline{-1, math.MaxInt64})
		}, syscall.EINVAL},
		{"sem_post", "[EOVERFLOW] SEM_VALUE_MAX would be exceeded", func(t *testing.T) error {
			return sem(t, MaxSemaphore).Release()
		}, syscall.EOVERFLOW},
		{"sem_post", "one waiter is allowed to return", func(t *testing.T) error {
			s := sem(t, 0)
			go onThread(t, func() { assert.NoError(t, s.Release()) })
			return s.Acquire()
		}, eok},
		{"sem_getvalue", "zero if threads wait", func(t *testing.T) error {
			value, err := sem(t, 0).Value()
			assert.Zero(t, value)
			return err
		}, eok},
	})
}
