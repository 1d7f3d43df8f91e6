package queue

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
)

// taken returns how many values of object were taken and are not done.
func taken(object any) (n int) {
	for _, s := range watch.States() {
		for _, h := range s.Holds {
			if h.Object == object {
				n += h.N
			}
		}
	}
	return n
}

// In watch mode a queue knows the takers of the values that Join waits for.
func TestWatchKnowsTheTakersOfValues(t *testing.T) {
	if !watch.On {
		cmd := leak.Command(t.Context(), "-test.run=^"+t.Name()+"$", "-test.timeout=2m")
		cmd.Env = append(os.Environ(), "OSTHREAD_WATCH=1")
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s", out)
		return
	}
	q := New[int](0)
	_, err := q.PutAll(make([]int, 8))
	require.NoError(t, err)
	_, _ = q.Get()
	assert.Equal(t, 1, taken(q))
	osthread.WaitAny(q.GetOp())
	assert.Equal(t, 2, taken(q))
	_, _ = q.GetN(make([]int, 3))
	assert.Equal(t, 5, taken(q))
	for left := 4; left >= 0; left-- {
		q.TaskDone()
		assert.Equal(t, left, taken(q))
	}
	assert.False(t, watch.HandedOff(q))
	assert.Panics(t, func() {
		for range 4 {
			q.TaskDone()
		}
	})
}
