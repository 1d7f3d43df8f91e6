package osthread

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimerRunsOnceUnlessCancelled(t *testing.T) {
	ran := make(chan struct{}, 10)
	fn := func() error { ran <- struct{}{}; return errWhy }
	t.Run("fires", func(t *testing.T) {
		began := time.Now()
		tm := NewTimer(2*time.Millisecond, fn, nil)
		require.NoError(t, tm.Start())
		<-ran
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Millisecond)
		assert.ErrorIs(t, tm.Join(), errWhy)
		assert.False(t, tm.Cancel(), "after it fired")
		assert.True(t, tm.Finished().IsSet())
		assert.ErrorIs(t, tm.Start(), ErrStarted)
		assert.Equal(t, 2*time.Millisecond, tm.Interval())
	})
	t.Run("at once", func(t *testing.T) {
		tm := NewTimer(-time.Second, fn, &Attr{Name: "now"})
		require.NoError(t, tm.Start())
		<-ran
		assert.ErrorIs(t, tm.Join(), errWhy)
		assert.Equal(t, "now", tm.Name())
	})
	t.Run("cancelled", func(t *testing.T) {
		tm := NewTimer(time.Hour, fn, nil)
		require.NoError(t, tm.Start())
		assert.True(t, tm.Cancel())
		assert.True(t, tm.Cancel())
		assert.NoError(t, tm.Join())
	})
	t.Run("cancelled before Start", func(t *testing.T) {
		tm := NewTimer(0, fn, nil)
		assert.True(t, tm.Cancel())
		require.NoError(t, tm.Start())
		assert.NoError(t, tm.Join())
		assert.Empty(t, ran)
	})
}
