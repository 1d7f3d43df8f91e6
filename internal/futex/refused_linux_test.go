//go:build !portablefutex

package futex

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/lockdown"
)

// contract are the tests that a call that misbehaves would fail.
var contract = []struct {
	name string
	test func(*testing.T)
}{
	{"changed", TestWaitReturnsChangedWhenTheWordDiffers},
	{"passed", TestWaitTimesOutAtOnceAfterItsDeadline},
	{"early", TestWaitIsNotEarly},
	{"last", TestWaitSleepsWithAVeryLateDeadline},
	{"at most n", TestWakeWakesAtMostN},
	{"signals", TestWaitKeepsItsDeadlineUnderSignals},
	{"panics", TestWaitPanicsOnAnInvalidWord},
	{"pieces", TestRawWaitIsWait},
	{"two", TestWakeIsNotLostBetweenTwo},
	{"many", TestWakeIsNotLostAmongMany},
	{"counted", TestWakeIsNotBothCountedAndTimedOut},
}

// The contract over FUTEX_WAIT, whose times are relative.
func TestRelativeWaitKeepsTheContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			atomic.StoreUint32(&relative, 1)
			defer atomic.StoreUint32(&relative, 0)
			c.test(t)
		})
	}
}

func needFilters(t *testing.T) {
	t.Helper()
	if err := lockdown.Available(); err != nil {
		t.Skip(err)
	}
}

// onWord matches futex calls on w. Go's runtime makes others.
func onWord(w *uint32) lockdown.Arg {
	return lockdown.Arg{Index: 0, Mask: 0xffffffff, Value: uint32(uintptr(unsafe.Pointer(w)))}
}

// withRefused runs f on a thread that gets errno for operations on w.
func withRefused(t *testing.T, errno syscall.Errno, ops []uint32, f func(w *uint32)) {
	needFilters(t)
	watch(t)
	defer atomic.StoreUint32(&relative, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends so: the filter goes with the thread
		w := new(uint32)
		var calls []lockdown.Call
		for _, n := range numbers {
			for _, op := range ops {
				calls = append(
					calls,
					lockdown.Call{Number: n, Args: []lockdown.Arg{onWord(w), {Index: 1, Mask: 0x7f, Value: op}}},
				)
			}
		}
		if assert.NoError(t, lockdown.Thread(errno, calls...)) {
			f(w)
		}
	}()
	<-done
}

var refusals = []syscall.Errno{syscall.ENOSYS, syscall.EPERM}

// Each of the calls detects that FUTEX_WAIT_BITSET is refused, and the next one
// does not use it.
func TestAbsoluteWaitRefusalIsRemembered(t *testing.T) {
	raw := func(w *uint32, old uint32, ts unsafe.Pointer) (errno syscall.Errno) {
		for errno = syscall.EINTR; errno == syscall.EINTR; {
			errno = RawWait(w, old, ts, Private)
		}
		return errno
	}
	through := func(w *uint32, old uint32, deadline int64) (r Result) {
		for r = Woken; r == Woken; {
			r = Wait(w, old, deadline)
		}
		return r
	}
	for name, call := range map[string]func(w *uint32){
		"Wait changed":   func(w *uint32) { assert.Equal(t, Changed, through(w, 1, Never)) },
		"Wait timed out": func(w *uint32) { assert.Equal(t, TimedOut, through(w, 0, After(time.Millisecond))) },
		"RawWait":        func(w *uint32) { assert.Equal(t, syscall.EAGAIN, raw(w, 1, nil)) },
	} {
		for _, errno := range refusals {
			t.Run(name+" "+errno.Error(), func(t *testing.T) {
				withRefused(t, errno, []uint32{futexWaitBitset}, func(w *uint32) {
					call(w)
					assert.EqualValues(t, 1, atomic.LoadUint32(&relative))
				})
			})
		}
	}
}

// No thread sleeps that could not be woken, and no caller takes refusals for
// spurious wakeups for ever.
func TestWaitPanicsIfTheFutexIsRefused(t *testing.T) {
	for name, call := range map[string]func(w *uint32){
		"Wait":     func(w *uint32) { waitThrough(w, Never) },
		"deadline": func(w *uint32) { waitThrough(w, After(time.Hour)) },
		"Wake":     func(w *uint32) { Wake(w, 1) },
	} {
		for _, errno := range refusals {
			t.Run(name+" "+errno.Error(), func(t *testing.T) {
				withRefused(t, errno, []uint32{futexWait, futexWaitBitset, futexWake}, func(w *uint32) {
					defer func() {
						err, _ := recover().(error)
						assert.ErrorIs(t, err, errno)
						assert.ErrorContains(t, err, "futex: wa")
					}()
					call(w)
				})
			})
		}
	}
}
