//go:build linux && !portablefutex && (386 || arm || mipsle)

package futex

import (
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/lockdown"
)

var numbers = []uintptr{unix.SYS_FUTEX, unix.SYS_FUTEX_TIME64}

// The contract over the older call, in the tests that a call that misbehaves
// would fail.
func TestFutexTime32KeepsTheContract(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			pretendOld(t)
			c.test(t)
			assert.EqualValues(t, 1, atomic.LoadUint32(&time32))
		})
	}
}

// pretendOld has the package use the older call until the test ends.
func pretendOld(t *testing.T) {
	atomic.StoreUint32(&time32, 1)
	t.Cleanup(func() { atomic.StoreUint32(&time32, 0) })
}

// Each of the calls detects that futex_time64 is refused, and still succeeds.
func TestFutexTime64RefusalIsRemembered(t *testing.T) {
	needFilters(t)
	watch(t)
	past := MakeTimespec(0)
	for name, call := range map[string]func(w *uint32){
		"Wait changed":      func(w *uint32) { assert.Equal(t, Changed, Wait(w, 1, Never)) },
		"Wait timed out":    func(w *uint32) { assert.Equal(t, TimedOut, waitThrough(w, After(time.Millisecond))) },
		"RawWait changed":   func(w *uint32) { assert.Equal(t, syscall.EAGAIN, RawWait(w, 1, nil, Private)) },
		"RawWait timed out": func(w *uint32) { assert.Equal(t, syscall.ETIMEDOUT, RawWait(w, 0, unsafe.Pointer(&past), Private)) },
		"Wake":              func(w *uint32) { assert.Zero(t, Wake(w, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer atomic.StoreUint32(&time32, 0)
			done := make(chan bool)
			go func() {
				defer close(done)
				runtime.LockOSThread() // and ends so: the filter goes with the thread
				w := new(uint32)
				if refuse(t, w) {
					call(w)
					done <- true
				}
			}()
			if <-done {
				assert.EqualValues(t, 1, atomic.LoadUint32(&time32))
			}
		})
	}
}

// A filter that refuses an operation in both calls does not show that there is
// no futex_time64.
func TestFutexTime64IsNotRefusedByAnOperation(t *testing.T) {
	past := MakeTimespec(0)
	for name, call := range map[string]func(w *uint32){
		"Wait":             func(w *uint32) { assert.Equal(t, Woken, Wait(w, 0, Never)) },
		"RawWait":          func(w *uint32) { assert.Equal(t, syscall.EINTR, RawWait(w, 0, nil, Private)) },
		"RawWait deadline": func(w *uint32) { assert.Equal(t, syscall.EINTR, RawWait(w, 0, unsafe.Pointer(&past), Private)) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, errno := range refusals {
				withRefused(t, errno, []uint32{futexWaitBitset}, func(w *uint32) {
					call(w)
					assert.EqualValues(t, 1, atomic.LoadUint32(&relative))
					assert.Zero(t, atomic.LoadUint32(&time32))
				})
			}
		})
	}
}

// refuse has the kernel say to this thread that there is no futex_time64, as an
// old one would. It does so for the word w only: Go's runtime calls it on this
// thread too, and has seen that it is there.
func refuse(t *testing.T, w *uint32) bool {
	return assert.NoError(
		t,
		lockdown.Thread(syscall.ENOSYS, lockdown.Call{Number: unix.SYS_FUTEX_TIME64, Args: []lockdown.Arg{onWord(w)}}),
	)
}

func TestHasTime64ByKernelVersion(t *testing.T) {
	for release, want := range map[string]bool{
		"3.2.0": false, "4.4.302+": false, "4.19.0-27-686": false, "5.0.21": false, "5.1.0": true, "5.1": true, "5.10.0-x": true, "6.18.44": true,
		"10.0": true, "": true, "generic": true, "5": true,
	} {
		assert.Equal(t, want, hasTime64(release), release)
	}
}

func TestRefusedErrnos(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{
		0: false, syscall.ENOSYS: true, syscall.EPERM: true, syscall.EAGAIN: false, syscall.EINTR: false,
		syscall.ETIMEDOUT: false, syscall.EINVAL: false, syscall.EFAULT: false,
	} {
		assert.Equal(t, want, refused(errno), errno)
	}
}

func TestClampedDeadlineEndsSpuriously(t *testing.T) {
	for _, c := range []struct {
		sec   int64
		want  timespec32
		early bool
	}{
		{0, timespec32{0, 7}, false},
		{math.MaxInt32, timespec32{math.MaxInt32, 7}, false},
		{math.MaxInt32 + 1, timespec32{math.MaxInt32, 0}, true},
		{MakeTimespec(Never).sec, timespec32{math.MaxInt32, 0}, true},
	} {
		got, early := clamp(&Timespec{sec: c.sec, nsec: 7})
		assert.Equal(t, c.want, got, c.sec)
		assert.Equal(t, c.early, early, c.sec)
	}
	assert.Equal(t, syscall.EINTR, unclamp(syscall.ETIMEDOUT, true))
	assert.Equal(t, syscall.ETIMEDOUT, unclamp(syscall.ETIMEDOUT, false))
	assert.Equal(t, syscall.EAGAIN, unclamp(syscall.EAGAIN, true))
}
