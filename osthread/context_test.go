package osthread

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
)

// A contextWait is a wait that a context can end, on a new object that has
// nothing to give yet.
type contextWait struct {
	wait    func(ctx context.Context) error
	queue   queue       // the waiter's
	give    func()      // provides what the wait is for
	granted func() bool // whether a new wait succeeds without sleeping
	use     func()      // a call that locks the object's guard
}

var contextWaits = map[string]func() contextWait{
	"Lock":           func() contextWait { return lockWait(new(Lock)) },
	"fair Lock":      func() contextWait { return lockWait(&Lock{Fair: true}) },
	"RWLock":         func() contextWait { return rwWait(new(RWLock)) },
	"RWLock, fair":   func() contextWait { return rwWait(&RWLock{Fair: true}) },
	"RWLock, reader": func() contextWait { return readerWait(new(RWLock)) },
	"Semaphore":      func() contextWait { return semaphoreWait(NewSemaphore(1)) },
	"fair Semaphore": func() contextWait {
		s := NewSemaphore(1)
		s.Fair = true
		return semaphoreWait(s)
	},
	"Event": func() contextWait {
		e := new(Event)
		return contextWait{wait: e.WaitContext, queue: e.queue(), give: e.Set, granted: e.TryWait, use: e.Clear}
	},
	"Event, AutoReset": func() contextWait {
		e := &Event{AutoReset: true}
		return contextWait{wait: e.WaitContext, queue: e.queue(), give: e.Set, granted: e.TryWait, use: e.Clear}
	},
	"WaitAny": func() contextWait {
		e, s := new(Event), NewSemaphore(0)
		return contextWait{
			wait:  func(ctx context.Context) error { _, err := WaitAnyContext(ctx, e, s); return err },
			queue: s.queue(), give: func() { s.Release(1) },
			granted: func() bool { return TryWaitAny(e, s) == 1 }, use: e.Clear,
		}
	},
	"WaitAll": func() contextWait {
		e, s := new(Event), NewSemaphore(1)
		return contextWait{
			wait:  func(ctx context.Context) error { return WaitAllContext(ctx, s, e) },
			queue: e.queue(), give: e.Set,
			granted: func() bool { return TryWaitAll(s, e) }, use: func() { s.Value() },
		}
	},
}

func lockWait(l *Lock) contextWait {
	l.Lock()
	return contextWait{
		wait:    l.LockContext,
		queue:   l.queue(),
		give:    l.Unlock,
		granted: l.TryLock,
		use:     func() { l.TryLock() },
	}
}

func rwWait(w *RWLock) contextWait {
	w.RLock()
	return contextWait{
		wait:    w.LockContext,
		queue:   w.queue(),
		give:    w.RUnlock,
		granted: w.TryLock,
		use:     func() { w.TryLock() },
	}
}

func readerWait(w *RWLock) contextWait {
	w.Lock()
	return contextWait{
		wait:    w.RLockContext,
		queue:   w.queue(),
		give:    w.Unlock,
		granted: w.TryLock,
		use:     func() { w.TryLock() },
	}
}

func semaphoreWait(s *Semaphore) contextWait {
	return contextWait{
		wait:  func(ctx context.Context) error { return s.AcquireContext(ctx, 2) },
		queue: s.queue(), give: func() { s.Release(1) },
		granted: func() bool { return s.TryAcquire(2) }, use: func() { s.Value() },
	}
}

// grants polls until a new wait succeeds, since a canceled waiter may have been
// handed what it then gives back.
func grants(c contextWait) bool {
	for end := time.Now().Add(testutil.Timeout); time.Now().Before(end); runtime.Gosched() {
		if c.granted() {
			return true
		}
	}
	return false
}

// awaitEndedOrWaiting waits until a waiter is in q or has returned.
func awaitEndedOrWaiting(ended <-chan struct{}, q queue) {
	await(func() bool {
		select {
		case <-ended:
			return true
		default:
			return waiting(q)() == 1
		}
	})
}

func eachContextWait(t *testing.T, f func(t *testing.T, g *testutil.Group, newWait func() contextWait)) {
	for name, newWait := range contextWaits {
		t.Run(name, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) { f(t, g, newWait) })
		})
	}
}

// As in golang.org/issue/63615, the context is done before there is something
// to take, so the wait must not take it.
func TestContextDoneBeforeGrantTakesNothing(t *testing.T) {
	eachContextWait(t, func(t *testing.T, g *testutil.Group, newWait func() contextWait) {
		for range 50 {
			c := newWait()
			ctx, cancel := context.WithCancelCause(context.Background())
			var err error
			join := g.Run(func() { err = c.wait(ctx) })
			awaitWaiting(c.queue, 1)
			cancel(errWhy)
			c.give()
			join()
			require.ErrorIs(t, err, errWhy)
			require.True(t, grants(c))
		}
	})
}

