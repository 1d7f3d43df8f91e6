//go:build linux && !portablefutex

package futex

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const counts = true

// futexCmpRequeue is from linux/futex.h.
const futexCmpRequeue = 4

// sleepers has the kernel move all that sleep on w to the queue they are in,
// which leaves them there and counts them.
func sleepers(w *uint32) int {
	n, _, errno := syscall.Syscall6(
		unix.SYS_FUTEX,
		uintptr(unsafe.Pointer(w)),
		futexCmpRequeue|futexPrivate,
		0,
		math.MaxInt32,
		uintptr(unsafe.Pointer(w)),
		uintptr(atomic.LoadUint32(w)),
	)
	if errno != 0 {
		return -1 // the word has changed since
	}
	return int(n)
}

func TestNowIsTheMonotonicClockAndNeverBehindIt(t *testing.T) {
	const ahead = int64(time.Millisecond) // a bound for a machine that stops between two readings, at each of ten tries
	for range 1000 {
		var before, after unix.Timespec
		require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &before))
		now := Now()
		require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &after))
		require.LessOrEqual(t, before.Nano(), now)
		require.LessOrEqual(t, now, after.Nano()+ahead)
	}
}

// A deadline that started anew at each signal would not come while they last,
// and one that a signal ended would be early. A signal is sent only to a
// sleeper and the next one after its return: a thread that gets them faster
// than it handles them is late by that, in any sleep of the kernel's.
func TestWaitKeepsItsDeadlineUnderSignals(t *testing.T) {
	watch(t)
	const (
		d    = 20 * time.Millisecond
		late = time.Minute // a bound for a busy machine; the signals last until the wait ends
	)
	var w uint32
	var returns atomic.Int64
	tid := make(chan int)
	done := make(chan struct{})
	interrupted := 0
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends so: the thread does not live on to get signals for others
		tid <- unix.Gettid()
		for interrupted < 20 && !t.Failed() {
			deadline := After(d)
			r := Woken
			for r == Woken {
				r = Wait(&w, 0, deadline)
				returns.Add(1)
				if r == Woken {
					interrupted++
				}
			}
			now := Now()
			assert.Equal(t, TimedOut, r)
			assert.GreaterOrEqual(t, now, deadline)
			assert.Less(t, now, deadline+int64(late))
		}
	}()
	ended := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	for sleeper := <-tid; !ended(); runtime.Gosched() {
		before := returns.Load()
		if sleepers(&w) == 0 {
			continue
		}
		// The thread may have ended by then.
		if err := unix.Tgkill(os.Getpid(), sleeper, unix.SIGURG); err != nil {
			require.ErrorIs(t, err, unix.ESRCH)
		}
		for returns.Load() == before && !ended() {
			runtime.Gosched()
		}
	}
	t.Logf("%d interrupted", interrupted)
}

func TestWaitPanicsOnAnInvalidWord(t *testing.T) {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	require.NoError(t, err)
	defer func() { assert.NoError(t, unix.Munmap(page)) }()
	heap := new([2]uint32)
	for _, c := range []struct {
		name string
		word *uint32
		want syscall.Errno
	}{
		{"misaligned by 1", (*uint32)(unsafe.Add(unsafe.Pointer(heap), 1)), syscall.EINVAL},
		{"misaligned by 2", (*uint32)(unsafe.Add(unsafe.Pointer(heap), 2)), syscall.EINVAL},
		{"no memory", (*uint32)(unsafe.Pointer(unsafe.SliceData(page))), syscall.EFAULT},
	} {
		for name, deadline := range map[string]int64{"never": Never, "passed": 0} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				defer func() {
					err, _ := recover().(error)
					require.ErrorIs(t, err, c.want)
					assert.ErrorContains(t, err, fmt.Sprintf("%p", c.word))
				}()
				Wait(c.word, 0, deadline)
			})
		}
		assert.Zero(t, Wake(c.word, 1), c.name)
	}
}

func TestRawWaitIsWait(t *testing.T) {
	w := uint32(1)
	past := MakeTimespec(math.MinInt64)
	assert.Equal(t, Changed, RawResult(&w, RawWait(&w, 0, nil, Private)))
	assert.Equal(t, Changed, RawResult(&w, RawWait(&w, 0, unsafe.Pointer(&past), Private)))
	assert.Equal(t, TimedOut, RawResult(&w, RawWait(&w, 1, unsafe.Pointer(&past), Private)))
}

func TestRawResultOfEachErrno(t *testing.T) {
	var w uint32
	for errno, want := range map[syscall.Errno]Result{
		0: Woken, syscall.EINTR: Woken, syscall.EAGAIN: Changed, syscall.ETIMEDOUT: TimedOut,
	} {
		assert.Equal(t, want, RawResult(&w, errno), errno)
	}
	for _, errno := range []syscall.Errno{syscall.EFAULT, syscall.EINVAL, syscall.ENOSYS, syscall.EPERM} {
		assert.Panics(t, func() { RawResult(&w, errno) }, errno)
	}
}

func TestMakeTimespecKeepsTheDeadline(t *testing.T) {
	for deadline, want := range map[int64][2]int64{
		math.MinInt64: {}, -1: {}, 0: {}, 1: {0, 1}, 999_999_999: {0, 999_999_999},
		1e9: {1, 0}, Never: {9_223_372_036, 854_775_807},
	} {
		assert.Equal(t, Timespec{want[0], want[1], waitUntil}, MakeTimespec(deadline), deadline)
	}
}
