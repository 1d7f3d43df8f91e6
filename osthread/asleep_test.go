package osthread

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/testutil"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
)

// A sleeper is one way to sleep: how to, what for, and how to end it.
type sleeper struct {
	name   string
	sleep  func() // on the thread
	object any
	ends   bool // by itself
	wake   func()
}

func sleepers(t *testing.T) []sleeper {
	ctx, cancel := context.WithCancel(t.Context())
	tooMany, giveUp := context.WithCancel(t.Context())
	lock, rlock, fair := new(Lock), new(RLock), &Lock{Fair: true}
	read, write, up := new(RWLock), new(RWLock), new(RWLock)
	event, auto, never, timed := new(Event), &Event{AutoReset: true}, new(Event), new(Event)
	sem, many := NewSemaphore(0), NewBoundedSemaphore(1)
	cond := &Condition{L: new(Lock)}
	barrier := NewBarrier(2, nil)
	var shared thread.Lock
	objects := []Waitable{new(Event), sem}
	release, releaseLower := new(Event), new(Event)
	other := start(t, func() error { release.Wait(); return nil })
	lower, err := thread.Start(releaseLower.Wait, nil)
	require.NoError(t, err)
	lock.Lock()
	fair.Lock()
	read.Lock()
	write.RLock()
	up.RLock()
	shared.Lock()
	held, free := make(chan struct{}), make(chan struct{})
	go func() {
		rlock.Lock()
		close(held)
		<-free
		rlock.Unlock()
	}()
	<-held
	var parked *Thread
	return []sleeper{
		{"Lock", lock.Lock, lock, false, lock.Unlock},
		{"Lock, fair", fair.Lock, fair, false, fair.Unlock},
		{"RLock", rlock.Lock, rlock, false, func() { close(free) }},
		{"RWLock, reader", read.RLock, read, false, read.Unlock},
		{"RWLock, writer", write.Lock, write, false, write.RUnlock},
		{"RWLock, upgrade", func() { up.RLock(); assert.NoError(t, up.Upgrade()) }, up, false, up.RUnlock},
		{"Event", event.Wait, event, false, event.Set},
		{"Event, auto-reset", auto.Wait, auto, false, auto.Set},
		{"Event, timeout", func() { timed.WaitTimeout(time.Hour) }, timed, true, timed.Set},
		{"Event, context", func() { _ = never.WaitContext(ctx) }, never, true, cancel},
		{"Semaphore", func() { sem.Acquire(1) }, sem, false, func() { sem.Release(1) }},
		{"Semaphore, never", func() { _ = many.AcquireContext(tooMany, 2) }, many, true, giveUp},
		{"Condition", func() { cond.L.Lock(); cond.Wait(); cond.L.Unlock() }, cond, false, func() {
			cond.L.Lock()
			cond.Notify()
			cond.L.Unlock()
		}},
		{"Barrier", func() { _, _ = barrier.Wait() }, barrier, false, func() { _, _ = barrier.Wait() }},
		{"WaitAny", func() { WaitAny(objects...) }, objects, false, func() { sem.Release(1) }},
		{"WaitAll", func() { WaitAll(objects...) }, objects, false, func() {
			objects[0].(*Event).Set()
			sem.Release(1)
		}},
		{"thread.Lock", shared.Lock, &shared, false, shared.Unlock},
		{"Join", func() { _ = other.Join() }, other, false, release.Set},
		{"thread.Join", func() { _ = lower.JoinTimeout(time.Hour) }, lower, true, releaseLower.Set},
		{"thread.Park", func() { parked = Current(); assert.NoError(t, thread.Park()) }, "Unpark", false, func() {
			th, err := parked.OSThread()
			assert.NoError(t, err)
			th.Unpark()
		}},
	}
}

// awaitAsleep waits until th sleeps, and returns what for.
func awaitAsleep(th *Thread) (w Wait) {
	testutil.Await(func() (ok bool) { w, ok = th.Waiting(); return ok })
	return w
}

func TestThreadWaitingNamesTheObject(t *testing.T) {
	for _, kind := range []struct {
		name string
		attr *Attr
	}{{"native", nil}, {"pinned", &Attr{Pinned: true}}} {
		t.Run(kind.name, func(t *testing.T) {
			for _, s := range sleepers(t) {
				began := time.Now()
				before, after := make(chan struct{}), make(chan struct{})
				th, err := Start(func() error {
					<-before
					s.sleep()
					<-after
					return nil
				}, kind.attr)
				require.NoError(t, err, s.name)
				_, asleep := th.Waiting()
				assert.False(t, asleep, "%s: a channel is not known", s.name)
				close(before)
				w := awaitAsleep(th)
				assert.Equal(t, s.object, w.Object, s.name)
				assert.Equal(t, s.ends, w.Ends, s.name)
				assert.False(t, w.Since.Before(began) || w.Since.After(time.Now()), s.name)
				assert.Contains(t, th.String(), "has waited for ", s.name)
				s.wake()
				testutil.Await(func() bool { _, asleep = th.Waiting(); return !asleep })
				close(after)
				require.NoError(t, th.Join(), s.name)
				assert.NotContains(t, th.String(), "waited", s.name)
			}
		})
	}
}

