package queue

import (
	"cmp"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

func TestWaitAnyTakesFromAQueue(t *testing.T) {
	callers(t, func(t *testing.T, spawn func(func())) {
		q := New[int](1)
		var stop osthread.Event
		g := q.GetOp()
		_, err := g.Result()
		assert.Equal(t, ErrEmpty, err)

		require.NoError(t, q.Put(1)) // there at once, and a putter waits
		spawn(func() { assert.NoError(t, q.Put(2)) })
		awaitWaiting(q, &q.putters, 1)
		assert.Equal(t, 1, osthread.WaitAny(&stop, g))
		v, err := g.Result()
		assert.NoError(t, err)
		assert.Equal(t, 1, v)
		assert.Equal(t, 1, q.Len(), "the putter's")
		assert.Equal(t, 1, osthread.WaitAny(&stop, g))
		v, _ = g.Result()
		assert.Equal(t, 2, v)

		ended := make(chan struct{})
		spawn(func() { // given to one who sleeps
			assert.Equal(t, 1, osthread.WaitAny(&stop, g))
			v, err := g.Result()
			assert.NoError(t, err)
			assert.Equal(t, 3, v)
			close(ended)
		})
		awaitWaiting(q, &q.getters, 1)
		require.NoError(t, q.Put(3))
		<-ended
		assert.Equal(t, 3, q.Unfinished())

		assert.Equal(t, -1, osthread.WaitAnyTimeout(time.Millisecond, &stop, g))
		stop.Set()
		assert.Equal(t, 0, osthread.WaitAny(&stop, g))
		require.NoError(t, q.Put(4))
		assert.Equal(t, 0, osthread.WaitAny(&stop, g))
		assert.Equal(t, 1, q.Len(), "nothing is taken from the others")
		_, err = g.Result()
		assert.Equal(t, ErrEmpty, err)
	})
}

func TestWaitAnyHearsOfShutdown(t *testing.T) {
	callers(t, func(t *testing.T, spawn func(func())) {
		q := New[int](0)
		spawn(func() {
			g := q.GetOp()
			assert.Equal(t, 0, osthread.WaitAny(g))
			_, err := g.Result()
			assert.Equal(t, ErrShutdown, err)
		})
		awaitWaiting(q, &q.getters, 1)
		q.Shutdown()
		g := q.GetOp()
		assert.Equal(t, 0, osthread.TryWaitAny(g))
		_, err := g.Result()
		assert.Equal(t, ErrShutdown, err)
	})
}

func TestWaitAllTakesFromQueuesOrFromNone(t *testing.T) {
	callers(t, func(t *testing.T, spawn func(func())) {
		a, b := New[int](0), New[int](0)
		first, second, other := a.GetOp(), a.GetOp(), b.GetOp()
		require.NoError(t, a.Put(1))
		assert.False(t, osthread.TryWaitAll(first, second, other))
		assert.Equal(t, 1, a.Len())
		_, err := first.Result()
		assert.Equal(t, ErrEmpty, err)
		ended := make(chan struct{})
		spawn(func() {
			osthread.WaitAll(first, second, other)
			close(ended)
		})
		awaitWaiting(a, &a.getters, 1)
		require.NoError(t, a.Put(2)) // tells the waiter, who then waits for b
		awaitWaiting(b, &b.getters, 1)
		assert.Equal(t, 2, a.Len())
		require.NoError(t, b.Put(3))
		<-ended
		for i, g := range []*GetOp[int]{first, second, other} {
			v, err := g.Result()
			assert.NoError(t, err)
			assert.Equal(t, i+1, v)
		}
		assert.True(t, a.Empty() && b.Empty())
	})
}

func TestGetOpsOfTheSameQueue(t *testing.T) {
	callers(t, func(t *testing.T, spawn func(func())) {
		q := New[int](1)
		g := q.GetOp()
		results := func() (vs []int) {
			for v, err := g.Result(); err != ErrEmpty; v, err = g.Result() {
				assert.NoError(t, err)
				vs = append(vs, v)
			}
			return vs
		}
		require.NoError(t, q.Put(1))
		assert.Equal(t, 0, osthread.WaitAny(g, g))
		require.NoError(t, q.Put(2))
		assert.Equal(t, 0, osthread.WaitAny(g))
		assert.Equal(t, []int{1, 2}, results(), "one for each wait")

		ended := make(chan struct{})
		spawn(func() {
			osthread.WaitAny(g, g)
			close(ended)
		})
		awaitWaiting(q, &q.getters, 2)
		require.NoError(t, q.Put(3))
		<-ended
		assert.Equal(t, []int{3}, results())

		// Both at once of a queue for one: what a putter waits with counts.
		ended = make(chan struct{})
		spawn(func() {
			osthread.WaitAll(g, g)
			close(ended)
		})
		awaitWaiting(q, &q.getters, 1)
		require.NoError(t, q.Put(4))
		spawn(func() { assert.NoError(t, q.Put(5)) })
		<-ended
		assert.Equal(t, []int{4, 5}, results())
		assert.True(t, q.Empty())
	})
}

// With other guards closed a panic of cmp must not open this one.
func TestWaitAllWhoseCmpPanics(t *testing.T) {
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
		q.store.heap[1].v, q.store.heap[2].v = -1, -1 // which Put would refuse
	}
	callers(t, func(t *testing.T, spawn func(func())) {
		for range 4 {
			spawn(func() {
				for range 300 {
					g, h := a.GetOp(), b.GetOp()
					if !assert.True(t, osthread.TryWaitAll(g, h)) {
						return
					}
					assert.PanicsWithValue(t, bad, func() { _, _ = g.Result() })
					assert.PanicsWithValue(t, bad, func() { _, _ = h.Result() })
				}
			})
		}
	})
	assert.Equal(t, 3, a.Len())
}

func TestGetOpWhoseCmpPanics(t *testing.T) {
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
	g := q.GetOp()
	assert.Equal(t, 0, osthread.WaitAny(g))
	assert.PanicsWithValue(t, bad, func() { _, _ = g.Result() })
	broken = false
	assert.Equal(t, []int{1, 2, 3}, drained(t, q))
}
