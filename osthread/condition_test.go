package osthread

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
)

// conditions runs f with a Condition on each kind of Locker.
func conditions(t *testing.T, f func(t *testing.T, g *testutil.Group, c *Condition)) {
	for name, newLocker := range map[string]func() sync.Locker{
		"Lock":      func() sync.Locker { return new(Lock) },
		"fair Lock": func() sync.Locker { return &Lock{Fair: true} },
		"RLock":     func() sync.Locker { return new(RLock) },
		"RWLock":    func() sync.Locker { return new(RWLock) },
		"Mutex":     func() sync.Locker { return new(sync.Mutex) },
	} {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) { f(t, g, NewCondition(newLocker())) })
		})
	}
}

func TestConditionNotifyWakesInOrder(t *testing.T) {
	conditions(t, func(t *testing.T, g *testutil.Group, c *Condition) {
		woken := make(chan int, 6)
		for i := range 6 {
			g.Run(func() {
				c.L.Lock()
				c.Wait()
				woken <- i
				c.L.Unlock()
			})
			await(func() bool { return c.Waiting() == i+1 })
		}
		notify := func(f func()) {
			c.L.Lock()
			f()
			c.L.Unlock()
		}
		notify(func() { c.NotifyN(0); c.NotifyN(-1) })
		notify(c.Notify)
		assert.Equal(t, 0, <-woken)
		notify(func() { c.NotifyN(2) })
		assert.ElementsMatch(t, []int{1, 2}, []int{<-woken, <-woken})
		notify(c.NotifyAll)
		assert.ElementsMatch(t, []int{3, 4, 5}, []int{<-woken, <-woken, <-woken})
		notify(c.Notify) // nobody is there, and it is not remembered
		c.L.Lock()
		assert.False(t, c.WaitTimeout(time.Millisecond))
		c.L.Unlock()
	})
}

func TestConditionWaitReturnsWithLLocked(t *testing.T) {
	conditions(t, func(t *testing.T, g *testutil.Group, c *Condition) {
		g.Run(func() {
			held := func() {
				if l, ok := c.L.(*RLock); ok {
					assert.True(t, l.Owned())
				} else {
					assert.False(t, c.L.(interface{ TryLock() bool }).TryLock())
				}
			}
			c.L.Lock()
			assert.False(t, c.TryWait())
			held()
			assert.False(t, c.WaitTimeout(time.Millisecond))
			held()
			assert.ErrorIs(t, c.WaitContext(canceledContext()), errWhy)
			held()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			assert.ErrorIs(t, c.WaitContext(ctx), context.DeadlineExceeded)
			held()
			assert.PanicsWithValue(t, 7, func() { c.WaitFor(func() bool { panic(7) }) })
			held()
			asked := 0
			assert.False(t, c.WaitForTimeout(func() bool { asked++; return false }, 0))
			assert.Equal(t, 2, asked)
			assert.True(t, c.WaitForTimeout(func() bool { return true }, -1))
			assert.ErrorIs(t, c.WaitForContext(canceledContext(), func() bool { return false }), errWhy)
			assert.NoError(t, c.WaitForContext(canceledContext(), func() bool { return true }))
			held()
			c.L.Unlock()
		})
	})
}

func TestConditionWithoutLPanics(t *testing.T) {
	tests := []struct {
		name string
		l    sync.Locker
		want error
	}{
		{"Lock", new(Lock), ErrNotLocked},
		{"RLock", new(RLock), ErrNotOwner},
		{"RWLock", new(RWLock), ErrNotLocked},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := NewCondition(test.l)
			for _, f := range []func(){
				c.Wait, c.Notify, c.NotifyAll, func() { c.NotifyN(2) }, func() { c.WaitTimeout(1) },
			} {
				require.ErrorIs(t, panicOf(f), test.want)
			}
			assert.Zero(t, c.Waiting())
			c.L.Lock()
			assert.False(t, c.WaitTimeout(time.Microsecond), "usable afterwards")
			c.L.Unlock()
		})
	}
	require.ErrorIs(t, panicOf(new(Condition).Wait), ErrNotLocked)
	_, isRLock := NewCondition(nil).L.(*RLock)
	assert.True(t, isRLock)
}

func TestConditionWaitRestoresRLockDepth(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		c := NewCondition(nil)
		r := c.L.(*RLock)
		g.Run(func() {
			for range 3 {
				r.Lock()
			}
			c.Wait()
			for range 3 {
				assert.True(t, r.Owned())
				r.Unlock()
			}
			assert.False(t, r.Owned())
		})
		await(func() bool { return c.Waiting() == 1 })
		r.Lock() // free: the wait has undone all three
		c.Notify()
		r.Unlock()
	})
}

