//go:build !plan9

package shared

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnceRunsOneFunction(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		for range 100 {
			o := new(Once)
			require.NoError(t, o.Init(processShared))
			assert.False(t, o.Done())
			var ran, returned atomic.Int32
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					assert.NoError(t, o.Do(func() {
						ran.Add(1)
						runtime.Gosched()
						returned.Add(1)
					}))
					assert.EqualValues(t, 1, returned.Load())
				})
			}
			wg.Wait()
			assert.EqualValues(t, 1, ran.Load())
			assert.True(t, o.Done())
		}
	})
}

// A function that panics or ends its goroutine leaves the Once as if it had not
// been called, and a waiter runs its function.
func TestOnceThatPanicsIsAsIfNotCalled(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		for name, fail := range map[string]func(){
			"panic":  func() { panic("fails") },
			"Goexit": runtime.Goexit,
		} {
			t.Run(name, func(t *testing.T) {
				o := new(Once)
				require.NoError(t, o.Init(processShared))
				running := make(chan struct{})
				release := make(chan struct{})
				go func() {
					defer func() { _ = recover() }() // the panic
					_ = o.Do(func() {
						close(running)
						<-release
						fail()
					})
				}()
				<-running
				ran := make(chan error)
				second := false
				go func() { ran <- o.Do(func() { second = true }) }()
				eventually(t, "the second waits", func() bool { return o.owner.word.Load()&ownerWaiters != 0 })
				assert.False(t, o.Done())
				close(release)
				assert.NoError(t, <-ran)
				assert.True(t, second)
				assert.True(t, o.Done())
			})
		}
	})
}

func TestOnceWaitEndsInTime(t *testing.T) {
	eachSharing(t, func(t *testing.T, processShared bool) {
		o := new(Once)
		require.NoError(t, o.Init(processShared))
		running, release := make(chan struct{}), make(chan struct{})
		first := make(chan error)
		go func() { first <- o.Do(func() { close(running); <-release }) }()
		<-running
		never := func() { t.Error("a second function has run") }
		endsInTime(
			t,
			func(d time.Duration) error { return o.DoTimeout(d, never) },
			func(d Deadline) error { return o.DoUntil(d, never) },
			func(ctx context.Context) error { return o.DoContext(ctx, never) },
		)
		close(release)
		assert.NoError(t, <-first)
		canceled, cancel := context.WithCancel(context.Background())
		cancel()
		assert.NoError(t, o.DoContext(canceled, never))
		assert.NoError(t, o.DoTimeout(0, never))
		assert.NoError(t, o.DoUntil(Deadline{}, never))
	})
}

func TestOnceWithinItselfIsADeadlock(t *testing.T) {
	watch(t)
	o := new(Once)
	assert.NoError(t, o.Do(func() { assert.ErrorIs(t, o.Do(func() {}), ErrDeadlock) }))
	assert.True(t, o.Done())
}

// A runner whose thread ends within the function is replaced.
func TestOnceReplacesARunnerThatHasDied(t *testing.T) {
	if !canRobust {
		t.Skip("dead owners are not seen")
	}
	eachSharing(t, func(t *testing.T, processShared bool) {
		o := new(Once)
		require.NoError(t, o.Init(processShared))
		o.owner.word.Store(rwDead &^ ownerInconsistent) // an id that no thread has
		ran := false
		assert.NoError(t, o.Do(func() { ran = true }))
		assert.True(t, ran)
		assert.True(t, o.Done())
	})
}

func TestOnceSaysThatItIsCorrupt(t *testing.T) {
	watch(t)
	o := new(Once)
	o.attr.word.Store(semMark)
	assert.ErrorIs(t, o.Do(func() {}), ErrCorrupt)
	if !canShare() {
		assert.True(t, errors.Is(o.Init(true), ErrUnsupported))
	}
}
