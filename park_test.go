package thread

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParkConsumesOnePermit(t *testing.T) {
	assert.Equal(t, ErrNotAttached, Park())
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			self := Current()
			self.Unpark()
			self.Unpark()
			assert.NoError(t, Park())
			assert.Equal(t, ErrTimeout, ParkTimeout(0), "permits do not add up")
			assert.Equal(t, ErrTimeout, ParkTimeout(time.Millisecond))
			ctx, cancel := context.WithCancelCause(context.Background())
			cause := errors.New("cause")
			cancel(cause)
			self.Unpark()
			assert.Equal(t, cause, ParkContext(ctx))
			assert.NoError(t, ParkContext(context.Background()))
			ctx, cancel2 := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel2()
			assert.Equal(t, context.DeadlineExceeded, ParkContext(ctx))
		})
	})
}

func TestUnparkWakesASleeper(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for _, park := range []func() error{
			Park,
			func() error { return ParkTimeout(time.Hour) },
			func() error { return ParkContext(t.Context()) },
		} {
			th, err := Start(func() { assert.NoError(t, park()) }, attr(Attr{}))
			require.NoError(t, err)
			for !th.permit.Asleep() {
				runtime.Gosched()
			}
			th.Unpark()
			require.NoError(t, th.Join())
			th.Unpark() // nobody is there
		}
	})
}

func TestParkAndUnparkAlternate(t *testing.T) {
	const rounds = 2000
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var a, b *Thread
		ready := make(chan struct{})
		a, err := Start(func() {
			<-ready
			for i := range rounds {
				if i%5 == 0 {
					for ParkTimeout(10*time.Microsecond) != nil {
					}
				} else {
					assert.NoError(t, Park())
				}
				b.Unpark()
			}
		}, attr(Attr{}))
		require.NoError(t, err)
		b, err = Start(func() {
			<-ready
			for range rounds {
				a.Unpark()
				assert.NoError(t, Park())
			}
		}, attr(Attr{}))
		require.NoError(t, err)
		close(ready)
		require.NoError(t, a.Join())
		require.NoError(t, b.Join())
	})
}

// The permit comes after the context was done: the next Park has it.
func TestParkContextDoneBeforeUnparkConsumesNoPermit(t *testing.T) {
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		var canceled, later error
		th, err := Start(func() {
			canceled = ParkContext(ctx)
			later = Park()
		}, nil)
		require.NoError(t, err)
		for !th.permit.Asleep() {
			runtime.Gosched()
		}
		cancel()
		th.Unpark()
		require.NoError(t, th.Join())
		require.ErrorIs(t, canceled, context.Canceled)
		require.NoError(t, later)
	}
}
