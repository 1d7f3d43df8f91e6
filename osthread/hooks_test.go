package osthread

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
