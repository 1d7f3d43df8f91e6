package osthread

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
)

// In a bubble of testing/synctest the clock is the bubble's: a wait of an hour
// returns at once, and an hour has passed.
func TestSynctestBubbleClockEndsWaits(t *testing.T) {
	const hour = time.Hour
	later := func(f func()) {
		go func() {
			<-time.After(hour) // of the bubble
			f()
		}()
	}
	expire := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), hour)
		t.Cleanup(cancel)
		return ctx
	}
	for name, wait := range map[string]func(t *testing.T){
		"Lock.LockTimeout": func(t *testing.T) {
			var l Lock
			l.Lock()
			assert.False(t, l.LockTimeout(hour))
		},
		"Lock.LockContext": func(t *testing.T) {
			var l Lock
			l.Lock()
			assert.ErrorIs(t, l.LockContext(expire(t)), context.DeadlineExceeded)
		},
		"Lock.Lock": func(*testing.T) {
			var l Lock
			l.Lock()
			later(l.Unlock)
			l.Lock()
		},
		"RLock.Lock": func(t *testing.T) {
			var r RLock
			held := make(chan struct{})
			go func() {
				r.Lock()
				close(held)
				<-time.After(hour) // of the bubble
				r.Unlock()
			}()
			<-held
			r.Lock()
			assert.True(t, r.Owned())
			r.Unlock()
		},
		"RWLock.RLock": func(*testing.T) {
			var w RWLock
			w.Lock()
			later(w.Unlock)
			w.RLock()
		},
		"Semaphore.AcquireTimeout": func(t *testing.T) {
			assert.False(t, NewSemaphore(1).AcquireTimeout(2, hour))
		},
		"Semaphore.Acquire": func(*testing.T) {
			s := NewSemaphore(0)
			later(func() { s.Release(2) })
			s.Acquire(2)
		},
		"Event.WaitTimeout": func(t *testing.T) {
			var e Event
			assert.False(t, e.WaitTimeout(hour))
		},
		"Event.Wait": func(*testing.T) {
			var e Event
			later(e.Set)
			e.Wait()
		},
		"Condition.Wait": func(*testing.T) {
			var l Lock
			c := NewCondition(&l)
			l.Lock()
			later(func() {
				l.Lock()
				c.NotifyAll()
				l.Unlock()
			})
			c.Wait()
			l.Unlock()
		},
		"Barrier.Wait": func(t *testing.T) {
			b := NewBarrier(2, nil)
			later(func() { _, _ = b.Wait() })
			_, err := b.Wait()
			assert.NoError(t, err)
		},
		"WaitTimeout of an attached goroutine": func(t *testing.T) {
			_, err := thread.Attach()
			assert.NoError(t, err)
			var e Event
			assert.False(t, e.WaitTimeout(hour))
			assert.NoError(t, thread.Detach())
		},
		"WaitAny": func(t *testing.T) {
			var d, e Event
			later(e.Set)
			assert.Equal(t, 1, WaitAny(&d, &e))
		},
		"WaitAllTimeout": func(t *testing.T) {
			var e Event
			assert.False(t, WaitAllTimeout(hour, NewSemaphore(1), &e))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				wait(t)
				assert.Equal(t, hour, time.Since(begin))
			})
		})
	}
}

// A thread is outside the bubble, so a wait for it does not block the bubble
// durably: the bubble is not deadlocked while the thread runs.
func TestSynctestBubbleWaitsForThread(t *testing.T) {
	for name, wait := range map[string]func(*testing.T, *Thread){
		"Join":    func(t *testing.T, th *Thread) { assert.NoError(t, th.Join()) },
		"WaitAny": func(t *testing.T, th *Thread) { assert.Zero(t, WaitAny(th)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				th := New(func() error {
					for range 10_000 { // longer than the waiter needs to fall asleep
						runtime.Gosched()
					}
					return nil
				}, nil)
				assert.NoError(t, th.Start())
				wait(t, th)
			})
		})
	}
}

// Pooled nodes that were used in a bubble are reused outside, and the other way
// round.
func TestSynctestBubbleSharesNodes(t *testing.T) {
	use := func() {
		var l Lock
		l.Lock()
		go l.Unlock()
		l.Lock()
		s := NewSemaphore(0)
		go s.Release(1)
		WaitAll(s, NewSemaphore(1))
	}
	for range 100 {
		synctest.Test(t, func(*testing.T) { use() })
		use()
	}
}
