package queue

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

var address = regexp.MustCompile(`0x[0-9a-f]+`)

func TestQueueStringShowsState(t *testing.T) {
	full := New[int](2)
	assert.NoError(t, full.Put(1))
	down := NewLIFO[int](0)
	down.Shutdown()
	for _, row := range []struct {
		v    any
		want string
	}{
		{new(Queue[string]), "FIFO queue(ADDRESS, 0 values)"},
		{full, "FIFO queue(ADDRESS, 1 of 2 values)"},
		{down, "LIFO queue(ADDRESS, 0 values, shut down)"},
		{NewPriority(0, cmp.Compare[int]), "priority queue(ADDRESS, 0 values)"},
		{new(Simple[int]), "FIFO queue(ADDRESS, 0 values)"},
		{full.GetOp(), "GetOp of FIFO queue(ADDRESS, 1 of 2 values)"},
		{new(GetOp[int]), "GetOp without a queue"},
	} {
		for _, verb := range []string{"%v", "%+v"} {
			assert.Equal(t, row.want, address.ReplaceAllString(fmt.Sprintf(verb, row.v), "ADDRESS"))
		}
	}
}

func TestQueueWaitingCountsGettersAndPutters(t *testing.T) {
	q := New[int](1)
	got := make(chan error)
	get := func() { _, err := q.Get(); got <- err }
	put := func() { got <- q.Put(1) }
	until := func(getters, putters int) {
		testutil.Await(func() bool { g, p := q.Waiting(); return g == getters && p == putters })
	}
	go get()
	go get()
	until(2, 0)
	assert.Contains(t, q.String(), "0 of 1 values, 2 waiting to get)")
	put2 := func() { go put(); go put() }
	put2()
	for range 4 {
		assert.NoError(t, <-got)
	}
	until(0, 0)
	put2()
	assert.NoError(t, <-got)
	until(0, 1)
	assert.Contains(t, q.String(), "1 of 1 values, 1 waiting to put)")
	q.Shutdown()
	assert.Equal(t, ErrShutdown, <-got)
}

func TestQueueStringInCmp(t *testing.T) {
	var q *Queue[int]
	q = NewPriority(0, func(a, b int) int {
		assert.Contains(t, q.String(), "in use")
		return a - b
	})
	assert.NoError(t, q.Put(1))
	assert.NoError(t, q.Put(2))
}

// For the race detector.
func TestQueueStringDuringUse(t *testing.T) {
	q, p := New[int](1), NewPriority(1, cmp.Compare[int])
	op := q.GetOp()
	osthread.SetTraceAll(func(e osthread.TraceEvent) { fmt.Fprintf(io.Discard, "%v", e) })
	defer osthread.SetTraceAll(nil)
	var stop atomic.Bool
	printer, err := osthread.Go(func() error {
		for !stop.Load() {
			fmt.Fprintf(io.Discard, "%v %+v %v", q, p, op)
		}
		return nil
	})
	assert.NoError(t, err)
	putter, err := osthread.Go(func() error {
		for i := range 500 {
			assert.NoError(t, q.Put(i))
			assert.NoError(t, p.Put(i))
		}
		return nil
	})
	assert.NoError(t, err)
	for range 500 {
		osthread.WaitAny(op)
		_, err := op.Result()
		assert.NoError(t, err)
		_, err = p.Get()
		assert.NoError(t, err)
	}
	assert.NoError(t, putter.Join())
	stop.Store(true)
	assert.NoError(t, printer.Join())
}

// The race detector sees whether what String reads without the lock is written.
func TestStringBesideShutdownNow(t *testing.T) {
	for _, q := range []*Queue[int]{New[int](2), NewLIFO[int](2), NewPriority(2, cmp.Compare[int])} {
		done := make(chan struct{})
		go func() { defer close(done); q.ShutdownNow() }()
		_ = q.String()
		_, err := q.PutAll([]int{1})
		assert.True(t, err == nil || errors.Is(err, ErrShutdown), err)
		<-done
	}
}
