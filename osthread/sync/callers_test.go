package sync_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/sync"
)

func startThread(body func() error) (testutil.Thread, error) { return osthread.Go(body) }

func startLocked(body func() error) (testutil.Thread, error) {
	return testutil.StartGoroutine(func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return body()
	})
}

// mixed starts threads, locked goroutines and ordinary ones, in this order.
func mixed() testutil.Start {
	starts := []testutil.Start{startThread, startLocked, testutil.StartGoroutine}
	n := -1
	return func(body func() error) (testutil.Thread, error) {
		n++
		return starts[n%len(starts)](body)
	}
}

func TestMutexExcludesAllKindsOfCallers(t *testing.T) {
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	var mu sync.Mutex
	var rw sync.RWMutex
	n, m := 0, 0
	for range 6 {
		g.Run(func() {
			for i := range 2000 {
				mu.Lock()
				n++
				mu.Unlock()
				if i%4 == 0 {
					rw.Lock()
					m++
					rw.Unlock()
				} else {
					rw.RLock()
					_ = m
					rw.RUnlock()
				}
			}
		})
	}
	g.Wait()
	assert.Equal(t, 12000, n)
	assert.Equal(t, 3000, m)
}

// Callers of all kinds pass a token around, with signals outside the lock.
func TestCondSignalWithoutTheLockIsNotLost(t *testing.T) {
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	var mu sync.Mutex
	const parties, rounds = 3, 500
	var conds [parties]*sync.Cond
	for i := range conds {
		conds[i] = sync.NewCond(&mu)
	}
	holder := 0
	for i := range parties {
		g.Run(func() {
			for range rounds {
				mu.Lock()
				for holder != i {
					conds[i].Wait()
				}
				next := (i + 1) % parties
				holder = next
				mu.Unlock()
				conds[next].Signal()
			}
		})
	}
}

func TestCondWakesReaders(t *testing.T) {
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	var rw sync.RWMutex
	c := sync.NewCond(rw.RLocker())
	ready := false
	for range 6 {
		g.Run(func() {
			c.L.Lock()
			defer c.L.Unlock()
			for !ready {
				c.Wait()
			}
		})
	}
	rw.Lock()
	ready = true
	rw.Unlock()
	c.Broadcast()
}

func TestCondMayGetItsLockAfterASignal(t *testing.T) {
	var c sync.Cond
	c.Signal()
	c.Broadcast()
	var mu sync.Mutex
	c.L = &mu
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	woken := false
	g.Run(func() {
		mu.Lock()
		for !woken {
			c.Wait()
		}
		mu.Unlock()
	})
	mu.Lock()
	woken = true
	mu.Unlock()
	c.Signal()
}

func TestWaitGroupWakesAllKindsOfCallers(t *testing.T) {
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	const parties, rounds = 6, 200
	var groups [3]sync.WaitGroup
	groups[0].Add(parties)
	groups[1].Add(parties)
	var here [rounds]atomic.Int32
	for i := range parties {
		g.Run(func() {
			for r := range rounds {
				here[r].Add(1)
				w := &groups[r%3]
				w.Done()
				w.Wait()
				assert.EqualValues(t, parties, here[r].Load())
				if i == 0 { // all have left the one before
					groups[(r+2)%3].Add(parties)
				}
			}
		})
	}
}

func TestOnceAllCallersWaitForTheFirst(t *testing.T) {
	g := testutil.NewGroup(t, mixed())
	defer g.Wait()
	var o sync.Once
	done := false
	for range 6 {
		g.Run(func() {
			o.Do(func() {
				for range 100 {
					runtime.Gosched()
				}
				done = true
			})
			assert.True(t, done)
		})
	}
}

func TestMisuseChangesNothing(t *testing.T) {
	var mu sync.Mutex
	testutil.CheckTwice(t, "Mutex.Unlock", mu.Unlock, osthread.ErrNotLocked)
	assert.True(t, mu.TryLock())
	mu.Unlock()

	var rw sync.RWMutex
	testutil.CheckTwice(t, "RWMutex.Unlock", rw.Unlock, osthread.ErrNotLocked)
	testutil.CheckTwice(t, "RWMutex.RUnlock", rw.RUnlock, osthread.ErrNotLocked)
	testutil.CheckTwice(t, "RLocker.Unlock", rw.RLocker().Unlock, osthread.ErrNotLocked)
	assert.True(t, rw.TryLock())
	rw.Unlock()

	c := sync.NewCond(&mu)
	testutil.CheckTwice(t, "Cond.Wait", c.Wait, osthread.ErrNotLocked)
	c.Broadcast()
}

var errTest = errors.New("test")

func TestOncePanicIsThatOfTheFunction(t *testing.T) {
	var o sync.Once
	assert.PanicsWithValue(t, errTest, func() { o.Do(func() { panic(errTest) }) })
	o.Do(func() { t.Error("called twice") })
	f := sync.OnceValue(func() int { panic(errTest) })
	for range 2 {
		assert.PanicsWithValue(t, errTest, func() { f() })
	}
}

func TestWaitsAreDurableInABubble(t *testing.T) {
	for name, start := range map[string]testutil.Start{
		"goroutine": testutil.StartGoroutine, "locked goroutine": startLocked,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g sync.WaitGroup
				var mu sync.Mutex
				c := sync.NewCond(&mu)
				g.Add(1)
				var woken atomic.Int32
				run := testutil.NewGroup(t, start)
				run.Run(func() {
					g.Wait()
					woken.Add(1)
				})
				ready := false
				run.Run(func() {
					mu.Lock()
					for !ready {
						c.Wait()
					}
					mu.Unlock()
					woken.Add(1)
				})
				synctest.Wait()
				assert.Zero(t, woken.Load())
				g.Done()
				mu.Lock()
				ready = true
				mu.Unlock()
				c.Signal()
				synctest.Wait()
				assert.EqualValues(t, 2, woken.Load())
				run.Wait()
			})
		})
	}
}
