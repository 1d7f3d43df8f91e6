package executor

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// promises returns n promises and their futures.
func promises(n int) (ps []*Promise[int], fs []*Future[int]) {
	for range n {
		p := NewPromise[int]()
		ps = append(ps, p)
		fs = append(fs, p.Future())
	}
	return ps, fs
}

// awaitWatched waits until somebody watches t.
func awaitWatched(t *task) {
	await(func() bool {
		t.guard.Lock()
		defer t.guard.Unlock()
		return t.notes.Len() > 0
	})
}

// watched returns how many of fs are watched.
func watched(fs []*Future[int]) (n int) {
	for _, f := range fs {
		if f.notes.Len() > 0 {
			n++
		}
	}
	return n
}

func TestWaitForAll(t *testing.T) {
	ps, fs := promises(3)
	_ = ps[1].SetError(errTest)
	done, notDone := TryWait(AllCompleted, fs...)
	assert.Equal(t, fs[1:2], done)
	assert.Equal(t, []*Future[int]{fs[0], fs[2]}, notDone)
	assert.Zero(t, watched(fs))
	go func() {
		awaitWatched(&fs[2].task)
		_ = ps[2].SetResult(1)
		fs[0].Cancel()
	}()
	done, notDone = Wait(AllCompleted, fs...)
	assert.Equal(t, fs, done)
	assert.Empty(t, notDone)
}

func TestWaitForTheFirst(t *testing.T) {
	ps, fs := promises(3)
	go func() {
		awaitWatched(&fs[2].task)
		_ = ps[1].SetResult(1)
	}()
	done, notDone := Wait(FirstCompleted, fs...)
	assert.Equal(t, fs[1:2], done)
	assert.Len(t, notDone, 2)
	assert.Zero(t, watched(fs))
	done, _ = Wait(FirstCompleted, fs...)
	assert.Len(t, done, 1)
	_ = ps[0].SetResult(1)
	_ = ps[2].SetResult(1)
}

func TestWaitForTheFirstError(t *testing.T) {
	ps, fs := promises(4)
	go func() {
		awaitWatched(&fs[3].task)
		_ = ps[0].SetResult(1)
		fs[1].Cancel() // no error
		_ = ps[2].SetError(errTest)
	}()
	done, notDone := Wait(FirstError, fs...)
	assert.Equal(t, fs[:3], done)
	assert.Equal(t, fs[3:], notDone)
	go ps[3].SetResult(1)
	done, notDone = Wait(FirstError, fs[:2]...)
	assert.Len(t, done, 2)
	assert.Empty(t, notDone)
	done, _ = Wait(FirstError, fs[0], fs[3])
	assert.Len(t, done, 2)
}

func TestWaitMergesDuplicates(t *testing.T) {
	ps, fs := promises(2)
	_ = ps[0].SetResult(1)
	done, notDone := TryWait(AllCompleted, fs[0], fs[1], fs[0], fs[1])
	assert.Equal(t, fs[:1], done)
	assert.Equal(t, fs[1:], notDone)
}

func TestWaitShapes(t *testing.T) {
	_, fs := promises(1)
	_, notDone := WaitTimeout(time.Millisecond, FirstCompleted, fs...)
	assert.Equal(t, fs, notDone)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		awaitWatched(&fs[0].task)
		cancel(errTest)
	}()
	_, notDone, err := WaitContext(ctx, FirstError, fs...)
	assert.ErrorIs(t, err, errTest)
	assert.Equal(t, fs, notDone)
	_, _, err = WaitContext(t.Context(), AllCompleted, fs[:0]...)
	assert.NoError(t, err, "nothing to wait for")
	none, neither := Wait[AnyFuture](FirstCompleted)
	assert.Empty(t, none)
	assert.Empty(t, neither)
	assert.ErrorIs(t, panicOf(func() { Wait(FirstError+1, fs...) }), ErrInvalid)
	fs[0].Cancel()
}

func TestWaitForFuturesOfSeveralTypes(t *testing.T) {
	e := newExecutor(t, Options{})
	a, b := must(t, e, value(1)), must(t, e, value("x"))
	done, _ := Wait[AnyFuture](AllCompleted, a, b)
	assert.Equal(t, []AnyFuture{a, b}, done)
}

func TestAsCompleted(t *testing.T) {
	ps, fs := promises(4)
	_ = ps[3].SetResult(0)
	_ = ps[1].SetError(errTest)
	go func() {
		awaitWatched(&fs[2].task)
		fs[2].Cancel()
		_ = ps[0].SetResult(0)
	}()
	var order []*Future[int]
	for f := range AsCompleted(fs[0], fs[1], fs[1], fs[2], fs[3]) {
		assert.True(t, f.IsDone())
		order = append(order, f)
	}
	assert.Equal(t, []*Future[int]{fs[1], fs[3], fs[2], fs[0]}, order)
}

func TestAsCompletedUntil(t *testing.T) {
	ps, fs := promises(3)
	_ = ps[1].SetResult(0)
	var got []*Future[int]
	var last error
	for f, err := range AsCompletedTimeout(time.Millisecond, fs...) {
		got, last = append(got, f), err
	}
	assert.Equal(t, []*Future[int]{fs[1], nil}, got)
	assert.ErrorIs(t, last, ErrTimeout)
	assert.ErrorContains(t, last, "2 (of 3) futures unfinished")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	for f, err := range AsCompletedContext(ctx, fs...) {
		cancel(errTest)
		if f == nil {
			assert.ErrorIs(t, err, errTest)
		}
		last = err
	}
	assert.ErrorIs(t, last, errTest)
	for range AsCompleted(fs...) {
		break
	}
	assert.Zero(t, watched(fs))
	for range AsCompletedTimeout(0, fs[1]) {
		got = nil
	}
	assert.Nil(t, got)
	fs[0].Cancel()
	fs[2].Cancel()
}
