package osthread

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var address = regexp.MustCompile(`0x[0-9a-f]+`)

func TestStringShowsTheState(t *testing.T) {
	locked := func(l sync.Locker) any { l.Lock(); return l }
	var r RLock
	owner := New(func() error { r.Lock(); r.Lock(); return nil }, &Attr{Name: "owner"})
	assert.NoError(t, owner.Start())
	assert.NoError(t, owner.Join())
	var held RLock
	ready, done := make(chan struct{}), make(chan struct{})
	holder := New(func() error { held.Lock(); close(ready); <-done; held.Unlock(); return nil }, &Attr{Name: "holder"})
	assert.NoError(t, holder.Start())
	<-ready
	defer holder.Join()
	defer close(done)
	var rw, read RWLock
	rw.Lock()
	read.RLock()
	sem := NewBoundedSemaphore(3)
	sem.Acquire(1)
	var e Event
	e.Set()
	b := NewBarrier(3, nil)
	b.Abort()
	timer := NewTimer(time.Hour, nil, &Attr{Name: "timer"})
	timer.Cancel()
	for _, row := range []struct {
		v    any
		want string
	}{
		{new(Lock), "Lock(ADDRESS, unlocked)"},
		{locked(new(Lock)), "Lock(ADDRESS, locked)"},
		{new(RLock), "RLock(ADDRESS, unlocked)"},
		{&held, "RLock(ADDRESS, locked by holder)"},
		{new(RWLock), "RWLock(ADDRESS, unlocked)"},
		{&rw, "RWLock(ADDRESS, locked for writing)"},
		{&read, "RWLock(ADDRESS, locked by 1 reader)"},
		{read.RLocker(), "RLocker of RWLock(ADDRESS, locked by 1 reader)"},
		{&Condition{}, "Condition(ADDRESS, without L)"},
		{&Condition{L: new(Lock)}, "Condition(ADDRESS, on Lock(ADDRESS, unlocked))"},
		{&Condition{L: new(sync.Mutex)}, "Condition(ADDRESS, on *sync.Mutex(ADDRESS))"},
		{NewSemaphore(2), "Semaphore(ADDRESS, 2 permits)"},
		{sem, "Semaphore(ADDRESS, 2 of 3 permits)"},
		{new(Event), "Event(ADDRESS, not set)"},
		{&e, "Event(ADDRESS, set)"},
		{NewBarrier(2, nil), "Barrier(ADDRESS, 0 of 2)"},
		{b, "Barrier(ADDRESS, 0 of 3, broken)"},
		{timer, "Timer(Thread(timer, initial), 1h0m0s, canceled)"},
		{new(Local[int]), "*osthread.Local[int](ADDRESS)"},
	} {
		for _, verb := range []string{"%v", "%+v", "%s"} {
			assert.Equal(t, row.want, address.ReplaceAllString(fmt.Sprintf(verb, row.v), "ADDRESS"))
		}
	}
	assert.Regexp(t, `^RLock\(0x[0-9a-f]+, locked by thread with serial [0-9]+\)$`, r.String(), "its owner has ended")
}

func TestOwnerAndDepth(t *testing.T) {
	var r RLock
	assert.Nil(t, r.Owner())
	assert.Zero(t, r.Depth())
	th, err := Go(func() error {
		for i := range 3 {
			assert.Equal(t, i, r.Depth())
			r.Lock()
		}
		assert.Equal(t, 3, r.Depth())
		assert.Same(t, Current(), r.Owner())
		assert.NoError(t, inGoroutine(func() {
			assert.Zero(t, r.Depth(), "another's")
			assert.NotNil(t, r.Owner())
		}))
		for range 3 {
			r.Unlock()
		}
		assert.Zero(t, r.Depth())
		return nil
	})
	assert.NoError(t, err)
	assert.NoError(t, th.Join())

	assert.NoError(t, inGoroutine(func() {
		r.Lock()
		defer r.Unlock()
		if me := Current(); me != Main() { // whose locks outside RunMain have no owner
			assert.Same(t, me, r.Owner(), "a dummy")
		}
		assert.Equal(t, 1, r.Depth())
	}))
}

