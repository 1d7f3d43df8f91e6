package osthread

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
	hooks "example.com/thread/internal/trace"
)

type recorder struct {
	mu     sync.Mutex
	events []TraceEvent
}

func (r *recorder) record(e TraceEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) actions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.events {
		all = append(all, e.Action.String())
	}
	return all
}

func TestTraceAndProfileEvents(t *testing.T) {
	var trace, profile recorder
	SetTrace(func(e TraceEvent) {
		assert.Same(t, e.Thread, Current())
		trace.record(e)
	})
	SetProfile(profile.record)
	assert.NotNil(t, Trace())
	assert.NotNil(t, Profile())
	SetPanicHook(func(*Thread, *PanicError) {})
	var e, f Event
	a := start(t, func() error { e.Wait(); f.Set(); panic(1) })
	awaitWaiting(e.queue(), 1)
	b := New(func() error { f.Wait(); return nil }, nil)
	b.SetTrace(nil) // as nothing of its own: the general one holds
	require.NoError(t, b.Start())
	awaitWaiting(f.queue(), 1)
	SetTrace(nil)
	SetProfile(nil)
	assert.Nil(t, Trace())
	e.Set()
	assert.Error(t, a.Join())
	require.NoError(t, b.Join())
	SetPanicHook(nil)
	assert.Nil(t, PanicHook())
	of := func(r *recorder, th *Thread) (all []string) {
		for _, e := range r.events {
			if e.Thread == th {
				all = append(all, e.Action.String())
			}
		}
		return all
	}
	assert.Equal(t, []string{"start", "block", "resume", "release", "panic", "end"}, of(&trace, a))
	assert.Equal(t, []string{"start", "block", "resume", "end"}, of(&trace, b))
	assert.Equal(t, []string{"start", "resume", "end"}, of(&profile, a))
	for _, ev := range profile.events {
		if ev.Action == TraceResume && ev.Thread == a {
			assert.Same(t, &e, ev.Object)
			assert.Positive(t, ev.Waited)
		}
	}
	assert.False(t, hooks.Enabled())
}

func TestSetTraceAllReachesRunningThreads(t *testing.T) {
	var r recorder
	var e, ready Event
	th := start(t, func() error { ready.Set(); e.Wait(); return nil })
	ready.Wait()
	SetTraceAll(r.record)
	e.Set()
	require.NoError(t, th.Join())
	SetTraceAll(nil)
	assert.Contains(t, r.actions(), "end")
	assert.False(t, hooks.Enabled())
}

func TestTraceFunctionMayPanicAndUseLocks(t *testing.T) {
	var l Lock
	var panics atomic.Int32
	SetPanicHook(func(*Thread, *PanicError) { panics.Add(1) })
	defer SetPanicHook(nil)
	th := New(func() error { return nil }, nil)
	th.SetTrace(func(TraceEvent) {
		l.Lock()
		defer l.Unlock()
		panic("hook")
	})
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
	assert.EqualValues(t, 2, panics.Load())
}

// traced runs f while r gets the events of all threads.
func traced(r *recorder, f func()) {
	hooks.Record(func(e TraceEvent, _ int64) { r.record(e) })
	defer hooks.Record(recordFunc(nil))
	f()
}

func (r *recorder) first(t *testing.T, a Action, th *Thread) TraceEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Action == a && e.Thread == th {
			return e
		}
	}
	assert.Fail(t, "no such event", "%v of %v", a, th)
	return TraceEvent{}
}