func TestConditionNotifySkipsCanceledWaiter(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		for range 50 {
			c := NewCondition(new(Lock))
			ctx, cancel := context.WithCancelCause(context.Background())
			var err error
			first := g.Run(func() {
				c.L.Lock()
				defer c.L.Unlock()
				err = c.WaitContext(ctx)
			})
			awaitWaiting(c.queue(), 1)
			second := g.Run(func() {
				c.L.Lock()
				defer c.L.Unlock()
				c.Wait()
			})
			awaitWaiting(c.queue(), 2)
			c.L.Lock()
			cancel(errWhy)
			c.Notify()
			c.L.Unlock()
			first()
			second()
			require.ErrorIs(t, err, errWhy)
		}
	})
}

// The last party must not complete a round with a party whose context is done.
func TestBarrierBreaksIfContextIsDoneBeforeLastParty(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		for range 50 {
			b := NewBarrier(2, nil)
			ctx, cancel := context.WithCancelCause(context.Background())
			var err error
			join := g.Run(func() { _, err = b.WaitContext(ctx) })
			await(func() bool { return b.Waiting() == 1 })
			cancel(errWhy)
			_, last := b.Wait()
			join()
			require.ErrorIs(t, last, ErrBroken)
			require.ErrorIs(t, err, ErrBroken)
			require.ErrorIs(t, err, errWhy)
		}
	})
}

func TestRWLockCanceledUpgradeStaysReader(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		for range 50 {
			var w RWLock
			w.RLock()
			w.RLock()
			ctx, cancel := context.WithCancelCause(context.Background())
			var err error
			join := g.Run(func() { err = w.UpgradeContext(ctx) })
			await(func() bool {
				w.queue().Lock()
				defer w.queue().Unlock()
				return w.queue().queued[toUpgrade] > 0
			})
			cancel(errWhy)
			w.RUnlock()
			join()
			require.ErrorIs(t, err, errWhy)
			require.Equal(t, 1, w.Readers())
			w.RUnlock()
		}
	})
}

// A hostile context calls act in the n-th call of one of its methods.
type hostile struct {
	context.Context
	n   *atomic.Int32
	act func()
}

func newHostile(ctx context.Context, n int, act func()) hostile {
	h := hostile{ctx, new(atomic.Int32), act}
	h.n.Store(int32(n))
	return h
}

func (h hostile) called() {
	if h.n.Add(-1) == 0 {
		h.act()
	}
}

func (h hostile) Err() error {
	h.called()
	return h.Context.Err()
}

func (h hostile) Done() <-chan struct{} {
	h.called()
	return h.Context.Done()
}

func (h hostile) Value(key any) any {
	h.called()
	return h.Context.Value(key)
}

// A context that panics or calls runtime.Goexit leaves the object as it was
// before the wait.
func TestContextThatUnwindsLeavesObjectUnchanged(t *testing.T) {
	for name, act := range map[string]func(){
		"panic":  func() { panic(errors.New("context")) },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			for waitName, newWait := range contextWaits {
				for n := 1; n <= 8; n++ {
					c := newWait()
					inner, cancel := context.WithCancelCause(context.Background())
					ctx := newHostile(inner, n, act)
					ended := make(chan struct{})
					go func() {
						defer close(ended)
						defer func() { _ = recover() }()
						_ = c.wait(ctx)
					}()
					awaitEndedOrWaiting(ended, c.queue)
					cancel(errWhy)
					<-ended
					require.Zero(t, waiting(c.queue)(), "%s, call %d", waitName, n)
					c.give()
					require.True(t, c.granted(), "%s, call %d", waitName, n)
				}
			}
		})
	}
}

func TestConditionHoldsLWhenContextUnwinds(t *testing.T) {
	for n := 1; n <= 8; n++ {
		l := new(Lock)
		c := NewCondition(l)
		inner, cancel := context.WithCancelCause(context.Background())
		ctx := newHostile(inner, n, func() { panic(errors.New("context")) })
		ended := make(chan bool)
		go func() {
			defer func() {
				_ = recover()
				held := l.Locked()
				l.Unlock()
				ended <- held
			}()
			l.Lock()
			_ = c.WaitContext(ctx)
		}()
		var held, got bool
		await(func() bool {
			select {
			case held = <-ended:
				got = true
			default:
			}
			return got || c.Waiting() == 1
		})
		cancel(errWhy)
		if !got {
			held = <-ended
		}
		require.True(t, held, "call %d", n)
	}
}

func TestContextMayUseObjectOfItsWait(t *testing.T) {
	eachContextWait(t, func(t *testing.T, g *testutil.Group, newWait func() contextWait) {
		for n := 1; n <= 8; n++ {
			c := newWait()
			inner, cancel := context.WithCancelCause(t.Context())
			ctx := newHostile(inner, n, func() { c.use(); cancel(errWhy) })
			ended := make(chan struct{})
			g.Run(func() {
				defer close(ended)
				assert.ErrorIs(t, c.wait(ctx), errWhy)
			})
			awaitEndedOrWaiting(ended, c.queue)
			cancel(errWhy)
			<-ended
		}
	})
}

// A mute context is done but has no error.
type mute struct {
	context.Context
	done chan struct{}
}

func (m mute) Done() <-chan struct{} { return m.done }
func (mute) Err() error              { return nil }
func (mute) Value(any) any           { return nil }

