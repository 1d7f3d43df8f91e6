package osthread

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/testutil"
)

var errCause = errors.New("cause")

// A cancelWait is a wait on a new object that has nothing to give yet.
type cancelWait struct {
	wait    func() error // a call without an error returns what it panicked with
	give    func()       // provides what the wait is for
	granted func() bool  // whether a new wait succeeds without sleeping, after give
}

// unwound calls f, which returns no error, and returns the cause if that ended
// its wait.
func unwound(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = v.(*CanceledError)
		}
	}()
	f()
	return nil
}

// must is for calls that report whether they succeeded: they do, or panic.
func must(f func() bool) func() error {
	return func() error {
		return unwound(func() {
			if !f() {
				panic("neither taken nor canceled")
			}
		})
	}
}

var cancelWaits = map[string]func() cancelWait{
	"Lock": func() cancelWait { return lockCancel(new(Lock), (*Lock).Lock) },
	"fair": func() cancelWait { return lockCancel(&Lock{Fair: true}, (*Lock).Lock) },
	"Lock, timeout": func() cancelWait {
		l := new(Lock)
		c := lockCancel(l, nil)
		c.wait = must(func() bool { return l.LockTimeout(time.Hour) })
		return c
	},
	"Lock, context": func() cancelWait {
		l := new(Lock)
		c := lockCancel(l, nil)
		c.wait = func() error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			return l.LockContext(ctx)
		}
		return c
	},
	"Lock, own context": func() cancelWait {
		l := new(Lock)
		c := lockCancel(l, nil)
		c.wait = func() error { return l.LockContext(Current().Context()) }
		return c
	},
	"Lock, empty context": func() cancelWait {
		l := new(Lock)
		c := lockCancel(l, nil)
		c.wait = func() error { return l.LockContext(context.Background()) }
		return c
	},
	"RLock": func() cancelWait {
		return rlockCancel(func(r *RLock) error { return unwound(r.Lock) })
	},
	"RLock, timeout": func() cancelWait {
		return rlockCancel(func(r *RLock) error {
			return must(func() bool { return r.LockTimeout(time.Hour) })()
		})
	},
	"RLock, empty context": func() cancelWait {
		return rlockCancel(func(r *RLock) error { return r.LockContext(context.Background()) })
	},
	"RWLock": func() cancelWait {
		w := new(RWLock)
		w.RLock()
		return cancelWait{func() error { return unwound(w.Lock) }, w.RUnlock, w.TryLock}
	},
	"RWLock, reader": func() cancelWait {
		w := new(RWLock)
		w.Lock()
		return cancelWait{func() error { return unwound(w.RLock) }, w.Unlock, w.TryLock}
	},
	"RWLock, upgrade": func() cancelWait {
		w := new(RWLock)
		w.RLock()
		return cancelWait{
			func() error {
				w.RLock()
				err := w.Upgrade()
				if err != nil {
					w.RUnlock()
				}
				return err
			}, w.RUnlock, w.TryLock,
		}
	},
	"Semaphore": func() cancelWait {
		s := NewSemaphore(1)
		return cancelWait{
			func() error { return unwound(func() { s.Acquire(2) }) },
			func() { s.Release(1) },
			func() bool { return s.TryAcquire(2) },
		}
	},
	"Semaphore, timeout": func() cancelWait {
		s := NewSemaphore(0)
		return cancelWait{
			must(func() bool { return s.AcquireTimeout(1, time.Hour) }),
			func() { s.Release(1) },
			func() bool { return s.TryAcquire(1) },
		}
	},
	"Semaphore, empty context": func() cancelWait {
		s := NewSemaphore(0)
		return cancelWait{
			func() error { return s.AcquireContext(context.Background(), 1) },
			func() { s.Release(1) },
			func() bool { return s.TryAcquire(1) },
		}
	},
	"RWLock, empty context": func() cancelWait {
		w := new(RWLock)
		w.RLock()
		return cancelWait{func() error { return w.LockContext(context.Background()) }, w.RUnlock, w.TryLock}
	},
	"Event, empty context": func() cancelWait {
		e := new(Event)
		return cancelWait{func() error { return e.WaitContext(context.Background()) }, e.Set, nil}
	},
	"WaitAny, empty context": func() cancelWait {
		e, s := new(Event), NewSemaphore(0)
		return cancelWait{
			func() error { _, err := WaitAnyContext(context.Background(), e, s); return err },
			func() { s.Release(1) },
			func() bool { return TryWaitAny(e, s) == 1 },
		}
	},
	"WaitAll, empty context": func() cancelWait {
		e, s := &Event{AutoReset: true}, NewSemaphore(1)
		return cancelWait{
			func() error { return WaitAllContext(context.Background(), e, s) },
			e.Set,
			func() bool { return TryWaitAll(e, s) },
		}
	},
	"Condition.WaitFor": func() cancelWait {
		return conditionForCancel(func(c *Condition, cond func() bool) error {
			return unwound(func() { c.WaitFor(cond) })
		})
	},
	"Condition.WaitFor, timeout": func() cancelWait {
		return conditionForCancel(func(c *Condition, cond func() bool) error {
			return must(func() bool { return c.WaitForTimeout(cond, time.Hour) })()
		})
	},
	"Condition.WaitFor, empty context": func() cancelWait {
		return conditionForCancel(func(c *Condition, cond func() bool) error {
			return c.WaitForContext(context.Background(), cond)
		})
	},
	"Event": func() cancelWait {
		e := new(Event)
		return cancelWait{func() error { return unwound(e.Wait) }, e.Set, nil}
	},
	"Event, timeout": func() cancelWait {
		e := new(Event)
		return cancelWait{must(func() bool { return e.WaitTimeout(time.Hour) }), e.Set, nil}
	},
	"Event, AutoReset": func() cancelWait {
		e := &Event{AutoReset: true}
		return cancelWait{func() error { return unwound(e.Wait) }, e.Set, e.TryWait}
	},
	"Condition, Lock":   func() cancelWait { return conditionCancel(new(Lock)) },
	"Condition, RLock":  func() cancelWait { return conditionCancel(new(RLock)) },
	"Condition, RWLock": func() cancelWait { return conditionCancel(new(RWLock)) },
	"Condition, Mutex":  func() cancelWait { return conditionCancel(new(sync.Mutex)) },
	"Condition, foreign": func() cancelWait {
		return conditionCancel(waitingLocker{new(Lock)})
	},
	"WaitAny": func() cancelWait {
		e, s := new(Event), NewSemaphore(0)
		return cancelWait{
			func() error { return unwound(func() { WaitAny(e, s) }) },
			func() { s.Release(1) },
			func() bool { return TryWaitAny(e, s) == 1 },
		}
	},
	"WaitAll": func() cancelWait {
		e, s := &Event{AutoReset: true}, NewSemaphore(1)
		return cancelWait{
			func() error { return unwound(func() { WaitAll(e, s) }) },
			e.Set,
			func() bool { return TryWaitAll(e, s) },
		}
	},
	"Join": func() cancelWait {
		free := make(chan struct{})
		th, err := Go(func() error { <-free; return nil })
		if err != nil {
			panic(err)
		}
		return cancelWait{th.Join, func() { close(free) }, nil}
	},
	"thread.Lock": func() cancelWait {
		l := new(thread.Lock)
		l.Lock()
		return cancelWait{func() error { return unwound(l.Lock) }, l.Unlock, l.TryLock}
	},
	"thread.Lock, timeout": func() cancelWait {
		l := new(thread.Lock)
		l.Lock()
		return cancelWait{must(func() bool { return l.LockTimeout(time.Hour) }), l.Unlock, l.TryLock}
	},
	"thread.Park": func() cancelWait {
		begun := make(chan *thread.Thread, 1)
		return cancelWait{
			func() error {
				begun <- thread.Current()
				return thread.Park()
			},
			func() { (<-begun).Unpark() },
			nil,
		}
	},
}

