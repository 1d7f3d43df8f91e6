//go:build portablefutex

package futex

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// likeMacOS makes macOS's calls out of futex(2): times are relative, a word
// that differs looks like a wakeup, and a time of 0 is EINVAL.
func likeMacOS() *addressCalls {
	const wait, wake, private = 0, 1, 128 // linux/futex.h
	wakeAtMost := func(w *uint32, n uintptr) syscall.Errno {
		woken, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), wake|private, n, 0, 0, 0)
		if errno == 0 && woken == 0 {
			return syscall.ENOENT
		}
		return errno
	}
	return &addressCalls{
		wait: func(w *uint32, old uint32, ns int64) syscall.Errno {
			var ts *unix.Timespec
			switch {
			case ns == 0:
				return syscall.EINVAL
			case ns > 0:
				limit := unix.NsecToTimespec(ns)
				ts = &limit
			}
			_, _, errno := syscall.Syscall6(
				unix.SYS_FUTEX,
				uintptr(unsafe.Pointer(w)),
				wait|private,
				uintptr(old),
				uintptr(unsafe.Pointer(ts)),
				0,
				0,
			)
			if errno == syscall.EAGAIN {
				return 0
			}
			return errno
		},
		wakeAny: func(w *uint32) syscall.Errno { return wakeAtMost(w, 1) },
		wakeAll: func(w *uint32) syscall.Errno { return wakeAtMost(w, math.MaxInt32) },
	}
}

// unreliable makes calls that end in every way the system allows: spuriously,
// too early, and for lack of memory.
func unreliable(c *addressCalls) *addressCalls {
	maybe := func(errno syscall.Errno) syscall.Errno {
		if rand.IntN(4) == 0 {
			return errno
		}
		return 0
	}
	wakeBy := func(f func(*uint32) syscall.Errno) func(*uint32) syscall.Errno {
		return func(w *uint32) syscall.Errno {
			if errno := maybe([]syscall.Errno{syscall.EINTR, syscall.ENOMEM}[rand.IntN(2)]); errno != 0 {
				return errno
			}
			return f(w)
		}
	}
	return &addressCalls{
		wait: func(w *uint32, old uint32, ns int64) syscall.Errno {
			errnos := [...]syscall.Errno{syscall.EINTR, syscall.ENOMEM, syscall.EFAULT}
			if errno := maybe(errnos[rand.IntN(len(errnos))]); errno != 0 {
				return errno
			}
			if ns > 1 && maybe(1) != 0 {
				ns /= 2 // comes back as ETIMEDOUT, early
			}
			return c.wait(w, old, ns)
		},
		wakeAny: wakeBy(c.wakeAny),
		wakeAll: wakeBy(c.wakeAll),
	}
}

// use has the package sleep by c until the test ends.
func use(t *testing.T, c *addressCalls) {
	system, counts = c, false
	t.Cleanup(func() { system, counts = nil, true })
}

// The contract over calls like macOS's, in all tests of it that do not count.
func TestAddressCallsKeepTheContract(t *testing.T) {
	for name, calls := range map[string]*addressCalls{"reliable": likeMacOS(), "unreliable": unreliable(likeMacOS())} {
		for _, c := range []struct {
			name     string
			test     func(*testing.T)
			reliable bool // the test takes a return spurious wakeup for a real one
		}{
			{"changed", TestWaitReturnsChangedWhenTheWordDiffers, false},
			{"all bits", TestWaitComparesAllBits, false},
			{"passed", TestWaitTimesOutAtOnceAfterItsDeadline, false},
			{"early", TestWaitIsNotEarly, false},
			{"nobody", TestWakeWithoutSleepersReturnsZero, false},
			{"woken", TestWakeWakesASleeper, false},
			{"without a change", TestWakeNeedsNoChangeOfTheWord, true},
			{"all", TestWakeWithTheGreatestIntWakesAll, false},
			{"does not move", TestWaitKeepsTheWordOffTheStack, false},
			{"not Go's", TestWaitWorksOnForeignMemory, false},
			{"two", TestWakeIsNotLostBetweenTwo, false},
			{"many", TestWakeIsNotLostAmongMany, false},
		} {
			if c.reliable && name == "unreliable" {
				continue
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				use(t, calls)
				c.test(t)
			})
		}
	}
}