func TestContextWithoutErrorIsCanceled(t *testing.T) {
	eachContextWait(t, func(t *testing.T, g *testutil.Group, newWait func() contextWait) {
		c := newWait()
		m := mute{context.Background(), make(chan struct{})}
		var err error
		join := g.Run(func() { err = c.wait(m) })
		awaitWaiting(c.queue, 1)
		close(m.done)
		join()
		require.ErrorIs(t, err, context.Canceled, "nil means success")
		c.give()
		require.True(t, c.granted())
	})
}

// A trace function must not end its goroutine, but t.FailNow does that.
func TestTraceFunctionThatCallsGoexitLosesNothing(t *testing.T) {
	for name, newWait := range contextWaits {
		for _, action := range []Action{TraceBlock, TraceResume} {
			t.Run(fmt.Sprintf("%s/%v", name, action), func(t *testing.T) {
				c := newWait()
				th := New(func() error { return c.wait(context.Background()) }, nil)
				th.SetTrace(func(e TraceEvent) {
					if e.Action == action {
						runtime.Goexit()
					}
				})
				require.NoError(t, th.Start())
				if action == TraceResume {
					awaitWaiting(c.queue, 1)
					c.give()
				}
				require.ErrorIs(t, th.Join(), ErrGoexit)
				if action == TraceBlock {
					c.give()
				}
				require.Zero(t, waiting(c.queue)())
				if name == "WaitAll" && action == TraceResume {
					return // an event that stays set is not taken
				}
				require.True(t, c.granted())
			})
		}
	}
}

func TestConditionPassesNotificationOnAfterGoexit(t *testing.T) {
	c := NewCondition(new(Lock))
	th := New(func() error {
		c.L.Lock()
		defer c.L.Unlock()
		c.Wait()
		return nil
	}, nil)
	th.SetTrace(func(e TraceEvent) {
		if e.Action == TraceResume && e.Object == any(c) {
			runtime.Goexit()
		}
	})
	require.NoError(t, th.Start())
	awaitWaiting(c.queue(), 1)
	second := make(chan struct{})
	go func() {
		defer close(second)
		c.L.Lock()
		defer c.L.Unlock()
		c.Wait()
	}()
	awaitWaiting(c.queue(), 2)
	c.L.Lock()
	c.Notify()
	c.L.Unlock()
	require.ErrorIs(t, th.Join(), ErrGoexit)
	<-second
}

// A picky Locker panics in one call of Lock.
type picky struct {
	sync.Mutex
	n       atomic.Int32
	panicAt int32
}

func (p *picky) Lock() {
	if p.n.Add(1) == p.panicAt {
		panic("potential deadlock")
	}
	p.Mutex.Lock()
}

// A foreign Locker that panics does not keep the other waiters from being
// notified.
func TestConditionNotifyAllReachesAllIfLockerPanics(t *testing.T) {
	const n = 5
	l := &picky{panicAt: n + 2} // the first Lock after the notifier's
	c := NewCondition(l)
	var woken, panicked atomic.Int32
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			defer func() {
				if recover() != nil {
					panicked.Add(1)
				}
			}()
			l.Lock()
			c.Wait()
			woken.Add(1)
			l.Unlock()
		})
	}
	awaitWaiting(c.queue(), n)
	l.Lock()
	c.NotifyAll()
	l.Unlock()
	wg.Wait()
	assert.EqualValues(t, n-1, woken.Load())
	assert.EqualValues(t, 1, panicked.Load())
}

// A trace function that always calls Goexit also does so while L is locked
// again: the deferred Unlock must find L locked by this waiter.
func TestConditionHoldsLWhenTraceFunctionCallsGoexit(t *testing.T) {
	l := new(RLock)
	c := NewCondition(l)
	owned := false
	th := New(func() error {
		l.Lock()
		defer l.Unlock()
		defer func() { owned = l.Owned() }()
		c.Wait()
		return nil
	}, nil)
	blocked := make(chan struct{})
	th.SetTrace(func(e TraceEvent) {
		if e.Action == TraceBlock {
			if e.Object == any(c) {
				l.word.Add(anonymous) // another has L meanwhile
				close(blocked)
			}
			runtime.Goexit()
		}
	})
	require.NoError(t, th.Start())
	<-blocked
	awaitWaiting(l.queue(), 1)
	l.unlock(anonymous, l)
	require.ErrorIs(t, th.Join(), ErrGoexit)
	assert.True(t, owned)
	assert.Zero(t, c.Waiting())
}

// An echo context returns itself for any key. It must not be mistaken for a
// context of package context, whose methods are called under guards.
type echo struct{ hostile }

func (e echo) Value(any) any { return e }

func TestContextThatReturnsItselfIsNotCalledUnderGuard(t *testing.T) {
	eachContextWait(t, func(t *testing.T, g *testutil.Group, newWait func() contextWait) {
		c := newWait()
		inner, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		e := echo{newHostile(inner, 0, nil)}
		var err error
		join := g.Run(func() { err = c.wait(e) })
		awaitWaiting(c.queue, 1)
		calls := e.n.Load()
		c.give()
		join()
		require.NoError(t, err)
		require.Equal(t, calls, e.n.Load())
	})
}
