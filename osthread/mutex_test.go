package osthread

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
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

func TestLockHandoffsLeaveTimeToNewcomers(t *testing.T) {
	var m mutex
	l := park.Forever()
	require.True(t, m.try(anonymous))
	var waiters []*wait.Node
	for range 4 {
		n := wait.New(nil, &l)
		n.Key, n.Since = anonymous, futex.Now()-int64(time.Hour)
		require.False(t, m.enqueue(n, false))
		waiters = append(waiters, n)
	}
	locked := func(f func(q *lockQueue)) {
		q := m.findQueue()
		require.NotNil(t, q)
		f(q)
		m.unlockQueue(q)
	}
	m.unlock(anonymous, nil)
	waiters[0].Await()
	assert.Equal(t, gotLock, waiters[0].Got, "nothing was handed off before")

	locked(func(q *lockQueue) { q.handed -= int64(time.Hour) })
	m.endHandoff()
	m.unlock(anonymous, nil)
	waiters[1].Await()
	assert.Equal(t, gotRetry, waiters[1].Got, "the last handoff took an hour")
	assert.False(t, m.headStarves())
	assert.True(t, m.retry(waiters[1]))
	m.unlock(anonymous, nil)
	waiters[2].Await()
	assert.Equal(t, gotRetry, waiters[2].Got, "that was just now")
	assert.True(t, m.retry(waiters[2]))

	locked(func(q *lockQueue) { q.notBefore.Store(futex.Now()) })
	assert.True(t, m.headStarves())
	m.unlock(anonymous, nil)
	waiters[3].Await()
	assert.Equal(t, gotLock, waiters[3].Got)
	m.unlock(anonymous, nil)
	assert.Zero(t, m.word.Load())
}

func TestLockRequeuedHeadAges(t *testing.T) {
	var m mutex
	l := park.Forever()
	n := wait.New(nil, &l)
	n.Key = anonymous
	require.True(t, m.try(anonymous))
	require.True(t, m.requeue(n, false))
	assert.NotZero(t, n.Since)
	q := m.findQueue()
	require.NotNil(t, q)
	assert.Equal(t, n.Since, q.oldest.Load())
	m.unlockQueue(q)
	m.unlock(anonymous, nil)
	n.Await()
	assert.True(t, n.Got == gotLock || m.retry(n), "handed off if the test was slow")
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
	for m.queue().Len() > 0 { // the time limit of the test ends a wait that never succeeds
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

// A mutexQueue is the queue of a mutex, for tests.
type mutexQueue struct{ m *mutex }

func (l *Lock) queue() mutexQueue  { return l.mutex().queue() }
func (m *mutex) queue() mutexQueue { return mutexQueue{m} }

func (mutexQueue) Lock()   {}
func (mutexQueue) Unlock() {}

func (q mutexQueue) Len() (n int) {
	if lq := q.m.findQueue(); lq != nil {
		n = lq.Len()
		q.m.unlockQueue(lq)
	}
	return n
}

func TestLockHasAQueueOnlyWhileThereAreWaiters(t *testing.T) {
	const waiters = 3
	callers(t, func(t *testing.T, g *testutil.Group) {
		var l Lock
		for range 50 {
			l.Lock()
			assert.Zero(t, l.link.Load()>>indexShift)
			var ended []func()
			for range waiters {
				ended = append(ended, g.Run(func() {
					l.Lock()
					//lint:ignore SA2001 only acquiring it matters
					l.Unlock()
				}))
			}
			awaitWaiting(l.queue(), waiters)
			assert.NotZero(t, l.link.Load()>>indexShift)
			l.Unlock()
			for _, wait := range ended {
				wait()
			}
			assert.Zero(t, l.link.Load())
		}
	})
}

// The first waiters of a lock race for its queue.
func TestLockFirstWaitersGetOneQueue(t *testing.T) {
	const waiters, rounds = 4, 2000
	callers(t, func(t *testing.T, g *testutil.Group) {
		var l Lock
		var start, in atomic.Int64
		for range waiters {
			g.Run(func() {
				for round := range int64(rounds) {
					for start.Load() <= round {
						runtime.Gosched()
					}
					q := l.mutex().lockQueue()
					in.Add(1)
					assert.Equal(t, q.index, l.link.Load()>>indexShift)
					assert.EqualValues(t, 1, q.oldest.Add(1), "two callers hold the guard")
					q.oldest.Add(-1)
					l.mutex().unlockQueue(q)
				}
			})
		}
		for round := range int64(rounds) {
			start.Store(round + 1)
			await(func() bool { return in.Load() == (round+1)*waiters })
		}
		g.Wait()
		assert.Zero(t, l.link.Load())
	})
}

// Locks take queues from lists, and give them back, many at once.
func TestLockQueueIsOneLocks(t *testing.T) {
	const goroutines, locks = 8, 40
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range 50 {
				var ms [locks]mutex
				var qs [locks]*lockQueue
				for i := range ms {
					qs[i] = ms[i].lockQueue()
					assert.Zero(t, qs[i].oldest.Swap(1), "another lock's")
				}
				for i := range ms {
					qs[i].oldest.Store(0)
					ms[i].unlockQueue(qs[i])
				}
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, lockQueues.made.Load(), uint32(1<<20), "they are used again")
}

func TestPlaceOfQueue(t *testing.T) {
	chunk, i := place(1)
	for index := uint32(2); index < 1<<16; index++ {
		c, j := place(index)
		if c == chunk {
			assert.Equal(t, i+1, j)
		} else {
			assert.Equal(t, chunk+1, c)
			assert.EqualValues(t, 1<<(chunkBits+chunk)-1, i, "the last one")
			assert.Zero(t, j)
		}
		chunk, i = c, j
	}
	chunk, _ = place(1<<31 - 1)
	assert.Less(t, chunk, len(lockQueues.chunks))
}
