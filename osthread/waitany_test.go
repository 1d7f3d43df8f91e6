package osthread

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
	"example.com/thread/internal/wait"
)

func TestWaitAnyTakesFromOne(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		a, b := NewSemaphore(0), NewSemaphore(0)
		e := Event{AutoReset: true}
		assert.Equal(t, -1, TryWaitAny(a, b, &e))
		assert.Equal(t, -1, WaitAnyTimeout(time.Millisecond, a, b, &e))
		_, err := WaitAnyContext(canceledContext(), a)
		assert.ErrorIs(t, err, errWhy)
		assert.ErrorIs(t, panicOf(func() { WaitAny() }), ErrCount)
		g.Run(func() { assert.Equal(t, 1, WaitAny(a, b, &e)) })
		awaitWaiting(e.queue(), 1)
		b.Release(1)
		g.Wait()
		assert.Zero(t, waiting(a.queue())()+waiting(e.queue())())
		e.Set()
		a.Release(1)
		i, err := WaitAnyContext(context.Background(), b, a, &e)
		assert.NoError(t, err)
		assert.Equal(t, 1, i)
		assert.True(t, e.IsSet(), "nothing is taken from the others")
		th, err := Go(func() error { return nil })
		require.NoError(t, err)
		assert.Equal(t, 1, WaitAny(b, th))
		require.NoError(t, th.Join())
	})
}

// What an object gives reaches exactly one waiter, among plain waiters,
// timeouts and WaitAlls.
func TestWaitAnyLosesNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		const permits = 300
		a, b := NewSemaphore(0), NewSemaphore(0)
		var taken, both atomic.Int64
		done := func() bool { return taken.Load() == 2*permits }
		for range 2 {
			g.Run(func() {
				for !done() {
					if WaitAnyTimeout(20*time.Microsecond, a, b) >= 0 {
						taken.Add(1)
					}
				}
			})
		}
		g.Run(func() {
			for !done() {
				if a.AcquireTimeout(1, 20*time.Microsecond) {
					taken.Add(1)
				}
			}
		})
		g.Run(func() {
			for !done() {
				if WaitAllTimeout(20*time.Microsecond, b, a) {
					taken.Add(2)
					both.Add(1)
				}
			}
		})
		for range permits {
			a.Release(1)
			b.Release(1)
		}
		g.Wait()
		assert.Zero(t, a.Value()+b.Value())
	})
}

// A WaitAll for two permits does not keep one of them from other callers.
func TestWaitAllOfTheSameObjectKeepsNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(1)
		g.Run(func() { WaitAll(s, s) })
		awaitWaiting(s.queue(), 1)
		assert.Equal(t, 1, s.Value())
		s.Release(1)
		g.Wait()
		assert.Zero(t, s.Value())
	})
}

// A WaitAll that lacks only a semaphore is served in FIFO order, even if other
// waiters enqueue continuously.
func TestWaitAllAmongOtherWaiters(t *testing.T) {
	for _, fair := range []bool{false, true} {
		t.Run(fmt.Sprintf("fair=%v", fair), func(t *testing.T) {
			s := NewSemaphore(2)
			s.Fair = fair
			var e Event
			e.Set()
			var done atomic.Bool
			callers(t, func(t *testing.T, g *testutil.Group) {
				done.Store(false)
				for range 8 {
					g.Run(func() {
						for !done.Load() {
							s.Acquire(1)
							for range 100 {
								runtime.Gosched()
							}
							s.Release(1)
						}
					})
				}
				for range 20 {
					if !assert.True(t, WaitAllTimeout(testutil.Timeout, s, &e)) {
						break
					}
					s.Release(1)
					if !assert.True(t, WaitAllTimeout(testutil.Timeout, s)) {
						break
					}
					s.Release(1)
				}
				done.Store(true)
				g.Wait()
				assert.Equal(t, 2, s.Value())
				assert.Zero(t, s.queue().reserved)
			})
		})
	}
}

// If the notified WaitAll lacks another object the next one is notified.
func TestWaitAllThatCannotTakeNotifiesTheNext(t *testing.T) {
	auto := func() (Waitable, func()) {
		e := &Event{AutoReset: true}
		return e, e.Set
	}
	permit := func() (Waitable, func()) {
		s := NewSemaphore(0)
		return s, func() { s.Release(1) }
	}
	for name, make := range map[string]func() (Waitable, func()){"AutoReset": auto, "Semaphore": permit} {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) {
				const others = 5
				w, give := make()
				var lacks, has, served Event
				has.Set()
				for i := range others {
					g.Run(func() { WaitAll(w, &lacks) })
					awaitWaiting(queueOf(w), i+1)
				}
				g.Run(func() {
					WaitAll(w, &has)
					served.Set()
				})
				awaitWaiting(queueOf(w), others+1)
				give()
				served.Wait()
				awaitWaiting(lacks.queue(), others)
				lacks.Set()
				awaitWaiting(queueOf(w), others)
				for range others {
					give()
					await(func() bool {
						queueOf(w).Lock()
						defer queueOf(w).Unlock()
						return !w.WaitSource().Ready()
					})
				}
				g.Wait()
				assert.False(t, TryWaitAll(w, &has))
			})
		})
	}
}

