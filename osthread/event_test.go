package osthread

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
)

func TestEventShapes(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		g.Run(func() {
			var e Event
			assert.False(t, e.IsSet())
			assert.False(t, e.TryWait())
			assert.False(t, e.WaitTimeout(-1))
			assert.False(t, e.WaitTimeout(time.Millisecond))
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			assert.ErrorIs(t, e.WaitContext(ctx), context.DeadlineExceeded)
			e.Set()
			e.Set()
			e.Wait()
			assert.True(t, e.TryWait())
			assert.ErrorIs(t, e.WaitContext(canceledContext()), errWhy)
			assert.NoError(t, e.WaitContext(context.Background()))
			e.Clear()
			e.Clear()
			assert.False(t, e.IsSet())
		})
	})
}

// bpo-13502: a waiter returns true even if the event is cleared before it runs.
func TestEventSetThenClearWakesAllWaiters(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var e Event
		for range 5 {
			g.Run(func() { assert.True(t, e.WaitTimeout(time.Hour)) })
		}
		awaitWaiting(e.queue(), 5)
		e.Set()
		e.Clear()
		g.Wait()
		assert.False(t, e.IsSet())
	})
}

func TestEventAutoResetWakesOne(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		e := Event{AutoReset: true}
		e.Set()
		e.Set()
		assert.True(t, e.TryWait())
		assert.False(t, e.TryWait(), "Sets do not add up")
		passed := make(chan int, 3)
		for i := range 3 {
			g.Run(func() { e.Wait(); passed <- i })
			awaitWaiting(e.queue(), i+1)
		}
		for i := range 3 {
			e.Set()
			assert.Equal(t, i, <-passed)
			assert.Equal(t, 2-i, waiting(e.queue())())
		}
		assert.False(t, e.IsSet())
	})
}

// No Set of an auto-reset event is lost on a waiter that times out: there are
// as many successful waits as Sets.
func TestEventAutoResetLosesNoSet(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		e := Event{AutoReset: true}
		var passed atomic.Int64
		const sets = 500
		for range 3 {
			g.Run(func() {
				for passed.Load() < sets {
					if e.WaitTimeout(20 * time.Microsecond) {
						passed.Add(1)
					}
				}
			})
		}
		for i := range int64(sets) {
			e.Set()
			await(func() bool { return passed.Load() == i+1 })
		}
	})
}
