package queue

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// As TestSynctestBubbleClockEndsWaits in package osthread.
func TestQueueSynctestBubbleClockEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		q := New[int](1)
		go func() {
			<-time.After(time.Hour) // of the bubble
			assert.NoError(t, q.Put(1))
		}()
		v, err := q.Get()
		assert.NoError(t, err)
		assert.Equal(t, 1, v)
		assert.NoError(t, q.Put(2))
		assert.ErrorIs(t, q.PutTimeout(3, time.Hour), ErrFull)
		assert.Equal(t, 2*time.Hour, time.Since(begin))
	})
}