func inGoroutine(f func()) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = panicOf(f)
	}()
	<-done
	return err
}

func TestWaitingCountsThoseThatWait(t *testing.T) {
	const n = 5
	var l Lock
	var r RLock
	var w, rw RWLock
	var e Event
	s, c := NewSemaphore(0), NewCondition(new(Lock))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.Lock()
	r.Lock()
	defer r.Unlock()
	w.Lock()
	rw.RLock()
	for name, row := range map[string]struct {
		wait    func(context.Context) error
		waiting func() int
	}{
		"Lock":           {l.LockContext, l.Waiting},
		"RLock":          {r.LockContext, r.Waiting},
		"RWLock.RLock":   {w.RLockContext, w.Waiting},
		"RWLock.Lock":    {rw.LockContext, rw.Waiting},
		"Event":          {e.WaitContext, e.Waiting},
		"Semaphore":      {func(ctx context.Context) error { return s.AcquireContext(ctx, 1) }, s.Waiting},
		"WaitAny(event)": {func(ctx context.Context) error { _, err := WaitAnyContext(ctx, &e); return err }, e.Waiting},
		"Condition": {func(ctx context.Context) error {
			c.L.Lock()
			defer c.L.Unlock()
			return c.WaitContext(ctx)
		}, c.Waiting},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(ctx)
			assert.Zero(t, row.waiting())
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() { assert.ErrorIs(t, row.wait(ctx), context.Canceled) })
			}
			await(func() bool { return row.waiting() == n })
			cancel()
			wg.Wait()
			assert.Zero(t, row.waiting())
		})
	}
	l.Unlock()
	w.Unlock()
	rw.RUnlock()
}

// For the race detector: a log line, and a trace function that prints.
func TestStringsWhileInUse(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	var l Lock
	var r RLock
	var rw RWLock
	var e Event
	auto := Event{AutoReset: true}
	s, b := NewSemaphore(1), NewBarrier(2, nil)
	c := NewCondition(&l)
	var local Local[int]
	timer := NewTimer(0, nil, nil)
	all := []any{&l, &r, &rw, rw.RLocker(), &e, &auto, s, b, c, &local, timer, []Waitable{&e, s}}
	var events atomic.Int32
	SetTraceAll(func(e TraceEvent) {
		events.Add(1)
		fmt.Fprintf(io.Discard, "%v %v %v %+v", e.Action, e.Thread, e.Object, e)
	})
	defer SetTraceAll(nil)
	assert.NoError(t, timer.Start())
	var stop atomic.Bool
	printer, err := Go(func() error {
		for !stop.Load() {
			for _, v := range all {
				fmt.Fprintf(io.Discard, "%v %+v", v, v)
			}
		}
		return nil
	})
	assert.NoError(t, err)
	var users []*Thread
	for range 2 {
		th, err := Go(func() error {
			for i := range rounds {
				for _, l := range []sync.Locker{&l, &r, &rw, rw.RLocker()} {
					l.Lock()
					local.Set(i)
					l.Unlock()
				}
				s.Acquire(1)
				s.Release(1)
				e.Set()
				e.Clear()
				auto.Set()
				if WaitAnyTimeout(time.Microsecond, &auto, s) == 1 { // the other thread took auto's
					s.Release(1)
				}
				l.Lock()
				c.NotifyAll()
				c.WaitTimeout(time.Microsecond)
				l.Unlock()
				if _, err := b.Wait(); err != nil {
					return err
				}
			}
			return nil
		})
		assert.NoError(t, err)
		users = append(users, th)
	}
	for _, th := range users {
		assert.NoError(t, th.Join())
	}
	stop.Store(true)
	assert.NoError(t, printer.Join())
	assert.NoError(t, timer.Join())
	assert.NotZero(t, events.Load())
}