func TestAddressCallsWaitErrno(t *testing.T) {
	watch(t)
	var w uint32
	for _, errno := range []syscall.Errno{0, syscall.EINTR, syscall.EFAULT, syscall.ENOMEM} {
		use(t, &addressCalls{wait: func(*uint32, uint32, int64) syscall.Errno { return errno }})
		assert.Equal(t, Woken, Wait(&w, 0, Never), errno)
	}
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.ENOSYS, syscall.ENOTSUP} {
		use(t, &addressCalls{wait: func(*uint32, uint32, int64) syscall.Errno { return errno }})
		func() {
			defer func() {
				err, _ := recover().(error)
				require.ErrorIs(t, err, errno)
				assert.ErrorContains(t, err, fmt.Sprintf("%p", &w))
			}()
			Wait(&w, 0, Never)
		}()
	}
}

// Only the clock decides about a timeout, and the word is compared again before
// the next call: its waker may have found no sleeper.
func TestAddressCallsEarlyTimeoutIsResumed(t *testing.T) {
	watch(t)
	var w uint32
	calls := 0
	use(t, &addressCalls{wait: func(w *uint32, _ uint32, ns int64) syscall.Errno {
		assert.Positive(t, ns)
		if calls++; calls == 3 {
			atomic.StoreUint32(w, 1)
		}
		return syscall.ETIMEDOUT
	}})
	assert.Equal(t, Changed, Wait(&w, 0, After(time.Hour)))
	assert.Equal(t, 3, calls)
}

func TestAddressCallsTimeIsBounded(t *testing.T) {
	assert.EqualValues(t, forever, timeLeft(Never))
	for _, deadline := range []int64{math.MinInt64, -1, 0} {
		assert.Zero(t, timeLeft(deadline), deadline)
	}
	for _, deadline := range []int64{Never - 1, After(30 * 24 * time.Hour)} {
		assert.Equal(t, longestWait, timeLeft(deadline), deadline)
	}
	left := timeLeft(After(time.Minute))
	assert.LessOrEqual(t, left, int64(time.Minute))
	assert.Positive(t, left)
}

func TestAddressCallsWakeIsRetried(t *testing.T) {
	for _, c := range []struct {
		name     string
		n        int
		answers  []syscall.Errno // of wakeAny, and then ENOENT
		any, all int
	}{
		{"none", 0, nil, 0, 0},
		{"less", math.MinInt, nil, 0, 0},
		{"one", 1, []syscall.Errno{0}, 1, 0},
		{"three of three", 3, []syscall.Errno{0, 0, 0}, 3, 0},
		{"three of one", 3, []syscall.Errno{0}, 2, 0},
		{"interrupted", 1, []syscall.Errno{syscall.EINTR, syscall.ENOMEM, 0}, 3, 0},
		{"refused", 2, []syscall.Errno{syscall.EINVAL}, 1, 0},
		{"all", math.MaxInt32, nil, 0, 1},
		{"more than all", math.MaxInt, nil, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w uint32
			calledAny, calledAll := 0, 0
			use(t, &addressCalls{
				wakeAny: func(*uint32) syscall.Errno {
					if calledAny++; calledAny <= len(c.answers) {
						return c.answers[calledAny-1]
					}
					return syscall.ENOENT
				},
				wakeAll: func(*uint32) syscall.Errno { calledAll++; return syscall.ENOENT },
			})
			assert.Zero(t, Wake(&w, c.n))
			assert.Equal(t, c.any, calledAny)
			assert.Equal(t, c.all, calledAll)
		})
	}
}
