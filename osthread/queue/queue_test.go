package queue

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

func drained[T any](t *testing.T, q *Queue[T]) (vs []T) {
	t.Helper()
	for !q.Empty() {
		v, err := q.TryGet()
		require.NoError(t, err)
		vs = append(vs, v)
	}
	return vs
}

func TestQueueIsFIFO(t *testing.T) {
	q := New[int](0)
	for i := range 3000 { // beyond the buffer that does not shrink, and around the ring
		require.NoError(t, q.Put(i))
		if i%3 == 2 {
			v, err := q.Get()
			require.NoError(t, err)
			require.Equal(t, i/3, v)
		}
	}
	for i, v := range drained(t, q) {
		require.Equal(t, 1000+i, v)
	}
	assert.Len(t, q.store.buf, keepBuf)
}

func TestLIFOReturnsLastValueFirst(t *testing.T) {
	q := NewLIFO[int](3)
	_, err := q.PutAll([]int{1, 2, 3})
	require.NoError(t, err)
	assert.ErrorIs(t, q.TryPut(4), ErrFull)
	assert.Equal(t, []int{3, 2, 1}, drained(t, q))
}

func TestPriorityIsStable(t *testing.T) {
	type job struct{ priority, number int }
	q := NewPriority(0, func(a, b job) int { return cmp.Compare(a.priority, b.priority) })
	const n = 5000
	for i := range n {
		require.NoError(t, q.Put(job{(i * 7919) % 13, i}))
	}
	last := job{-1, -1}
	for _, j := range drained(t, q) {
		require.True(
			t,
			last.priority < j.priority || last.priority == j.priority && last.number < j.number,
			"%v after %v",
			j,
			last,
		)
		last = j
	}
	assert.Panics(t, func() { NewPriority[int](0, nil) })
}

// Unlike in CPython, which keeps the value whose comparison failed, uncounted.
func TestPriorityIsUnchangedByCmpPanic(t *testing.T) {
	bad := errors.New("not comparable")
	q := NewPriority(3, func(a, b int) int {
		if a < 0 || b < 0 {
			panic(bad)
		}
		return cmp.Compare(a, b)
	})
	require.NoError(t, q.Put(5))
	assert.PanicsWithValue(t, bad, func() { _ = q.Put(-1) })
	n, err := q.TryPutAll([]int{6, -1})
	assert.Equal(t, 1, n)
	var p *osthread.PanicError
	assert.ErrorAs(t, err, &p)
	assert.Equal(t, bad, p.Value)
	assert.Equal(t, 2, q.Len())
	assert.Equal(t, 2, q.Unfinished())
	require.NoError(t, q.Put(7))

	// If cmp panics over the value of a waiting putter, that Put panics and the
	// next putter's value is stored.
	ended := make(chan any)
	go func() {
		defer func() { ended <- recover() }()
		_ = q.Put(-1)
	}()
	testutil.AwaitLen(q.mu(), &q.putters, 1)
	go func() { ended <- q.Put(8) }()
	testutil.AwaitLen(q.mu(), &q.putters, 2)
	v, err := q.Get()
	assert.NoError(t, err)
	assert.Equal(t, 5, v)
	assert.ElementsMatch(t, []any{bad, nil}, []any{<-ended, <-ended})
	assert.Equal(t, 4, q.Unfinished())
	assert.Equal(t, []int{6, 7, 8}, q.ShutdownNow())
}

func TestPriorityBatchStopsAtCmpPanic(t *testing.T) {
	bad := errors.New("not comparable")
	left := math.MaxInt // comparisons
	q := NewPriority(0, func(a, b int) int {
		if left--; left < 0 {
			panic(bad)
		}
		return cmp.Compare(a, b)
	})
	n, err := q.PutAll([]int{1, 2, 3, 4, 5, 6, 7})
	require.NoError(t, err)
	require.Equal(t, 7, n)
	left = 8
	got := q.Drain()
	assert.NotEmpty(t, got)
	assert.Equal(t, 7-len(got), q.Len(), "the other values remain")
	assert.PanicsWithValue(t, bad, func() { q.Drain() })
	n, err = q.PutAll([]int{0})
	assert.Zero(t, n)
	assert.ErrorIs(t, err, bad)
	rest := q.ShutdownNow()
	assert.ElementsMatch(t, []int{1, 2, 3, 4, 5, 6, 7}, append(got, rest...))
}

