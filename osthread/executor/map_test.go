package executor

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func double(n int) (int, error) { return 2 * n, nil }

// counted ranges over 0 to n-1 and counts how many it has yielded.
func counted(n int) (seq iter.Seq[int], yielded *atomic.Int32) {
	yielded = new(atomic.Int32)
	return func(yield func(int) bool) {
		for i := range n {
			yielded.Add(1)
			if !yield(i) {
				return
			}
		}
	}, yielded
}

func TestMapYieldsResultsInOrder(t *testing.T) {
	for _, ahead := range []int{0, 1, 2, 7, 1000} {
		e := newExecutor(t, Options{Threads: 4})
		seq, _ := counted(100)
		next := 0
		for v, err := range Map(e, ahead, seq, double) {
			assert.NoError(t, err)
			assert.Equal(t, 2*next, v)
			next++
		}
		assert.Equal(t, 100, next)
	}
}

func TestMapSubmitsNoFurtherAhead(t *testing.T) {
	e := newExecutor(t, Options{Threads: 2})
	const ahead = 3
	var begun atomic.Int32
	seq, yielded := counted(100)
	results := 0
	for range Map(e, ahead, seq, func(n int) (int, error) { begun.Add(1); return n, nil }) {
		results++
		assert.LessOrEqual(t, int(yielded.Load()), results+ahead)
		assert.LessOrEqual(t, int(begun.Load()), results+ahead)
	}
	assert.Equal(t, 100, results)
	seq, yielded = counted(100)
	for range Map(e, 0, seq, double) {
		assert.EqualValues(t, 100, yielded.Load(), "0: everything at once")
		break
	}
}

func TestMapYieldsErrorsInTheirPlaces(t *testing.T) {
	e := newExecutor(t, Options{})
	var errs []error
	for _, err := range Map(e, 2, slices.Values([]int{0, 1, 2}), func(n int) (int, error) {
		if n == 1 {
			return 0, errTest
		}
		return n, nil
	}) {
		errs = append(errs, err)
	}
	assert.Equal(t, []error{nil, errTest, nil}, errs)
}

func TestMapThatIsLeftCancelsTheRest(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	var g gate
	var ran atomic.Int32
	seq, _ := counted(10)
	for range Map(e, 0, seq, func(n int) (int, error) {
		if n == 1 {
			return g.run()
		}
		ran.Add(1)
		return n, nil
	}) {
		g.begun.Wait()
		break
	}
	assert.Zero(t, e.Queued())
	g.open.Set()
	assert.NoError(t, e.Close())
	assert.EqualValues(t, 1, ran.Load())
}

func TestMapContext(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	ctx, cancel := context.WithCancelCause(t.Context())
	var g gate
	go func() {
		g.begun.Wait()
		cancel(errTest)
	}()
	seq, _ := counted(10)
	var last error
	results := 0
	for _, err := range MapContext(ctx, e, 5, seq, func(n int) (int, error) {
		if n == 1 {
			return g.run()
		}
		return n, nil
	}) {
		results++
		last = err
	}
	assert.LessOrEqual(t, results, 2)
	assert.ErrorIs(t, last, errTest)
	assert.Zero(t, e.Queued())
	g.open.Set()
}

func TestMapWithALittleBacklog(t *testing.T) {
	for _, full := range []FullPolicy{Block, Reject, RunInCaller} {
		for _, backlog := range []int{NoBacklog, 1, 3} {
			e := newExecutor(t, Options{Threads: 2, Backlog: backlog, Full: full})
			seq, _ := counted(100)
			next := 0
			for v, err := range Map(e, 10, seq, double) {
				assert.NoError(t, err)
				assert.Equal(t, 2*next, v)
				next++
			}
			assert.Equal(t, 100, next)
		}
	}
}

func TestMapOnAClosedExecutor(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	seq, _ := counted(10)
	var vs []int
	var errs []error
	for v, err := range Map(e, 2, seq, double) {
		if v == 0 && err == nil {
			_, _ = e.TryShutdown()
		}
		vs, errs = append(vs, v), append(errs, err)
	}
	assert.Equal(t, []int{0, 2, 4, 0}, vs, "what was in is yielded")
	assert.ErrorIs(t, errs[3], ErrShutdown)
	full := newExecutor(t, Options{Threads: 1, Backlog: NoBacklog, Full: Reject})
	leave := fill(t, full, 1)
	for _, err := range Map(full, 2, seq, double) {
		assert.ErrorIs(t, err, ErrFull)
	}
	leave()
}

func TestMapMisuse(t *testing.T) {
	e := newExecutor(t, Options{})
	seq, _ := counted(1)
	assert.ErrorIs(t, panicOf(func() { Map(e, -1, seq, double) }), ErrInvalid)
	// What seq and the loop's body do is theirs.
	assert.ErrorIs(t, panicOf(func() {
		for range Map(e, 1, func(func(int) bool) { panic(errTest) }, double) {
			t.Error("there is nothing")
		}
	}), errTest)
	done := make(chan bool)
	go func() {
		defer close(done)
		for range Map(e, 1, seq, double) {
			runtime.Goexit()
		}
	}()
	<-done
}
