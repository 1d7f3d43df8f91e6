package osthread

import (
	"fmt"
	"runtime"
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

func TestSinceFairStarvesWhenTheClockBegins(t *testing.T) {
	assert.Greater(t, 0-since(true), starvationThreshold)
}

func TestPollPausesShortly(t *testing.T) {
	// At worst 18 us, or more on a busy machine; were a pause computed with too
	// few bits, half a minute each time.
	for start, polled := time.Now(), time.Hour; polled > 5*time.Second; {
		require.Less(t, time.Since(start), 2*time.Minute)
		began := time.Now()
		polls := 0
		assert.False(t, poll(func() (ok, closed bool) { polls++; return false, false }))
		polled = time.Since(began)
		assert.Equal(t, spinLimit()+1, polls)
	}
}

// checks of the head's age by chance are at least one almost certainly.
const checks = 30

// onOneProcessor sets GOMAXPROCS to 1 for a test.
func onOneProcessor(t *testing.T) {
	procs := runtime.GOMAXPROCS(1)
	settle := func() {
		for park.Procs() != min(runtime.GOMAXPROCS(0), runtime.NumCPU()) { // it asks now and then
		}
	}
	settle()
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		settle()
	})
}

// ageWoken makes the last waiter that was woken one of long ago.
func ageWoken(m *mutex) {
	for {
		s := m.word.Load()
		old := s&^stamp | (s&stamp - uint64(2*starvationThreshold>>stampUnit)<<stampShift)
		if s&woken == 0 || m.word.CompareAndSwap(s, old) {
			return
		}
	}
}

// A waiter that was woken to retry gets the processor even though the scheduler
// does not preempt a thread that locks and unlocks in a loop.
func TestUnlockOnOneProcessorStepsAside(t *testing.T) {
	onOneProcessor(t)
	var l Lock
	var r RLock
	var w RWLock
	s := NewSemaphore(1)
	ageRW := func() {
		w.queue().Lock()
		defer w.queue().Unlock()
		w.queue().retries.since -= 2 * starvationThreshold
	}
	tests := []struct {
		name         string
		lock, unlock func()
		wait, done   func()
		q            queue
		age          func() // ages the waiter woken to retry
	}{
		{"Lock", l.Lock, l.Unlock, l.Lock, l.Unlock, l.queue(), func() { ageWoken(l.mutex()) }},
		{"RLock", r.Lock, r.Unlock, r.Lock, r.Unlock, r.queue(), func() { ageWoken(&r.mutex) }},
		{"RWLock, writers", w.Lock, w.Unlock, w.Lock, w.Unlock, w.queue(), ageRW},
		{"RWLock, a writer waits for readers", w.RLock, w.RUnlock, w.Lock, w.Unlock, w.queue(), ageRW},
		{"RWLock, a reader waits for writers", w.Lock, w.Unlock, w.RLock, w.RUnlock, w.queue(), ageRW},
		{
			"Semaphore", func() { s.Acquire(1) }, func() { s.Release(1) }, func() { s.Acquire(1) }, func() { s.Release(1) }, s.queue(),
			func() {
				q := s.lock()
				q.wokenAt -= 2 * starvationThreshold
				s.unlock(q)
			},
		},
	}
	for _, test := range tests {
		for _, waiters := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/waiters=%d", test.name, waiters), func(t *testing.T) {
				g := testutil.NewGroup(t, testutil.StartGoroutine)
				var in atomic.Int32
				test.lock()
				for range waiters {
					g.Run(func() {
						test.wait()
						in.Add(1)
						test.done()
					})
				}
				awaitWaiting(test.q, waiters)
				test.unlock()
				test.lock()
				if in.Load() == 0 {
					test.age()
				}
				// Too short a time for the scheduler to preempt this goroutine.
				for n := 0; n < checks*agingInterval && in.Load() == 0; n++ {
					test.unlock()
					test.lock()
				}
				assert.NotZero(t, in.Load())
				test.unlock()
				g.Wait()
			})
		}
	}
}

// The same for waiters that were notified, and were requeued without having
// waited for the lock.
func TestLockOnOneProcessorStepsAsideForNotifiedWaiter(t *testing.T) {
	onOneProcessor(t)
	var l Lock
	c := NewCondition(&l)
	g := testutil.NewGroup(t, testutil.StartGoroutine)
	var in atomic.Bool
	for range 2 {
		g.Run(func() {
			l.Lock()
			c.Wait()
			in.Store(true)
			l.Unlock()
		})
	}
	await(func() bool { return c.Waiting() == 2 })
	l.Lock()
	c.NotifyAll()
	l.Unlock()
	l.Lock()
	if !in.Load() {
		ageWoken(l.mutex())
	}
	for n := 0; n < checks*agingInterval && !in.Load(); n++ {
		l.Unlock()
		l.Lock()
	}
	assert.True(t, in.Load())
	l.Unlock()
	g.Wait()
}

// The same if another waiter behind has given up meanwhile.
func TestLockOnOneProcessorStepsAsideForLastWaiter(t *testing.T) {
	onOneProcessor(t)
	var m mutex
	l := park.Forever()
	first, second := wait.New(nil, &l), wait.New(nil, &l)
	require.True(t, m.try(anonymous))
	for _, n := range []*wait.Node{first, second} {
		n.Key, n.Since = anonymous, futex.Now()+int64(time.Hour) // so that none starves
		require.False(t, m.enqueue(n, false))
	}
	m.word.Add(minusAnonymous)
	got, _ := m.release()
	require.Equal(t, gotRetry, got)
	require.True(t, m.try(anonymous), "first, woken to retry, does not run")
	require.True(t, m.leave(second))
	assert.NotZero(t, m.word.Load()&woken, "or no Unlock sees the waiter")
	assert.NotZero(t, m.word.Load()&stamp)
	m.word.Add(minusAnonymous)
	first.Await()
	assert.True(t, m.retry(first))
	m.word.Add(minusAnonymous)
	assert.Zero(t, m.word.Load())
	first.Free()
	second.Free()
}

// starved is longer than any wait on a busy machine. Without fairness these
// tests would wait until the other callers end.
const starved = testutil.Timeout