// The value of a waiting Put is compared by the Get that makes room.
func TestPriorityPutAllReturnsCmpPanicOverWaitingValue(t *testing.T) {
	bad := errors.New("not comparable")
	q := NewPriority(2, func(a, b int) int {
		if a < 0 || b < 0 {
			panic(bad)
		}
		return cmp.Compare(a, b)
	})
	type result struct {
		n   int
		err error
	}
	put := make(chan result)
	go func() {
		n, err := q.PutAll([]int{1, 2, -1, 3})
		put <- result{n, err}
	}()
	testutil.AwaitLen(q.mu(), &q.putters, 1)
	v, err := q.Get()
	assert.NoError(t, err)
	assert.Equal(t, 1, v)
	r := <-put
	assert.Equal(t, 2, r.n)
	assert.ErrorIs(t, r.err, bad)
	assert.Equal(t, 1, q.Len())
}

func TestQueueTasksCallsTaskDone(t *testing.T) {
	q := New[int](0)
	_, err := q.PutAll([]int{1, 2, 3, 4, 5})
	require.NoError(t, err)
	for v := range q.Tasks() {
		assert.Equal(t, 6-v, q.Unfinished(), "not before the body has returned")
		if v == 2 {
			break
		}
	}
	assert.Equal(t, 3, q.Unfinished())
	assert.Panics(t, func() {
		for range q.Tasks() {
			panic("oh")
		}
	})
	assert.Equal(t, 2, q.Unfinished())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range q.Tasks() {
			runtime.Goexit()
		}
	}()
	<-ended
	assert.Equal(t, 1, q.Unfinished())
	q.Shutdown()
	for v := range q.Tasks() {
		assert.Equal(t, 5, v)
	}
	assert.True(t, q.TryJoin())
}

func TestGetOpZeroValuePanicsInWait(t *testing.T) {
	g := new(GetOp[int])
	assert.Panics(t, func() { osthread.TryWaitAny(g) })
	assert.Panics(t, func() { osthread.TryWaitAll(g, new(osthread.Event)) })
	_, err := g.Result()
	assert.Equal(t, ErrEmpty, err)
}

// TaskDone may be called before Get, so ShutdownNow may return values that are
// done.
func TestQueueShutdownNowOfDoneValues(t *testing.T) {
	var q Queue[int]
	_, err := q.PutAll([]int{1, 2})
	require.NoError(t, err)
	q.TaskDone()
	q.TaskDone()
	assert.Equal(t, []int{1, 2}, q.ShutdownNow())
	assert.Zero(t, q.Unfinished())
	assert.True(t, q.TryJoin())
	assert.Panics(t, q.TaskDone)
}

func TestQueueCapIsBound(t *testing.T) {
	for _, max := range []int{0, -1, math.MinInt} {
		q := New[int](max)
		assert.Zero(t, q.Cap())
		for range 100 {
			require.NoError(t, q.TryPut(1))
		}
		assert.False(t, q.Full())
		assert.Equal(t, 100, q.Len())
	}
	q := New[int](2)
	assert.Equal(t, 2, q.Cap())
	assert.True(t, q.Empty())
	require.NoError(t, q.Put(1))
	assert.False(t, q.Empty() || q.Full())
	require.NoError(t, q.Put(2))
	assert.True(t, q.Full())
	var zero Queue[string]
	require.NoError(t, zero.Put("the zero value works"))
}

func TestQueuePutTimesOut(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		g.Run(func() {
			q := New[int](1)
			assert.NoError(t, q.Put(1))
			assert.Equal(t, ErrFull, q.TryPut(2))
			assert.Equal(t, ErrFull, q.PutTimeout(2, 0))
			assert.Equal(t, ErrFull, q.PutTimeout(2, -time.Hour))
			start := time.Now()
			assert.Equal(t, ErrFull, q.PutTimeout(2, 2*time.Millisecond))
			assert.GreaterOrEqual(t, time.Since(start), 2*time.Millisecond)
			why := errors.New("why")
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(why)
			assert.Equal(t, why, q.PutContext(ctx, 2))
			ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
			defer stop()
			assert.Equal(t, context.DeadlineExceeded, q.PutContext(ctx, 2))
			assert.Equal(t, 1, q.Len())
			assert.Equal(t, 1, q.Unfinished())
			assert.Zero(t, q.putters.Len())
		})
	})
}

func TestQueueGetTimesOut(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		g.Run(func() {
			var q Queue[int]
			_, err := q.TryGet()
			assert.Equal(t, ErrEmpty, err)
			_, err = q.GetTimeout(-1)
			assert.Equal(t, ErrEmpty, err)
			start := time.Now()
			_, err = q.GetTimeout(2 * time.Millisecond)
			assert.Equal(t, ErrEmpty, err)
			assert.GreaterOrEqual(t, time.Since(start), 2*time.Millisecond)
			ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
			defer stop()
			_, err = q.GetContext(ctx)
			assert.Equal(t, context.DeadlineExceeded, err)
			assert.NoError(t, q.Put(1))
			_, err = q.GetContext(ctx) // ctx is done, so the value stays
			assert.Equal(t, context.DeadlineExceeded, err)
			v, err := q.GetTimeout(math.MaxInt64)
			assert.NoError(t, err)
			assert.Equal(t, 1, v)
			assert.Zero(t, q.getters.Len())
		})
	})
}

