package queue

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/internal/wait"
	"example.com/thread/osthread"
)

func TestGetOpTakesForWaitAny(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](1)
		var stop osthread.Event
		op := q.GetOp()
		_, err := op.Result()
		assert.Equal(t, ErrEmpty, err)

		require.NoError(t, q.Put(1)) // available at once, with a waiting putter
		g.Run(func() { assert.NoError(t, q.Put(2)) })
		testutil.AwaitLen(q.mu(), &q.putters, 1)
		assert.Equal(t, 1, osthread.WaitAny(&stop, op))
		v, err := op.Result()
		assert.NoError(t, err)
		assert.Equal(t, 1, v)
		assert.Equal(t, 1, q.Len(), "the value of the putter")
		assert.Equal(t, 1, osthread.WaitAny(&stop, op))
		v, _ = op.Result()
		assert.Equal(t, 2, v)

		ended := make(chan struct{})
		g.Run(func() { // handed off to a sleeping waiter
			assert.Equal(t, 1, osthread.WaitAny(&stop, op))
			v, err := op.Result()
			assert.NoError(t, err)
			assert.Equal(t, 3, v)
			close(ended)
		})
		testutil.AwaitLen(q.mu(), &q.getters, 1)
		require.NoError(t, q.Put(3))
		<-ended
		assert.Equal(t, 3, q.Unfinished())

		assert.Equal(t, -1, osthread.WaitAnyTimeout(time.Millisecond, &stop, op))
		stop.Set()
		assert.Equal(t, 0, osthread.WaitAny(&stop, op))
		require.NoError(t, q.Put(4))
		assert.Equal(t, 0, osthread.WaitAny(&stop, op))
		assert.Equal(t, 1, q.Len(), "a wait takes nothing from the other objects")
		_, err = op.Result()
		assert.Equal(t, ErrEmpty, err)
	})
}

func TestGetOpReturnsErrShutdown(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](0)
		g.Run(func() {
			op := q.GetOp()
			assert.Equal(t, 0, osthread.WaitAny(op))
			_, err := op.Result()
			assert.Equal(t, ErrShutdown, err)
		})
		testutil.AwaitLen(q.mu(), &q.getters, 1)
		q.Shutdown()
		op := q.GetOp()
		assert.Equal(t, 0, osthread.TryWaitAny(op))
		_, err := op.Result()
		assert.Equal(t, ErrShutdown, err)
	})
}

func TestGetOpTakesAllOrNothingForWaitAll(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		a, b := New[int](0), New[int](0)
		first, second, other := a.GetOp(), a.GetOp(), b.GetOp()
		require.NoError(t, a.Put(1))
		assert.False(t, osthread.TryWaitAll(first, second, other))
		assert.Equal(t, 1, a.Len())
		_, err := first.Result()
		assert.Equal(t, ErrEmpty, err)
		ended := make(chan struct{})
		g.Run(func() {
			osthread.WaitAll(first, second, other)
			close(ended)
		})
		testutil.AwaitLen(a.mu(), &a.getters, 1)
		require.NoError(t, a.Put(2)) // notifies the waiter, which then waits for b
		testutil.AwaitLen(b.mu(), &b.getters, 1)
		assert.Equal(t, 2, a.Len())
		require.NoError(t, b.Put(3))
		<-ended
		for i, op := range []*GetOp[int]{first, second, other} {
			v, err := op.Result()
			assert.NoError(t, err)
			assert.Equal(t, i+1, v)
		}
		assert.True(t, a.Empty() && b.Empty())
	})
}

