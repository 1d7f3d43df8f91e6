package osthread

import (
	"context"
	"runtime"
	"slices"
	gosync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/watch"
)

// inversions calls each of fs in a goroutine of its own, one after the other,
// and returns the inversions that were reported.
func inversions(t *testing.T, fs ...func()) (is []watch.Inversion) {
	var mu gosync.Mutex
	watch.SetOrderHook(func(i watch.Inversion) {
		mu.Lock()
		defer mu.Unlock()
		is = append(is, i)
	})
	t.Cleanup(func() { watch.SetOrderHook(nil) })
	for _, f := range fs {
		partyOf(f)
	}
	return is
}

// nested locks ls in this order and unlocks them.
func nested(ls ...gosync.Locker) func() {
	return func() {
		for _, l := range ls {
			l.Lock()
		}
		for _, l := range slices.Backward(ls) {
			l.Unlock()
		}
	}
}

func TestWatchReportsLockOrderInversions(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var a, b, c Lock
	var r RLock
	var w RWLock
	cond := NewCondition(new(Lock))
	for _, tt := range []struct {
		name  string
		calls []func()
		steps int
	}{
		{"two locks", []func(){nested(&a, &b), nested(&b, &a)}, 2},
		{"three locks", []func(){nested(&a, &b), nested(&b, &c), nested(&c, &a)}, 3},
		{"RLock", []func(){nested(&a, &r), nested(&r, &a)}, 2},
		{"writer", []func(){nested(&a, &w), nested(&w, &a)}, 2},
		{"reader and lock", []func(){nested(&a, w.RLocker()), nested(&w, &a)}, 2},
		{"a gate around one alone", []func(){nested(&c, &a, &b), nested(&b, &a)}, 2},
		{"the try holds", []func(){nested(&a, &b), func() {
			assert.True(t, b.TryLock())
			nested(&a)()
			b.Unlock()
		}}, 2},
		{"the Condition locks L again", []func(){nested(cond.L, &a), func() {
			cond.L.Lock()
			a.Lock() // after L, as the other
			cond.WaitTimeout(time.Millisecond)
			a.Unlock()
			cond.L.Unlock()
		}}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b, c, r, w = Lock{}, Lock{}, Lock{}, RLock{}, RWLock{} // first used again: other locks
			is := inversions(t, tt.calls...)
			require.Len(t, is, 1)
			assert.Len(t, is[0].Steps, tt.steps)
			for i, s := range is[0].Steps {
				next := is[0].Steps[(i+1)%tt.steps]
				assert.Equal(t, s.Wanted, next.Held)
				assert.NotEqual(t, s.Goid, next.Goid)
				assert.NotEmpty(t, s.HeldAt)
				assert.NotEmpty(t, s.WantedAt)
			}
			assert.Empty(t, inversions(t, tt.calls...), "once")
		})
	}
}

// What other finders report and must not: none of these can deadlock, or they
// end by themselves.
func TestWatchReportsNoFalseInversions(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var a, b, gate Lock
	var r RLock
	var v, w RWLock
	ctx := context.Background()
	underA := func(lock func() bool) func() {
		return func() {
			a.Lock()
			assert.True(t, lock())
			b.Unlock()
			a.Unlock()
		}
	}
	for _, tt := range []struct {
		name  string
		calls []func()
	}{
		{"one goroutine", []func(){func() { nested(&a, &b)(); nested(&b, &a)() }}},
		{"a gate", []func(){nested(&gate, &a, &b), nested(&gate, &b, &a)}},
		{"a gate of a reader and a writer", []func(){nested(&w, &a, &b), nested(w.RLocker(), &b, &a)}},
		{"TryLock", []func(){underA(b.TryLock), nested(&b, &a)}},
		{"LockTimeout", []func(){underA(func() bool { return b.LockTimeout(time.Minute) }), nested(&b, &a)}},
		{"LockContext", []func(){underA(func() bool { return b.LockContext(ctx) == nil }), nested(&b, &a)}},
		{"a handoff", []func(){a.Lock, a.Unlock, nested(&a, &b), nested(&b, &a)}},
		{"a handoff while held", []func(){
			func() { a.Lock(); nested(&b)() },
			func() { b.Lock(); a.Unlock(); b.Unlock() },
		}},
		{"an RLock again", []func(){nested(&r, &a, &r), nested(&r, &a)}},
		{"readers in both orders", []func(){nested(v.RLocker(), w.RLocker()), nested(w.RLocker(), v.RLocker())}},
		{"one after the other", []func(){func() { nested(&a)(); nested(&b)() }, nested(&b, &a)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b, gate, r, v, w = Lock{}, Lock{}, Lock{}, RLock{}, RWLock{}, RWLock{}
			assert.Empty(t, inversions(t, tt.calls...))
		})
	}
}

func TestWatchOrderCanBeSilenced(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	a, b, c := new(Lock), new(Lock), new(Lock)
	watch.SilenceOrder(b, a)
	assert.Empty(t, inversions(t, nested(a, b), nested(b, a)))
	watch.SetOrder(false)
	assert.Empty(t, inversions(t, nested(a, c), nested(c, a)))
	watch.SetOrder(true)
	assert.Len(t, inversions(t, nested(a, c), nested(c, a)), 1)
}

// A lock that has been collected takes its edges along: another one at its
// address is another lock.
func TestWatchForgetsCollectedLocks(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	a := new(Lock)
	for range 100 {
		for range 20 {
			require.Empty(t, inversions(t, nested(a, new(Lock))))
		}
		runtime.GC()
		for range 20 {
			require.Empty(t, inversions(t, nested(new(Lock), a)))
		}
		runtime.GC()
	}
}

// Go reuses the goroutine, and its number, of a thread that has ended.
func TestWatchReportsInversionsOfThreadsOneAfterTheOther(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	a, b := new(Lock), new(Lock)
	onThread := func(f func()) func() {
		return func() { require.NoError(t, start(t, func() error { f(); return nil }).Join()) }
	}
	assert.Len(t, inversions(t, onThread(nested(a, b)), onThread(nested(b, a))), 1)
}

// The hook may lock what it likes.
func TestWatchOrderHookMayLock(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	a, b := new(Lock), new(Lock)
	called := 0
	watch.SetOrderHook(func(watch.Inversion) {
		called++
		nested(new(Lock), new(Lock))()
	})
	defer watch.SetOrderHook(nil)
	partyOf(nested(a, b))
	partyOf(nested(b, a))
	assert.Equal(t, 1, called)
}