func TestQueueServesWaitersInOrder(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](1)
		got := make([]chan int, 4)
		for i := range got {
			got[i] = make(chan int, 1)
			g.Run(func() {
				v, err := q.Get()
				assert.NoError(t, err)
				got[i] <- v
			})
			testutil.AwaitLen(q.mu(), &q.getters, i+1)
		}
		n, err := q.TryPutAll([]int{0, 1, 2, 3, 4, 5})
		assert.Equal(t, ErrFull, err)
		assert.Equal(t, 5, n, "four to waiters and one to the store")
		for i := range got {
			assert.Equal(t, i, <-got[i])
		}
		for i := range 3 {
			g.Run(func() { assert.NoError(t, q.Put(10+i)) })
			testutil.AwaitLen(q.mu(), &q.putters, i+1)
		}
		assert.Equal(t, []int{4, 10, 11, 12}, drained(t, q))
	})
}

func TestQueueJoinWaitsForTaskDone(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var q Queue[int]
		q.Join() // no values
		assert.True(t, q.TryJoin())
		_, err := q.PutAll([]int{1, 2})
		require.NoError(t, err)
		assert.False(t, q.TryJoin())
		assert.False(t, q.JoinTimeout(time.Millisecond))
		ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		assert.Equal(t, context.DeadlineExceeded, q.JoinContext(ctx))
		joined := make(chan struct{}, 3)
		for range 3 {
			g.Run(func() { q.Join(); joined <- struct{}{} })
		}
		testutil.AwaitLen(q.mu(), &q.joiners, 3)
		q.TaskDone() // before Get, as in Python
		assert.Empty(t, joined)
		q.TaskDone()
		for range 3 {
			<-joined
		}
		assert.True(t, q.JoinTimeout(time.Hour))
		assert.NoError(t, q.JoinContext(context.Background()))
	})
}

func TestQueueTaskDoneTooOftenPanics(t *testing.T) {
	var q Queue[int]
	require.NoError(t, q.Put(1))
	q.TaskDone()
	defer func() {
		assert.ErrorIs(t, recover().(error), ErrTooManyDone)
		require.NoError(t, q.Put(2)) // the queue remains usable
		q.TaskDone()
	}()
	q.TaskDone()
}

func TestQueueShutdownKeepsValues(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](2)
		_, err := q.PutAll([]int{1, 2})
		require.NoError(t, err)
		g.Run(func() { assert.Equal(t, ErrShutdown, q.Put(3)) })
		testutil.AwaitLen(q.mu(), &q.putters, 1)
		q.Shutdown()
		q.Shutdown()
		assert.True(t, q.IsShutdown())
		assert.Equal(t, ErrShutdown, q.Put(4))
		assert.Equal(t, ErrShutdown, q.TryPut(4))
		n, err := q.PutAll([]int{4})
		assert.Equal(t, ErrShutdown, err)
		assert.Zero(t, n)
		var got []int
		for v := range q.All() {
			got = append(got, v)
			q.TaskDone()
		}
		assert.Equal(t, []int{1, 2}, got)
		_, err = q.Get()
		assert.Equal(t, ErrShutdown, err)
		_, err = q.TryGet()
		assert.Equal(t, ErrShutdown, err)
		q.Join()
	})
}

func TestQueueShutdownWakesGetters(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var q Queue[int]
		for i := range 3 {
			g.Run(func() {
				_, err := q.Get()
				assert.Equal(t, ErrShutdown, err)
			})
			testutil.AwaitLen(q.mu(), &q.getters, i+1)
		}
		q.Shutdown()
	})
}

func TestQueueShutdownNowReturnsValues(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](3)
		_, err := q.PutAll([]int{1, 2, 3})
		require.NoError(t, err)
		v, err := q.Get() // taken, not done
		require.NoError(t, err)
		assert.Equal(t, 1, v)
		g.Run(q.Join)
		testutil.AwaitLen(q.mu(), &q.joiners, 1)
		assert.Equal(t, []int{2, 3}, q.ShutdownNow())
		assert.Nil(t, q.ShutdownNow())
		_, err = q.Get()
		assert.Equal(t, ErrShutdown, err)
		assert.Equal(t, 1, q.Unfinished(), "the value that was taken")
		assert.False(t, q.TryJoin())
		q.TaskDone()
		q.Join()
		assert.Panics(t, q.TaskDone)
	})
}

