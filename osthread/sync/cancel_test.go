package sync_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/sync"
)

var errStop = errors.New("stop")

// A wait that Cancel ends leaves each object as it was.
func TestCancelLeavesTheObjectUsable(t *testing.T) {
	var m sync.Mutex
	var rw sync.RWMutex
	var g sync.WaitGroup
	var once sync.Once
	c := sync.NewCond(new(sync.Mutex))
	m.Lock()
	rw.Lock()
	in, out := make(chan struct{}), make(chan struct{})
	go once.Do(func() { close(in); <-out })
	<-in
	g.Add(1)
	for _, s := range []struct {
		name      string
		wait, end func()
		again     func()
	}{
		{"Mutex", m.Lock, m.Unlock, func() { assert.True(t, m.TryLock()); m.Unlock() }},
		{"RWMutex reader", rw.RLock, func() {}, func() {}},
		{"RWMutex writer", rw.Lock, rw.Unlock, func() {
			assert.True(t, rw.TryRLock())
			rw.RUnlock()
			assert.True(t, rw.TryLock())
			rw.Unlock()
		}},
		{"WaitGroup", g.Wait, g.Done, func() { g.Go(func() {}); g.Wait() }},
		{"Once", func() { once.Do(func() {}) }, func() { close(out) }, func() { once.Do(func() { panic("twice") }) }},
		{"Cond", func() { c.L.Lock(); defer c.L.Unlock(); c.Wait() }, func() {}, func() {
			done := make(chan struct{})
			c.L.Lock()
			go func() { c.L.Lock(); c.Signal(); c.L.Unlock(); close(done) }()
			c.Wait()
			c.L.Unlock()
			<-done
		}},
	} {
		th, err := osthread.Go(func() error { s.wait(); return nil })
		require.NoError(t, err, s.name)
		testutil.Await(func() (asleep bool) { _, asleep = th.Waiting(); return asleep })
		th.Cancel(errStop)
		assert.ErrorIs(t, th.Join(), errStop, s.name)
		s.end()
		s.again()
		s.again()
	}
}

// Canceled waiters leave the counts of a WaitGroup right, whenever they go: one
// group is used for all rounds.
func TestCancelOfWaitBesideDone(t *testing.T) {
	const waiters = 3
	var g sync.WaitGroup
	canceled := 0
	for range testutil.Rounds("OSTHREAD_TEST_CANCELS", 2000, 300) {
		g.Add(2)
		var ths [waiters]*osthread.Thread
		for i := range ths {
			var err error
			ths[i], err = osthread.Go(func() error { g.Wait(); return nil })
			require.NoError(t, err)
		}
		go g.Done()
		for _, th := range ths[1:] {
			th.Cancel(errStop)
		}
		go g.Done()
		assert.NoError(t, ths[0].Join())
		for _, th := range ths[1:] {
			if err := th.Join(); err != nil {
				assert.ErrorIs(t, err, errStop)
				canceled++
			}
		}
	}
	t.Logf("%d canceled", canceled)
}