func tryAndUndo(try func() bool, undo func()) bool {
	if !try() {
		return false
	}
	undo()
	return true
}

func lockCancel(l *Lock, lock func(*Lock)) cancelWait {
	l.Lock()
	return cancelWait{func() error { return unwound(func() { lock(l) }) }, l.Unlock, l.TryLock}
}

// rlockCancel waits for an RLock that a goroutine holds.
func rlockCancel(lock func(r *RLock) error) cancelWait {
	r := new(RLock)
	free, held := make(chan struct{}), make(chan struct{})
	go func() {
		r.Lock()
		close(held)
		<-free
		r.Unlock()
	}()
	<-held
	return cancelWait{
		func() error { return lock(r) },
		func() { close(free) },
		func() bool { return tryAndUndo(r.TryLock, r.Unlock) },
	}
}

// conditionForCancel waits for a flag under a Lock.
func conditionForCancel(wait func(c *Condition, cond func() bool) error) cancelWait {
	l := new(Lock)
	c := NewCondition(l)
	flag := false
	return cancelWait{
		wait: func() error {
			l.Lock()
			defer l.Unlock() // which panics if it is not locked
			return wait(c, func() bool { return flag })
		},
		give: func() {
			l.Lock()
			defer l.Unlock()
			flag = true
			c.Notify()
		},
	}
}