func TestQueueShutdownNowAfterShutdown(t *testing.T) {
	q := NewPriority(0, cmp.Compare[int])
	_, err := q.PutAll([]int{3, 1, 2})
	require.NoError(t, err)
	q.Shutdown()
	assert.Equal(t, []int{1, 2, 3}, q.ShutdownNow())
	q.Join()
}

func TestQueueBatches(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](4)
		n, err := q.PutAllTimeout([]int{0, 1, 2, 3, 4, 5}, time.Millisecond)
		assert.Equal(t, ErrFull, err)
		assert.Equal(t, 4, n)
		g.Run(func() {
			n, err := q.PutAllContext(context.Background(), []int{4, 5, 6, 7})
			assert.NoError(t, err)
			assert.Equal(t, 4, n)
		})
		testutil.AwaitLen(q.mu(), &q.putters, 1)
		var got []int
		buf := make([]int, 3)
		for len(got) < 8 {
			n, err := q.GetN(buf)
			require.NoError(t, err)
			got = append(got, buf[:n]...)
		}
		assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, got)

		n, err = q.GetN(nil)
		assert.NoError(t, err)
		assert.Zero(t, n)
		_, err = q.TryGetN(buf)
		assert.Equal(t, ErrEmpty, err)
		_, err = q.GetNTimeout(buf, time.Millisecond)
		assert.Equal(t, ErrEmpty, err)
		ctx, stop := context.WithCancel(context.Background())
		stop()
		_, err = q.GetNContext(ctx, buf)
		assert.Equal(t, context.Canceled, err)
		_, err = q.PutAllContext(ctx, buf)
		assert.Equal(t, context.Canceled, err)
		assert.Empty(t, q.Drain())
		_, err = q.PutAll([]int{8, 9})
		require.NoError(t, err)
		assert.Equal(t, []int{8, 9}, q.Drain())
		assert.Equal(t, 10, q.Unfinished())
	})
}

func TestSimpleIsFIFO(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		var s Simple[int]
		assert.True(t, s.Empty())
		_, err := s.TryGet()
		assert.Equal(t, ErrEmpty, err)
		_, err = s.GetTimeout(time.Millisecond)
		assert.Equal(t, ErrEmpty, err)
		g.Run(func() { assert.Equal(t, 1, s.Get()) })
		testutil.AwaitLen(s.q.mu(), &s.q.getters, 1)
		s.Put(1)
		s.Put(2)
		s.Put(3)
		assert.Equal(t, 2, s.Len())
		v, err := s.GetContext(context.Background())
		assert.NoError(t, err)
		assert.Equal(t, 2, v)
		for v := range s.All() {
			assert.Equal(t, 3, v)
			break
		}
	})
}

func TestQueueIsObjectOfTraceEvents(t *testing.T) {
	q := New[int](1)
	var events []osthread.Action
	th, err := osthread.Go(func() error {
		me := osthread.Current()
		me.SetTrace(func(e osthread.TraceEvent) {
			if e.Object == any(q) {
				events = append(events, e.Action)
			}
		})
		defer me.SetTrace(nil)
		_, err := q.Get()
		return err
	})
	require.NoError(t, err)
	testutil.AwaitLen(q.mu(), &q.getters, 1)
	require.NoError(t, q.Put(1))
	require.NoError(t, th.Join())
	assert.Equal(t, []osthread.Action{osthread.TraceBlock, osthread.TraceResume}, events)
}

// As with a channel and select, a value that is put after the cancel is not
// taken.
func TestQueueDoneContextTakesAndPutsNothing(t *testing.T) {
	for range 200 {
		q := New[int](1)
		ctx, cancel := context.WithCancel(context.Background())
		got := make(chan error)
		go func() {
			_, err := q.GetContext(ctx)
			got <- err
		}()
		testutil.AwaitLen(q.mu(), &q.getters, 1)
		cancel()
		require.NoError(t, q.Put(1))
		require.ErrorIs(t, <-got, context.Canceled)
		require.Equal(t, 1, q.Len())

		ctx, cancel = context.WithCancel(context.Background())
		put := make(chan error)
		go func() { put <- q.PutContext(ctx, 2) }()
		testutil.AwaitLen(q.mu(), &q.putters, 1)
		cancel()
		v, err := q.Get()
		require.NoError(t, err)
		require.Equal(t, 1, v)
		require.ErrorIs(t, <-put, context.Canceled)
		require.True(t, q.Empty())
	}
}

func TestGetOpResultDoesNotKeepValue(t *testing.T) {
	q := New[*int](0)
	g := q.GetOp()
	require.NoError(t, q.Put(new(int)))
	require.Equal(t, 0, osthread.WaitAny(g))
	first := &g.source.results[0]
	require.NotNil(t, first.v)
	_, err := g.Result()
	require.NoError(t, err)
	require.Nil(t, first.v)
}