// A waiter that times out during a notification returns true, or the
// notification wakes the next waiter. CPython loses it.
func TestConditionLosesNoNotificationOnTimeout(t *testing.T) {
	conditions(t, func(t *testing.T, g *testutil.Group, c *Condition) {
		for i := range 200 {
			notified := make(chan struct{}, 2)
			g.Run(func() {
				c.L.Lock()
				defer c.L.Unlock()
				if c.WaitTimeout(time.Duration(i%50) * time.Microsecond) {
					notified <- struct{}{}
				}
			})
			g.Run(func() {
				c.L.Lock()
				defer c.L.Unlock()
				c.Wait()
				notified <- struct{}{}
			})
			await(func() bool { return c.Waiting() > 0 })
			c.L.Lock()
			n := c.notify("Notify", 1)
			c.L.Unlock()
			if n == 1 {
				<-notified // exactly one, whatever the clock says
				assert.Empty(t, notified)
			}
			ended := make(chan struct{})
			go func() {
				g.Wait()
				close(ended)
			}()
			await(func() bool { // release the other, which may be yet to come
				c.L.Lock()
				c.NotifyAll()
				c.L.Unlock()
				select {
				case <-ended:
					return true
				default:
					return false
				}
			})
		}
	})
}

func TestConditionPassesTokensAmongTimeouts(t *testing.T) {
	conditions(t, func(t *testing.T, g *testutil.Group, c *Condition) {
		const producers, tokens = 3, 200
		have, taken := 0, 0
		for range producers {
			g.Run(func() {
				for i := range tokens {
					c.L.Lock()
					have++
					if i%7 == 0 {
						c.NotifyAll()
					} else {
						c.Notify()
					}
					c.L.Unlock()
				}
			})
		}
		for i := range producers {
			g.Run(func() {
				c.L.Lock()
				defer c.L.Unlock()
				for n := range tokens {
					for have == 0 {
						if (n+i)%2 == 0 {
							c.WaitTimeout(10 * time.Microsecond)
						} else {
							c.Wait()
						}
					}
					have--
					taken++
				}
			})
		}
		g.Wait()
		assert.Zero(t, have)
		assert.Equal(t, producers*tokens, taken)
	})
}

// After NotifyAll with L held all waiters sleep, in L's queue.
func TestConditionNotifyAllRequeues(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var l Lock
		c := NewCondition(&l)
		for i := range 10 {
			g.Run(func() {
				l.Lock()
				c.Wait()
				l.Unlock()
			})
			await(func() bool { return c.Waiting() == i+1 })
		}
		l.Lock()
		c.NotifyAll()
		assert.Equal(t, 10, waiting(l.queue())())
		l.Unlock()
	})
}

// Waiters with a limit and without one sleep in different ways, and share the
// condition's spare node. NotifyAll moves all but one to the lock's queue.
func TestConditionPassesATokenAmongWaitersOfAllKinds(t *testing.T) {
	const callers, rounds = 8, 500
	c := NewCondition(new(Lock))
	holder := 0
	g := testutil.NewGroup(t, testutil.StartGoroutine)
	for i := range callers {
		g.Run(func() {
			for round := range rounds {
				c.L.Lock()
				for holder != i {
					switch (i + round) % 4 {
					case 0:
						c.WaitTimeout(time.Hour)
					case 1:
						assert.NoError(t, c.WaitContext(t.Context()))
					default:
						c.Wait()
					}
				}
				holder = (i + 1) % callers
				c.NotifyAll()
				c.L.Unlock()
			}
		})
	}
	g.Wait()
}

// Python: "The return value is the last return value of the predicate and will
// evaluate to False if the method timed out."
func TestConditionWaitForReturnsItsLastValue(t *testing.T) {
	for name, make := range lockers {
		t.Run(name, func(t *testing.T) {
			l := make()
			c := NewCondition(l)
			With(l, func() {
				assert.True(t, c.WaitForTimeout(func() bool { return true }, -1), "true at once, whatever the time")
				for _, d := range []time.Duration{-1, 0, time.Millisecond} {
					asked := 0
					assert.False(t, c.WaitForTimeout(func() bool { asked++; return false }, d))
					assert.Equal(t, 2, asked, "at the beginning and at the end")
					asked = 0
					assert.True(t, c.WaitForTimeout(func() bool { asked++; return asked == 2 }, d), "true at the end")
				}
			})
			assert.False(t, l.Locked())
		})
	}
}