// A waitingLocker waits by this package, and is no lock of a Condition that
// this package knows.
type waitingLocker struct{ l *Lock }

func (f waitingLocker) Lock()   { f.l.Lock() }
func (f waitingLocker) Unlock() { f.l.Unlock() }

// conditionCancel waits for a flag under a lock, which has to be held whatever
// ends the wait.
func conditionCancel(l sync.Locker) cancelWait {
	c := NewCondition(l)
	flag := false
	return cancelWait{
		wait: func() error {
			l.Lock()
			defer l.Unlock() // which panics if it is not locked
			return unwound(func() {
				for !flag {
					c.Wait()
				}
			})
		},
		give: func() {
			l.Lock()
			defer l.Unlock()
			flag = true
			c.Notify()
		},
	}
}

// cancels is how often each kind of wait is canceled.
func cancels() int { return testutil.Rounds("OSTHREAD_TEST_CANCELS", 200, 20) }

// A call that a Cancel and what it waits for race for returns the one or the
// other, and a Cancel that did not end it ends the next wait.
func TestCancelEndsAWaitOnce(t *testing.T) {
	for name, newWait := range cancelWaits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := 0
			for round := range cancels() {
				if cancelOnce(t, newWait(), round) {
					ended++
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("%d of %d waits were ended", ended, cancels())
		})
	}
}

// cancelOnce reports whether the Cancel ended the wait.
func cancelOnce(t *testing.T, c cancelWait, round int) (ended bool) {
	asked := make(chan struct{})
	th, err := Go(func() error {
		err := c.wait()
		<-asked
		left := Canceled()
		if err == nil {
			assert.Equal(t, errCause, left, "the Cancel was lost")
			return nil
		}
		assert.NoError(t, left, "the Cancel came twice")
		assert.Error(t, context.Cause(Current().Context()))
		return err
	})
	require.NoError(t, err)
	if round%4 > 0 { // let it sleep, or nearly
		await(func() bool { _, waits := th.Waiting(); return waits })
	}
	cancel := func() { th.Cancel(errCause); close(asked) }
	if round%3 == 0 { // nothing else ends it
		cancel()
		assert.ErrorIs(t, th.Join(), errCause)
		c.give()
	} else {
		var g sync.WaitGroup
		g.Go(cancel)
		g.Go(func() {
			for range round % 5 {
				runtime.Gosched()
			}
			c.give()
		})
		g.Wait()
	}
	err = th.Join()
	if err == nil {
		return false
	}
	assert.ErrorIs(t, err, errCause)
	if c.granted != nil {
		await(c.granted) // a waiter that was woken to retry may have it for a moment
	}
	return true
}

