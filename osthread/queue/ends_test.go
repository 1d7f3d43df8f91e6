package queue

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// opened returns a queue whose ends are open and that has the values 0, 1, ...
func opened(t *testing.T, max int) (q *Queue[int], n int) {
	q = New[int](max)
	for n = 0; !q.open; n++ {
		assert.NoError(t, q.TryPut(n))
		if n > 2*calmOps {
			t.Fatal("the ends do not open")
		}
	}
	return q, n
}

func TestQueueWithOpenEndsIsFIFO(t *testing.T) {
	q, n := opened(t, 64)
	for v := n; v < 1000; v++ {
		assert.NoError(t, q.TryPut(v))
		got, err := q.TryGet()
		assert.NoError(t, err)
		assert.Equal(t, v-n, got)
	}
	assert.True(t, q.open)
	assert.Equal(t, n, q.Len())
	assert.Equal(t, 1000, q.Unfinished())
}

func TestQueueWithOpenEndsHasItsBound(t *testing.T) {
	q, n := opened(t, 40)
	for ; q.TryPut(n) == nil; n++ {
	}
	assert.Equal(t, 40, n)
	assert.True(t, q.Full())
	for v := range n {
		got, err := q.TryGet()
		assert.NoError(t, err)
		assert.Equal(t, v, got)
	}
	_, err := q.TryGet()
	assert.ErrorIs(t, err, ErrEmpty)
}

func TestQueueWithOpenEndsCountsTasks(t *testing.T) {
	q, n := opened(t, 64)
	q.TaskDone() // before its Get
	for v := 1; v < n; v++ {
		_, _ = q.TryGet()
		assert.False(t, q.TryJoin())
		q.TaskDone()
	}
	assert.True(t, q.TryJoin())
	assert.Panics(t, q.TaskDone)
}

func TestQueueWithOpenEndsShutsDown(t *testing.T) {
	q, n := opened(t, 64)
	values := q.ShutdownNow()
	assert.Len(t, values, n)
	assert.ErrorIs(t, q.Put(1), ErrShutdown)
	_, err := q.Get()
	assert.ErrorIs(t, err, ErrShutdown)
	assert.Zero(t, q.Unfinished())
}

// Ends that open and close all the time, by batches, counts and short waits,
// lose nothing and keep the order of each producer.
func TestQueueEndsThatOpenAndCloseLoseNothing(t *testing.T) {
	const producers, each = 3, 20000
	q := New[[2]int](32)
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for v := range each {
				if v%100 == 99 {
					_, _ = q.PutAll([][2]int{{p, v}})
					continue
				}
				_ = q.Put([2]int{p, v})
			}
		})
	}
	var got [producers]int
	for i := range producers * each {
		v, err := q.Get()
		assert.NoError(t, err)
		if got[v[0]] != v[1] {
			t.Fatalf("producer %d: got %d, want %d", v[0], v[1], got[v[0]])
		}
		got[v[0]]++
		q.TaskDone()
		if i%500 == 0 {
			_ = q.Len()
			_, _ = q.GetOp().Result()
		}
	}
	all.Wait()
	q.Join()
	assert.Zero(t, q.Len())
}
