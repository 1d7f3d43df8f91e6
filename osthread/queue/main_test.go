package queue

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread"
)

func TestMain(m *testing.M) { leak.Main(m, func() string { return "" }) }

// callers runs f with a spawn for both kinds of callers. All that were spawned
// are joined when f has returned.
func callers(t *testing.T, f func(t *testing.T, spawn func(func()))) {
	t.Run("caller=goroutine", func(t *testing.T) {
		var done []chan struct{}
		f(t, func(body func()) {
			end := make(chan struct{})
			done = append(done, end)
			go func() {
				defer close(end)
				body()
			}()
		})
		for _, end := range done {
			<-end
		}
	})
	t.Run("caller=thread", func(t *testing.T) {
		var threads []*osthread.Thread
		f(t, func(body func()) {
			th, err := osthread.Go(func() error { body(); return nil })
			require.NoError(t, err)
			threads = append(threads, th)
		})
		for _, th := range threads {
			assert.NoError(t, th.Join())
		}
	})
}

// awaitWaiting waits until n wait in w, which q's guard protects.
func awaitWaiting[T any](q *Queue[T], w interface{ Len() int }, n int) {
	for {
		q.mu().Lock()
		now := w.Len()
		q.mu().Unlock()
		if now == n {
			return
		}
		runtime.Gosched()
	}
}