// A party that is canceled breaks the barrier, as one does that times out.
func TestCancelBreaksABarrier(t *testing.T) {
	for round := range cancels() {
		b := NewBarrier(2, nil)
		asked := make(chan struct{})
		th := start(t, func() error {
			_, err := b.Wait()
			<-asked
			if err == nil {
				assert.Equal(t, errCause, Canceled())
				return nil
			}
			return err
		})
		await(func() bool { return b.Waiting() == 1 })
		var g sync.WaitGroup
		g.Go(func() { th.Cancel(errCause); close(asked) })
		var other error
		g.Go(func() {
			for range round % 5 {
				runtime.Gosched()
			}
			_, other = b.Wait()
		})
		g.Wait()
		err := th.Join()
		assert.Equal(t, err == nil, other == nil)
		if err != nil {
			assert.ErrorIs(t, err, errCause)
			assert.ErrorIs(t, err, ErrBroken)
			assert.ErrorIs(t, other, ErrBroken)
		}
	}
}

// Deferred calls may wait after a call has panicked, and the thread's result is
// the cause, which nothing reports as a panic.
func TestCancelUnwindsOnce(t *testing.T) {
	defer SetPanicHook(PanicHook())
	SetPanicHook(func(_ *Thread, p *PanicError) { t.Error(p) })
	var never Event
	var l Lock
	cleaned := false
	th := start(t, func() error {
		defer func() {
			l.Lock() // sleeps
			cleaned = true
			l.Unlock()
		}()
		l.Lock()
		go func() {
			await(func() bool { return l.Waiting() == 1 })
			l.Unlock()
		}()
		never.Wait()
		return nil
	})
	await(func() bool { return waitsFor(th, &never) })
	th.Cancel(errCause)
	th.Cancel(errors.New("a second one"))
	assert.Equal(t, errCause, th.Join())
	assert.True(t, cleaned)
	assert.Equal(t, errCause, context.Cause(th.Context()))
}

func waitsFor(th *Thread, obj any) bool {
	w, ok := th.Waiting()
	return ok && w.Object == obj
}

func TestCancelBeforeStartEndsTheFirstWait(t *testing.T) {
	th := New(func() error {
		new(Event).Wait()
		return nil
	}, nil)
	th.Cancel(nil)
	require.NoError(t, th.Start())
	assert.Equal(t, context.Canceled, th.Join())
}

// Calls that need not wait, and Try and d <= 0, do not notice a Cancel.
func TestCancelEndsNoCallThatDoesNotWait(t *testing.T) {
	th := New(func() error {
		var l Lock
		l.Lock()
		assert.False(t, l.TryLock())
		assert.False(t, l.LockTimeout(0))
		l.Unlock()
		e := &Event{AutoReset: true}
		assert.False(t, e.TryWait())
		e.Set()
		e.Wait()
		assert.Equal(t, errCause, Canceled())
		assert.NoError(t, Canceled())
		return nil
	}, nil)
	th.Cancel(errCause)
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
}

func TestUncanceledHidesACancel(t *testing.T) {
	var e, in, never Event
	th := start(t, func() error {
		Uncanceled(func() {
			Uncanceled(in.Set)
			assert.NoError(t, Canceled())
			assert.NoError(t, e.WaitContext(context.Background()))
			e.Clear()
			e.Wait()
		})
		never.Wait()
		return nil
	})
	in.Wait()
	await(func() bool { return waitsFor(th, &e) })
	th.Cancel(errCause)
	e.Set()
	await(func() bool { return !e.IsSet() && waitsFor(th, &e) })
	e.Set()
	assert.Equal(t, errCause, th.Join())
	Uncanceled(in.Set) // of an ordinary goroutine
	assert.NoError(t, Canceled())
}