// A waiter that stands in L's queue waits for L.
func TestThreadWaitingAfterNotifyIsForL(t *testing.T) {
	l := new(Lock)
	c := &Condition{L: l}
	var all []*Thread
	for range 2 {
		all = append(all, start(t, func() error { l.Lock(); c.Wait(); l.Unlock(); return nil }))
	}
	testutil.Await(func() bool { return c.Waiting() == 2 })
	for _, th := range all {
		assert.Equal(t, c, awaitAsleep(th).Object)
	}
	l.Lock()
	c.NotifyAll()
	for _, th := range all {
		assert.Same(t, l, awaitAsleep(th).Object)
	}
	l.Unlock()
	for _, th := range all {
		require.NoError(t, th.Join())
	}
}

func TestThreadWaitingOfAnAttachedGoroutine(t *testing.T) {
	var e Event
	self := make(chan *Thread)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := thread.Attach()
		assert.NoError(t, err)
		self <- Current()
		e.Wait()
		assert.NoError(t, thread.Detach())
	}()
	th := <-self
	assert.Same(t, &e, awaitAsleep(th).Object)
	e.Set()
	<-done
	_, asleep := th.Waiting()
	assert.False(t, asleep)
}

// Many threads are each known to wait for their own object, and to wait no
// longer once that is there.
func TestThreadWaitingOfManyThreads(t *testing.T) {
	n := 1000
	if !ident.SerialInSlot { // 32 bits have no room for as many stacks
		n = 100
	}
	events := make([]Event, n)
	threads := make([]*Thread, n)
	after := make(chan struct{})
	for i := range threads {
		threads[i] = start(t, func() error { events[i].Wait(); <-after; return nil })
	}
	for i, th := range threads {
		assert.Same(t, &events[i], awaitAsleep(th).Object)
	}
	for i := range events {
		events[i].Set()
	}
	for _, th := range threads {
		testutil.Await(func() bool { _, asleep := th.Waiting(); return !asleep })
	}
	close(after)
	for _, th := range threads {
		require.NoError(t, th.Join())
	}
}

func TestThreadWaitingOfATimer(t *testing.T) {
	tm := NewTimer(time.Hour, nil, nil)
	require.NoError(t, tm.Start())
	w := awaitAsleep(tm.Thread)
	assert.IsType(t, new(Event), w.Object)
	assert.True(t, w.Ends)
	joiner := start(t, tm.Join)
	assert.Same(t, tm.Thread, awaitAsleep(joiner).Object)
	tm.Cancel()
	require.NoError(t, joiner.Join())
	_, asleep := tm.Waiting()
	assert.False(t, asleep)
}

func TestThreadWaitingBeforeStartIsNothing(t *testing.T) {
	_, asleep := New(nil, nil).Waiting()
	assert.False(t, asleep)
	_, asleep = new(Thread).Waiting()
	assert.False(t, asleep)
}

// Two threads that wait for each other can be printed.
func TestThreadStringOfJoiners(t *testing.T) {
	var a, b *Thread
	var started Event
	enough, cancel := context.WithCancel(t.Context())
	a = New(func() error { started.Wait(); _ = b.JoinContext(enough); return nil }, nil)
	b = New(func() error { started.Wait(); _ = a.JoinContext(enough); return nil }, nil)
	require.NoError(t, a.Start())
	require.NoError(t, b.Start())
	started.Set()
	joins := func(th, other *Thread) bool { w, ok := th.Waiting(); return ok && w.Object == any(other) }
	testutil.Await(func() bool { return joins(a, b) && joins(b, a) })
	assert.Contains(t, a.String()+b.String(), "has waited for ")
	cancel()
	require.NoError(t, a.Join())
	require.NoError(t, b.Join())
}

// waitOf returns what p waits for.
func waitOf(p *watch.Party) (w waits.Wait, ok bool) {
	for _, s := range watch.States() {
		if s.Party == p {
			return s.Wait, s.Waits
		}
	}
	return w, false
}

// In watch mode the waits of goroutines are known as those of threads.
func TestWatchKnowsWhatGoroutinesWaitFor(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	for _, s := range sleepers(t) {
		if s.name == "thread.Park" {
			continue // for threads alone
		}
		parties, done := make(chan *watch.Party), make(chan struct{})
		go func() {
			defer close(done)
			parties <- watch.Here()
			s.sleep()
		}()
		p := <-parties
		testutil.Await(func() bool { _, ok := waitOf(p); return ok })
		w, _ := waitOf(p)
		assert.Equal(t, s.object, w.Object, s.name)
		assert.Equal(t, s.ends, w.Ends, s.name)
		s.wake()
		<-done
		_, waits := waitOf(p)
		assert.False(t, waits, s.name)
	}
}

// A foreignLocker is another package's L, which cannot be printed while others
// use it, nor be a key of a map.
type foreignLocker struct {
	sync.Locker
	_ func()
}

func TestThreadWaitingAfterNotifyIsForTheConditionIfLIsUnknown(t *testing.T) {
	c := &Condition{L: foreignLocker{Locker: new(sync.Mutex)}}
	th := start(t, func() error { c.L.Lock(); c.Wait(); c.L.Unlock(); return nil })
	assert.Equal(t, c, awaitAsleep(th).Object)
	other := start(t, func() error { c.L.Lock(); c.Wait(); c.L.Unlock(); return nil })
	assert.Equal(t, c, awaitAsleep(other).Object)
	c.L.Lock()
	c.NotifyAll() // wakes the first, and that the second
	for range 100 {
		if w, ok := other.Waiting(); ok {
			assert.Equal(t, c, w.Object)
		}
		assert.NotEmpty(t, other.String())
	}
	c.L.Unlock()
	require.NoError(t, th.Join())
	require.NoError(t, other.Join())
}