func TestGetOpHasOneResultPerWait(t *testing.T) {
	callers(t, func(t *testing.T, g *testutil.Group) {
		q := New[int](1)
		op := q.GetOp()
		results := func() (vs []int) {
			for v, err := op.Result(); err != ErrEmpty; v, err = op.Result() {
				assert.NoError(t, err)
				vs = append(vs, v)
			}
			return vs
		}
		require.NoError(t, q.Put(1))
		assert.Equal(t, 0, osthread.WaitAny(op, op))
		require.NoError(t, q.Put(2))
		assert.Equal(t, 0, osthread.WaitAny(op))
		assert.Equal(t, []int{1, 2}, results(), "one result for each wait")

		ended := make(chan struct{})
		g.Run(func() {
			osthread.WaitAny(op, op)
			close(ended)
		})
		testutil.AwaitLen(q.mu(), &q.getters, 2)
		require.NoError(t, q.Put(3))
		<-ended
		assert.Equal(t, []int{3}, results())

		// Two values at once of a queue for one: the value of a waiting putter
		// counts.
		ended = make(chan struct{})
		g.Run(func() {
			osthread.WaitAll(op, op)
			close(ended)
		})
		testutil.AwaitLen(q.mu(), &q.getters, 1)
		require.NoError(t, q.Put(4))
		g.Run(func() { assert.NoError(t, q.Put(5)) })
		<-ended
		assert.Equal(t, []int{4, 5}, results())
		assert.True(t, q.Empty())
	})
}

// WaitAll holds the guards of both queues when cmp panics, and must unlock each
// exactly once.
func TestGetOpRepeatsCmpPanicOfWaitAll(t *testing.T) {
	bad := errors.New("not comparable")
	make := func() *Queue[int] {
		return NewPriority(0, func(a, b int) int {
			if a < 0 && b < 0 {
				panic(bad)
			}
			return cmp.Compare(a, b)
		})
	}
	a, b := make(), make()
	for _, q := range []*Queue[int]{a, b} {
		_, err := q.PutAll([]int{-1, 1, 1})
		require.NoError(t, err)
		q.store.heap[1].v, q.store.heap[2].v = -1, -1 // Put would panic over these
	}
	callers(t, func(t *testing.T, g *testutil.Group) {
		for range 4 {
			g.Run(func() {
				for range 300 {
					op, h := a.GetOp(), b.GetOp()
					if !assert.True(t, osthread.TryWaitAll(op, h)) {
						return
					}
					assert.PanicsWithValue(t, bad, func() { _, _ = op.Result() })
					assert.PanicsWithValue(t, bad, func() { _, _ = h.Result() })
				}
			})
		}
	})
	assert.Equal(t, 3, a.Len())
}

func TestGetOpRepeatsCmpPanicOfWaitAny(t *testing.T) {
	bad := errors.New("not comparable")
	broken := false
	q := NewPriority(0, func(a, b int) int {
		if broken {
			panic(bad)
		}
		return cmp.Compare(a, b)
	})
	_, err := q.PutAll([]int{3, 2, 1})
	require.NoError(t, err)
	broken = true
	op := q.GetOp()
	assert.Equal(t, 0, osthread.WaitAny(op))
	assert.PanicsWithValue(t, bad, func() { _, _ = op.Result() })
	broken = false
	assert.Equal(t, []int{1, 2, 3}, drained(t, q))
}

// A during is an object that there is always something to take from, and that
// calls a function when WaitAll asks.
type during struct {
	queue wait.ObjectQueue
	call  func()
}

func (d *during) WaitSource() wait.Source  { return d }
func (d *during) Queue() *wait.ObjectQueue { return &d.queue }
func (d *during) Ready() bool              { d.call(); return true }
func (d *during) Take()                    {}
func (d *during) Untake()                  {}

// WaitAll has counted the value of a putter; the putter's context is done
// before the value is stored.
func TestGetOpTakesWhatWaitAllHasCounted(t *testing.T) {
	for kind, q := range map[string]*Queue[int]{
		"FIFO": New[int](1), "LIFO": NewLIFO[int](1), "priority": NewPriority(1, cmp.Compare[int]),
	} {
		t.Run(kind, func(t *testing.T) {
			callers(t, func(t *testing.T, g *testutil.Group) {
				require.NoError(t, q.Put(1))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				g.Run(func() { assert.NoError(t, q.PutContext(ctx, 2)) })
				testutil.AwaitLen(q.mu(), &q.putters, 1)
				op := q.GetOp()
				osthread.WaitAll(op, op, &during{call: cancel})
				for want := 1; want <= 2; want++ {
					v, err := op.Result()
					assert.NoError(t, err)
					assert.Equal(t, want, v)
				}
				g.Wait()
				assert.Zero(t, q.Len())
				assert.Equal(t, 2, q.Unfinished())
				q.TaskDone()
				q.TaskDone()
			})
		})
	}
}