// counted counts the calls of Ready, under its guard.
type counted struct {
	*Event
	asked int
}

func (c *counted) WaitSource() wait.Source { return countedSource{c.Event.WaitSource(), c} }

type countedSource struct {
	wait.Source
	c *counted
}

func (s countedSource) Ready() bool {
	s.c.asked++
	return s.Source.Ready()
}

// Two WaitAlls that want more than there is check once each, and sleep.
func TestWaitAllSleepsIfItWantsMore(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		c := &counted{Event: &Event{AutoReset: true}}
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 2 {
			g.Run(func() { assert.ErrorIs(t, WaitAllContext(ctx, c, c), context.Canceled) })
			awaitWaiting(c.queue(), i+1)
		}
		c.Set()
		asked := func() int {
			c.queue().Lock()
			defer c.queue().Unlock()
			return c.asked
		}
		await(func() bool { return asked() >= 6 }) // at first, and when notified
		awaitWaiting(c.queue(), 2)
		for range 1000 {
			runtime.Gosched()
		}
		assert.LessOrEqual(t, asked(), 12)
		cancel()
		g.Wait()
		assert.True(t, c.TryWait(), "what was there is left")
	})
}

func TestWaitAllForMoreThanASemaphoreCanHold(t *testing.T) {
	s := NewBoundedSemaphore(1)
	assert.False(t, TryWaitAll(s, s))
	assert.False(t, WaitAllTimeout(time.Millisecond, s, s))
	assert.ErrorIs(t, panicOf(func() { WaitAll(s, s) }), ErrCount)
	var e Event
	e.Set()
	assert.True(t, TryWaitAll(s, &e))
}

// A lateEvent is an Event that is set when it is checked for the third
// time.
type lateEvent struct {
	Event
	checks int
}

type lateSource struct {
	wait.Source
	l *lateEvent
}

func (l *lateEvent) WaitSource() wait.Source { return lateSource{l.Event.WaitSource(), l} }

func (s lateSource) Ready() bool {
	if s.l.checks++; s.l.checks == 3 {
		s.l.flag.Store(true) // which wakes nobody
	}
	return s.Source.Ready()
}

// A wait that checks once, and once more under the guard, would sleep for ever.
func TestWaitAnyOnAThreadPollsBeforeItSleeps(t *testing.T) {
	for range 1000 {
		park.Procs() // which caches GOMAXPROCS, and -cpu changes that
	}
	if !park.CanSpin() {
		t.Skip("with one P no thread could set what the caller polls for")
	}
	th, err := Go(func() error { WaitAny(&lateEvent{}); return nil })
	require.NoError(t, err)
	assert.NoError(t, th.Join())
}

// If a notified WaitAll gives up at the same time its reservation ends.
func TestWaitAllGivesUpAfterNotification(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		s := NewSemaphore(0)
		var lacks Event
		for range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			g.Run(func() { assert.ErrorIs(t, WaitAllContext(ctx, s, &lacks), context.Canceled) })
			awaitWaiting(s.queue(), 1)
			g.Run(func() { s.Acquire(1) })
			awaitWaiting(s.queue(), 2)
			g.Run(func() { s.Release(1) })
			cancel()
			g.Wait()
			assert.Zero(t, s.Value())
			assert.Zero(t, s.queue().reserved)
		}
	})
}

func TestWaitAllTakesAllOrNothing(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		a, b := NewSemaphore(1), NewSemaphore(0)
		var e Event
		assert.True(t, TryWaitAll())
		assert.False(t, TryWaitAll(a, b))
		assert.False(t, WaitAllTimeout(time.Millisecond, a, b, &e))
		assert.ErrorIs(t, WaitAllContext(canceledContext(), a), errWhy)
		assert.Equal(t, 1, a.Value())
		g.Run(func() { WaitAll(a, a, b, &e) })
		awaitWaiting(a.queue(), 1)
		b.Release(1)
		e.Set()
		assert.Equal(t, 1, b.Value())
		a.Release(1)
		g.Wait()
		assert.Zero(t, a.Value()+b.Value())
	})
}
