//go:build (linux && cgo) || windows

package osthread

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
)

// Each thread of C gets a dummy Thread, which ends with the thread, as do its
// Local values.
func TestAlienThreadHasDummyAndLocals(t *testing.T) {
	var l Local[int]
	var seen atomic.Int64
	before := NumThread()
	require.NoError(t, ctest.Aliens(20, func(int) {
		d := Current()
		assert.Same(t, d, Current())
		assert.True(t, d.Daemon())
		assert.Zero(t, l.Get())
		l.Set(int(seen.Add(1)))
		assert.NotZero(t, l.Get())
	}))
	assert.EqualValues(t, 20, seen.Load())
	for range l.All() {
		t.Error("a value outlived its thread")
	}
	assert.LessOrEqual(t, NumThread(), before)
}

// C code ends the thread while its function runs. That leaves a goroutine, so
// the test runs in a child process.
func TestThreadJoinReturnsErrPthreadExit(t *testing.T) {
	leak.InChild(t, func() {
		before := NumThread()
		th := start(t, func() error { ctest.PthreadExit(); return nil })
		assert.ErrorIs(t, th.Join(), ErrPthreadExit)
		assert.Equal(t, before, NumThread())
		assert.False(t, th.Alive())
		exitIfFailed(t)
	})
}

func TestThreadWaitingOfAnAlienThread(t *testing.T) {
	var e Event
	dummies := make(chan *Thread)
	done := make(chan error)
	go func() {
		done <- ctest.Aliens(1, func(int) {
			dummies <- Current()
			e.Wait()
		})
	}()
	d := <-dummies
	assert.Same(t, &e, awaitAsleep(d).Object)
	e.Set()
	require.NoError(t, <-done)
	_, asleep := d.Waiting()
	assert.False(t, asleep, "the thread has ended")
}
