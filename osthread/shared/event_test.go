//go:build !plan9

package shared

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eachEvent runs test with events of both kinds, private and shared.
func eachEvent(t *testing.T, test func(t *testing.T, e *Event, autoReset bool)) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		for name, autoReset := range map[string]bool{"manual": false, "auto": true} {
			t.Run(name, func(t *testing.T) {
				e := new(Event)
				require.NoError(t, e.Init(autoReset, processShared))
				test(t, e, autoReset)
			})
		}
	})
}

func isSet(t *testing.T, e *Event) bool {
	t.Helper()
	set, err := e.IsSet()
	require.NoError(t, err)
	return set
}

func TestEventLetsThroughWhileItIsSet(t *testing.T) {
	eachEvent(t, func(t *testing.T, e *Event, autoReset bool) {
		assert.False(t, isSet(t, e))
		assert.Equal(t, ErrBusy, e.TryWait())
		endsInTime(t, e.WaitTimeout, e.WaitUntil, e.WaitContext)
		for _, wait := range []func() error{
			e.Wait,
			e.TryWait,
			func() error { return e.WaitTimeout(0) },
			func() error { return e.WaitUntil(Deadline{}) },
			func() error { return e.WaitContext(context.Background()) },
		} {
			assert.NoError(t, e.Set())
			assert.NoError(t, e.Set())
			assert.True(t, isSet(t, e))
			assert.Contains(t, e.String(), ", set)")
			assert.NoError(t, wait())
			assert.Equal(t, !autoReset, isSet(t, e))
		}
		assert.NoError(t, e.Clear())
		assert.NoError(t, e.Clear())
		assert.False(t, isSet(t, e))
		assert.Contains(t, e.String(), ", not set)")
		assert.Equal(t, ErrBusy, e.TryWait())
	})
}

func TestEventZeroValueIsOfManualReset(t *testing.T) {
	watch(t)
	e := new(Event)
	assert.Equal(t, ErrBusy, e.TryWait())
	assert.NoError(t, e.Set())
	assert.NoError(t, e.Wait())
	assert.True(t, isSet(t, e))
}

// A Set and a Clear right after it let all through that slept.
func TestEventSetAndClearWakesAllSleepers(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		const waiters = 3
		e := new(Event)
		require.NoError(t, e.Init(false, processShared))
		for range 100 {
			var ready atomic.Int32
			var wg sync.WaitGroup
			for range waiters {
				wg.Go(func() {
					ready.Add(1)
					assert.NoError(t, e.Wait())
				})
			}
			eventually(t, "a waiter sleeps", func() bool {
				return ready.Load() == waiters && e.state.Load()&eventWaiters != 0
			})
			assert.NoError(t, e.Set())
			assert.NoError(t, e.Clear())
			// Those that had not marked the word yet wait for another Set.
			done := make(chan struct{})
			go func() { wg.Wait(); close(done) }()
			for ended := false; !ended; {
				select {
				case <-done:
					ended = true
				case <-time.After(time.Millisecond):
					assert.NoError(t, e.Set())
					assert.NoError(t, e.Clear())
				}
			}
		}
	})
}

// The one waiter that is known to sleep passes by a single Set and Clear.
func TestEventSetAndClearIsNotMissed(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		e := new(Event)
		require.NoError(t, e.Init(false, processShared))
		for range 200 {
			done := make(chan error)
			go func() { done <- e.Wait() }()
			eventually(t, "the waiter sleeps", func() bool { return e.state.Load()&eventWaiters != 0 })
			assert.NoError(t, e.Set())
			assert.NoError(t, e.Clear())
			require.NoError(t, <-done)
		}
	})
}

// Each Set of an event of automatic reset lets one through, and no Set whose
// event is not set yet is lost.
func TestEventOfAutomaticResetLetsOneThrough(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		const waiters, times = 4, 300
		e, taken := new(Event), new(Semaphore)
		require.NoError(t, e.Init(true, processShared))
		var passed atomic.Int32
		var wg sync.WaitGroup
		for i := range waiters {
			wg.Go(func() {
				for n := 0; ; n++ {
					var err error
					switch (i + n) % 3 {
					case 0:
						err = e.WaitTimeout(20 * time.Microsecond)
					case 1:
						err = e.WaitUntil(Realtime.After(20 * time.Microsecond))
					default:
						err = e.Wait()
					}
					if err != nil {
						continue
					}
					if passed.Add(1) > times {
						assert.NoError(t, e.Set()) // the end is for all
						return
					}
					assert.NoError(t, taken.Release())
				}
			})
		}
		for range times {
			assert.NoError(t, e.Set())
			assert.NoError(t, taken.Acquire())
		}
		assert.EqualValues(t, times, passed.Load())
		assert.NoError(t, e.Set())
		wg.Wait()
	})
}

func TestEventSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	for name, corrupt := range map[string]func(*Event){
		"another type":   func(e *Event) { e.attr.word.Store(semMark) },
		"flags":          func(e *Event) { e.attr.word.Store(eventMark | 1<<15) },
		"automatic word": func(e *Event) { e.attr.word.Store(eventMark | eventAuto); e.state.Store(77) },
	} {
		t.Run(name, func(t *testing.T) {
			e := new(Event)
			corrupt(e)
			assert.ErrorIs(t, e.Wait(), ErrCorrupt)
			assert.ErrorIs(t, e.TryWait(), ErrCorrupt)
			assert.ErrorIs(t, e.WaitTimeout(time.Second), ErrCorrupt)
			_, err := e.IsSet()
			assert.ErrorIs(t, err, ErrCorrupt)
			assert.Contains(t, e.String(), "corrupt")
			assert.ErrorIs(t, e.Clear(), ErrCorrupt)
			assert.ErrorIs(t, e.Set(), ErrCorrupt)
		})
	}
}

// The epoch wraps around.
func TestEventEpochWraps(t *testing.T) {
	watch(t)
	e := new(Event)
	e.state.Store(^uint32(0) &^ (eventSet | eventWaiters))
	done := make(chan error)
	go func() { done <- e.Wait() }()
	eventually(t, "the waiter sleeps", func() bool { return e.state.Load()&eventWaiters != 0 })
	assert.NoError(t, e.Set())
	assert.NoError(t, <-done)
	assert.Equal(t, eventSet, e.state.Load())
}