// Each pair is a wait, and what ends it. The waiter is asleep by then.
func TestTraceResumeHasTheWakerOfEachObject(t *testing.T) {
	type pair struct{ wait, asleep, wake func() }
	event := func(e *Event) pair {
		return pair{e.Wait, func() { awaitWaiting(e.queue(), 1) }, e.Set}
	}
	for name, of := range map[string]func() pair{
		"Event":      func() pair { return event(new(Event)) },
		"Event auto": func() pair { return event(&Event{AutoReset: true}) },
		"Lock": func() pair {
			l := new(Lock)
			l.Lock()
			return pair{l.Lock, func() { await(func() bool { return l.Waiting() == 1 }) }, l.Unlock}
		},
		"Semaphore": func() pair {
			s := NewSemaphore(0)
			asleep := func() { await(func() bool { return s.Waiting() == 1 }) }
			return pair{func() { s.Acquire(1) }, asleep, func() { s.Release(1) }}
		},
		"Barrier": func() pair {
			b := NewBarrier(2, nil)
			wait := func() { _, _ = b.Wait() }
			return pair{wait, func() { await(func() bool { return b.Waiting() == 1 }) }, wait}
		},
		"Condition": func() pair {
			c := NewCondition(new(Lock))
			wait := func() { c.L.Lock(); defer c.L.Unlock(); c.Wait() }
			wake := func() { c.L.Lock(); defer c.L.Unlock(); c.Notify() }
			return pair{wait, func() { await(func() bool { return c.Waiting() == 1 }) }, wake}
		},
		"WaitAny": func() pair {
			e := new(Event)
			return pair{func() { WaitAny(e) }, func() { awaitWaiting(e.queue(), 1) }, e.Set}
		},
	} {
		began := futex.Now()
		fine := futex.Now() != began
		t.Run(name, func(t *testing.T) {
			var r recorder
			var waiter, waker *Thread
			var took time.Duration // to wake it, with both threads' ends
			traced(&r, func() {
				p := of()
				waiter = start(t, func() error { p.wait(); return nil })
				p.asleep()
				await(func() bool { return waiter.sleepsFor() != "" }) // and does not spin
				began := futex.Now()
				waker = start(t, func() error { p.wake(); return nil })
				require.NoError(t, waker.Join())
				require.NoError(t, waiter.Join())
				took = time.Duration(futex.Now() - began)
			})
			e := r.first(t, TraceResume, waiter)
			assert.Same(t, waker, e.Waker)
			assert.Positive(t, e.Latency)
			// The clock may be coarse, and a latency is at least 1 ns.
			assert.LessOrEqual(t, e.Latency, max(e.Waited, 1))
			released := r.first(t, TraceRelease, waker).Waited
			assert.LessOrEqual(t, released, took)
			if fine {
				assert.Positive(t, released)
			}
		})
	}
}

func TestTraceResumeAfterATimeoutHasNoWaker(t *testing.T) {
	var r recorder
	var th *Thread
	traced(&r, func() {
		th = start(t, func() error { new(Event).WaitTimeout(1); return nil })
		require.NoError(t, th.Join())
	})
	e := r.first(t, TraceResume, th)
	assert.Nil(t, e.Waker)
	assert.Zero(t, e.Latency)
}

func TestTraceHolderIsTheOwnerOfAnRLock(t *testing.T) {
	var l RLock
	var leave Event
	th := start(t, func() error {
		l.Lock()
		defer l.Unlock()
		leave.Wait()
		return nil
	})
	await(func() bool { return l.Owner() == th })
	low, err := th.OSThread()
	require.NoError(t, err)
	assert.Equal(t, low.Serial(), hooks.Holder(&l))
	assert.Zero(t, hooks.Holder(th))
	assert.Zero(t, hooks.Holder(&leave))
	leave.Set()
	require.NoError(t, th.Join())
}

// The recorder gets events beside the functions of threads.
func TestTraceRecorderLeavesTraceFunctionsAlone(t *testing.T) {
	var all, own recorder
	SetTrace(own.record)
	var th *Thread
	traced(&all, func() {
		th = start(t, func() error { return nil })
		require.NoError(t, th.Join())
	})
	require.NoError(t, start(t, func() error { return nil }).Join())
	SetTrace(nil)
	all.events = slices.DeleteFunc(all.events, func(e TraceEvent) bool { return e.Thread != th }) // a Join that sleeps
	assert.Equal(t, []string{"start", "end"}, all.actions())
	assert.Equal(t, []string{"start", "end", "start", "end"}, own.actions())
}
