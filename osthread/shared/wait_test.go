//go:build !plan9

package shared

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/waits"
)

func sharings() map[string]bool {
	if canShare() {
		return map[string]bool{"private": false, "shared": true}
	}
	return map[string]bool{"private": false}
}

// waitFor waits on a new word as a call of this package does, until it is 1 or
// l has ended. set gets the word once the waiter is about to sleep.
func waitFor(l limit, pshared bool, set func(word *atomic.Uint32)) (ended bool) {
	word := new(atomic.Uint32)
	p := (*uint32)(unsafe.Pointer(word))
	w := begin("word", p, l, pshared)
	defer w.end()
	if set != nil {
		go set(word)
	}
	for word.Load() == 0 {
		if !w.sleep(p, 0) {
			return true
		}
	}
	return false
}

func TestSleepEndsByWake(t *testing.T) {
	for name, pshared := range sharings() {
		t.Run(name, func(t *testing.T) {
			for _, l := range []limit{forever(), within(time.Hour), untilTime(Realtime.After(time.Hour))} {
				assert.False(t, waitFor(l, pshared, func(word *atomic.Uint32) {
					word.Store(1)
					wake((*uint32)(unsafe.Pointer(word)), 1, pshared)
				}))
			}
		})
	}
}

// A store without a wakeup, as of a process that was killed in between, is seen
// after a slice.
func TestSleepOnSharedWordSeesAStoreWithoutAWakeup(t *testing.T) {
	if !canShare() {
		t.Skip("no sharing between processes")
	}
	assert.False(t, waitFor(forever(), true, func(word *atomic.Uint32) { word.Store(1) }))
}

func TestSleepEndsWithItsLimit(t *testing.T) {
	for name, pshared := range sharings() {
		t.Run(name, func(t *testing.T) {
			const d = 3 * time.Millisecond
			began := time.Now()
			assert.True(t, waitFor(within(d), pshared, nil))
			assert.GreaterOrEqual(t, time.Since(began), d)
			assert.True(t, waitFor(within(0), pshared, nil))
			assert.True(t, waitFor(within(-1), pshared, nil))
			for _, c := range []Clock{Monotonic, Realtime, Boottime} {
				if _, err := c.Now(); errors.Is(err, ErrUnsupported) {
					continue
				}
				end := c.After(d)
				assert.True(t, waitFor(untilTime(end), pshared, nil), c)
				now, err := c.Now()
				require.NoError(t, err)
				assert.GreaterOrEqual(t, now, end.At, c)
				assert.True(t, waitFor(untilTime(Deadline{Clock: c}), pshared, nil), c)
			}
			ctx, cancel := context.WithCancel(context.Background())
			l, err := withContext(ctx)
			require.NoError(t, err)
			assert.True(t, waitFor(l, pshared, func(*atomic.Uint32) { cancel() }))
			assert.ErrorIs(t, l.err("test"), context.Canceled)
			_, err = withContext(ctx)
			assert.ErrorIs(t, err, context.Canceled)
		})
	}
}

// A process that changes the word all the time slows a waiter down and does not
// keep it busy.
func TestSleepThatIsPreventedNaps(t *testing.T) {
	for name, pshared := range sharings() {
		t.Run(name, func(t *testing.T) {
			word := new(uint32)
			for what, l := range map[string]limit{
				"never": forever(), "within": within(time.Hour), "until": untilTime(Realtime.After(time.Hour)),
			} {
				w := begin("word", word, l, pshared)
				began := time.Now()
				for range 5 * failuresPerNap {
					assert.True(t, w.sleep(word, 1), what)
				}
				assert.GreaterOrEqual(t, time.Since(began), 5*time.Millisecond, what)
				w.end()
			}
			w := begin("word", word, within(5*time.Millisecond), pshared)
			for w.sleep(word, 1) { // ends
			}
			w.end()
		})
	}
}

// A wait with a Deadline ends by itself, which its record says.
func TestRecordSaysWhetherTheWaitEnds(t *testing.T) {
	for what, c := range map[string]struct {
		limit limit
		ends  bool
	}{
		"never":  {forever(), false},
		"within": {within(time.Hour), true},
		"until":  {untilTime(Monotonic.After(time.Hour)), true},
	} {
		onThread(t, func() {
			word := new(uint32)
			w := begin("word", word, c.limit, false)
			defer w.end()
			wait, ok := waits.Of(ident.Slot())
			assert.True(t, ok, what)
			assert.Equal(t, c.ends, wait.Ends, what)
		})
	}
}

func TestClockIsChecked(t *testing.T) {
	for _, c := range []Clock{-1, Boottime + 1} {
		_, err := c.Now()
		assert.ErrorIs(t, err, ErrInvalid, c)
		assert.ErrorIs(t, c.After(time.Hour).check(), ErrInvalid, c)
	}
	assert.Equal(t, Deadline{Realtime, time.Duration(1)}, At(time.Unix(0, 1)))
	assert.Equal(t, Deadline{Realtime, math.MaxInt64}, At(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)))
	assert.Equal(t, Deadline{Realtime, math.MinInt64}, At(time.Time{}))
	last := time.Unix(math.MaxInt64/int64(time.Second)-1, 999_999_999)
	assert.Equal(t, Deadline{Realtime, time.Duration(last.UnixNano())}, At(last))
	assert.Equal(t, Deadline{Monotonic, 1<<63 - 1}, Monotonic.After(1<<63-1))
	assert.Equal(t, []string{"monotonic", "realtime", "boottime", "Clock(7)"},
		[]string{Monotonic.String(), Realtime.String(), Boottime.String(), Clock(7).String()})
}

func TestErrorsHavePosixNumbers(t *testing.T) {
	for err, errno := range map[error]syscall.Errno{
		ErrBusy: syscall.EBUSY, ErrOwnerDead: errnoOwnerDead, ErrNotRecoverable: errnoNotRecoverable,
		ErrTimeout: syscall.ETIMEDOUT, ErrDeadlock: syscall.EDEADLK, ErrNotOwner: syscall.EPERM,
		ErrCount: syscall.EAGAIN, ErrOverflow: syscall.EOVERFLOW, ErrUnsupported: syscall.ENOTSUP,
		ErrInvalid: syscall.EINVAL, ErrCorrupt: syscall.EBADMSG, ErrLayout: syscall.EINVAL,
	} {
		assert.ErrorIs(t, failed("test", err), errno)
		assert.ErrorIs(t, failed("test", err), err)
		assert.NotErrorIs(t, failed("test", err), syscall.ENOENT)
	}
}
