//go:build cgo && !android && !portablefutex

package shared

import (
	"context"
	"math"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

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