// A wait in a trace function of a canceled thread does not end in place of the
// thread's own.
func TestCancelEndsNoWaitOfAHook(t *testing.T) {
	var traced, never Event
	waited := make(chan error, 1)
	th := New(func() error { return never.WaitContext(context.Background()) }, nil)
	th.SetTrace(func(e TraceEvent) {
		if e.Action == TraceBlock {
			waited <- traced.WaitContext(t.Context())
		}
	})
	require.NoError(t, th.Start())
	await(func() bool { return waitsFor(th, &traced) })
	th.Cancel(errCause)
	traced.Set()
	assert.NoError(t, <-waited)
	assert.Equal(t, errCause, th.Join())
}

// A thread that this package did not start cannot be unwound: C code may be
// below.
func TestCancelOfADummyEndsOnlyCallsWithAnError(t *testing.T) {
	var e Event
	dummy := make(chan *Thread)
	th, err := thread.Start(func() {
		dummy <- Current()
		e.Wait()
		assert.Equal(t, errCause, new(Event).WaitContext(context.Background()))
	}, nil)
	require.NoError(t, err)
	d := <-dummy
	await(func() bool { return waitsFor(d, &e) })
	d.Cancel(errCause)
	e.Set()
	assert.NoError(t, th.Join())
}

// The rest of a Group ends even if the thread that waits for it is canceled.
func TestCancelDoesNotEndGroupWait(t *testing.T) {
	free := new(Event)
	th := start(t, func() error {
		g, err := NewGroup(context.Background(), GroupOptions{Limit: 1})
		assert.NoError(t, err)
		_, err = g.Go(func(context.Context) error { return free.WaitContext(context.Background()) })
		assert.NoError(t, err)
		_, err = g.Go(func(context.Context) error { return nil })
		assert.Equal(t, errCause, err, "the wait for a place")
		free.Set()
		return g.Wait()
	})
	await(func() bool { w, ok := th.Waiting(); _, group := w.Object.(*Group); return ok && group })
	th.Cancel(errCause)
	assert.NoError(t, th.Join())
}

// What a thread leaves is not for the next one.
func TestCancelIsForOneThread(t *testing.T) {
	for range 100 {
		asked := make(chan struct{})
		th := start(t, func() error { <-asked; return nil })
		th.Cancel(errCause)
		close(asked)
		require.NoError(t, th.Join())
		e := new(Event)
		next := start(t, func() error { e.Wait(); return nil })
		await(func() bool { return waitsFor(next, e) })
		e.Set()
		assert.NoError(t, next.Join())
	}
}

// A Join that a Cancel and the end of the thread race for returns the cause, or
// the thread's result, which is an error here.
func TestCancelOfJoinReturnsTheCauseOrTheResult(t *testing.T) {
	result := errors.New("result")
	for round := range 5 * cancels() {
		free, asked := make(chan struct{}), make(chan struct{})
		joined := start(t, func() error { <-free; return result })
		th := start(t, func() error {
			err := joined.Join()
			<-asked
			if left := Canceled(); err == result {
				assert.Equal(t, errCause, left, "the Cancel was lost")
			} else {
				assert.Equal(t, errCause, err)
				assert.NoError(t, left, "the Cancel came twice")
			}
			return nil
		})
		await(func() bool { return waitsFor(th, joined) })
		var g sync.WaitGroup
		g.Go(func() { th.Cancel(errCause); close(asked) })
		g.Go(func() {
			for range round % 20 {
				runtime.Gosched()
			}
			close(free)
		})
		g.Wait()
		require.NoError(t, th.Join())
		require.Equal(t, result, joined.Join())
	}
}
