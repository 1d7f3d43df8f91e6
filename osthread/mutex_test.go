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
	n.Key, n.Since = anonymous, futex.Now()-2*spinnerLost
	require.True(t, m.try(anonymous))
	require.False(t, m.enqueue(n, false))
	require.True(t, m.becomeSpinner())
	for range 1000 * agingInterval {
		m.unlock(anonymous, nil)
		if !m.try(anonymous) {
			n.Await()
			assert.Equal(t, gotLock, n.Got)
			m.stopSpinning(false)
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
	assert.Equal(t, n.Since, m.queue().oldest.Load())
	m.unlock(anonymous, nil)
	n.Await()
	assert.True(t, m.retry(n))
}

// The test simulates a woken waiter that does not get a processor.
func TestLockWakesNextWaiterWhileTheWokenOneDoesNotRun(t *testing.T) {
	if park.Procs() == 1 {
		t.Skip("the processor is the unlocker's")
	}
	var m mutex
	l := park.Forever()
	first, second := wait.New(nil, &l), wait.New(nil, &l)
	require.True(t, m.try(anonymous))
	for _, n := range []*wait.Node{first, second} {
		n.Key, n.Since = anonymous, futex.Now()
		require.False(t, m.enqueue(n, false))
	}
	for m.queue().Head() != nil { // the time limit of the test ends a wait that never succeeds
		m.unlock(anonymous, nil)
		if !m.try(anonymous) { // handed off, on a machine so slow that second starves
			break
		}
	}
	m.unlock(anonymous, nil)
	for _, n := range []*wait.Node{first, second} {
		n.Await()
		if n.Got == gotRetry {
			assert.True(t, m.retry(n))
			m.unlock(anonymous, nil)
		}
		n.Free()
	}
	assert.Zero(t, m.word.Load())
}
