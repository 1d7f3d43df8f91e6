package executor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A promise is kept in the bubble; a pool's threads and a worker's are outside.
func TestFutureWaitsInABubble(t *testing.T) {
	p, err := New(Options{Threads: 1})
	require.NoError(t, err)
	defer p.Close()
	first, err := Submit(p, func() (int, error) { return 0, nil }) // starts the thread
	require.NoError(t, err)
	_, err = first.Result()
	require.NoError(t, err)
	w, err := NewWorker(nil)
	require.NoError(t, err)
	defer w.Close()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		kept := NewPromise[int]()
		go func() {
			<-time.After(time.Hour) // of the bubble
			assert.NoError(t, kept.SetResult(1))
		}()
		v, err := kept.Future().Result()
		assert.NoError(t, err)
		assert.Equal(t, 1, v)
		assert.Equal(t, time.Hour, time.Since(begin))

		f, err := Submit(p, func() (int, error) { return 2, nil })
		assert.NoError(t, err)
		done, _ := Wait(AllCompleted, f)
		assert.Len(t, done, 1)
		v, err = f.Result()
		assert.NoError(t, err)
		assert.Equal(t, 2, v)
		assert.NoError(t, w.Call(func() error { return nil }))
	})
}
