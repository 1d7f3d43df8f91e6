package osthread

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// The test simulates a spinner that was preempted. Unlock must then check the
// head of the queue itself.
func TestLockHandsOffWhileTheSpinnerDoesNotRun(t *testing.T) {
	if park.Procs() == 1 {
		t.Skip("on one processor Unlock steps aside instead")
	}
	var m mutex
	l := park.Forever()
	n := wait.New(nil, &l)
	n.Key, n.Since = anonymous, futex.Now()-2*starvationThreshold
	require.True(t, m.try(anonymous))
	require.False(t, m.enqueue(n, false))
	m.spinner.Store(spinTime() - uint32(2*spinnerLost>>spinUnit))
	for range 1000 * agingInterval {
		m.unlock(anonymous, nil)
		if !m.try(anonymous) {
			n.Await()
			assert.Equal(t, gotLock, n.Got)
			m.spinner.Store(0)
			m.unlock(anonymous, nil)
			assert.Zero(t, m.word.Load())
			return
		}
	}
	t.Error("the head of the queue is passed by for ever")
}

func TestLockRequeuedHeadAges(t *testing.T) {
	var m mutex
	l := park.Forever()
	n := wait.New(nil, &l)
	n.Key = anonymous
	require.True(t, m.try(anonymous))
	require.True(t, m.requeue(n, false))
	assert.NotZero(t, n.Since)
	assert.Equal(t, n.Since, m.oldest.Load())
	m.unlock(anonymous, nil)
	n.Await()
	m.stopSpinning(false)
}
