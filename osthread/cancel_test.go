package osthread

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThreadContextEndsWithTheThread(t *testing.T) {
	th := New(func() error { return nil }, nil)
	ctx := th.Context()
	assert.Same(t, ctx, th.Context())
	assert.NoError(t, ctx.Err(), "not started")
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
	assert.Equal(t, ErrEnded, context.Cause(ctx))
	assert.Equal(t, context.Canceled, ctx.Err())
	th.Cancel(errors.New("late"))
	assert.Equal(t, ErrEnded, context.Cause(ctx))

	th = start(t, func() error { return nil })
	require.NoError(t, th.Join())
	assert.Equal(t, ErrEnded, context.Cause(th.Context()), "asked for after the end")
}

func TestThreadCancel(t *testing.T) {
	cause := errors.New("cause")
	var e Event
	th := start(t, func() error { return e.WaitContext(Current().Context()) })
	th.Cancel(cause)
	th.Cancel(errors.New("later"))
	assert.Equal(t, cause, th.Join())

	th = New(func() error { return context.Cause(Current().Context()) }, nil)
	th.Cancel(nil) // before the start
	require.NoError(t, th.Start())
	assert.Equal(t, context.Canceled, th.Join())
}

// The first cause counts, of Cancel or of the end.
func TestThreadCancelRacesWithTheEnd(t *testing.T) {
	cause := errors.New("cause")
	for range 200 {
		th := New(func() error { return nil }, nil)
		require.NoError(t, th.Start())
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { th.Cancel(cause) })
			wg.Go(func() { <-th.Context().Done() })
		}
		wg.Wait()
		require.NoError(t, th.Join())
		assert.Contains(t, []error{cause, ErrEnded}, context.Cause(th.Context()))
	}
}

func TestThreadContextOfAPanic(t *testing.T) {
	defer SetPanicHook(PanicHook())
	SetPanicHook(func(*Thread, *PanicError) {})
	th := New(func() error { panic("value") }, nil)
	ctx := th.Context()
	require.NoError(t, th.Start())
	assert.Error(t, th.Join())
	assert.Equal(t, ErrEnded, context.Cause(ctx))
}

// A thread is in no bubble, and so must its context be in none.
func TestThreadContextMadeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := New(func() error { return new(Event).WaitContext(context.Background()) }, nil)
		ctx := th.Context()
		assert.NoError(t, th.Start())
		th.Cancel(errCause)
		assert.Equal(t, errCause, th.Join())
		assert.Equal(t, errCause, context.Cause(ctx))
	})
}
