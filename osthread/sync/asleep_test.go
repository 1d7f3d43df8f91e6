package sync_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/sync"
)

// The types of this package are made of those of package osthread, which a wait
// names.
func TestThreadWaitingKnowsTheWaitsOfThisPackage(t *testing.T) {
	var m sync.Mutex
	var rw sync.RWMutex
	var g sync.WaitGroup
	var once sync.Once
	c := sync.NewCond(new(sync.Mutex))
	m.Lock()
	rw.Lock()
	g.Add(1)
	in, out := make(chan struct{}), make(chan struct{})
	go once.Do(func() { close(in); <-out })
	<-in
	for _, s := range []struct {
		name   string
		sleep  func()
		object any
		wake   func()
	}{
		{"Mutex", m.Lock, new(osthread.Lock), m.Unlock},
		{"RWMutex", rw.RLock, new(osthread.RWLock), rw.Unlock},
		{"WaitGroup", g.Wait, new(osthread.Event), g.Done},
		{"Once", func() { once.Do(func() {}) }, new(osthread.Lock), func() { close(out) }},
		{"Cond", func() { c.L.Lock(); c.Wait(); c.L.Unlock() }, new(osthread.Condition), c.Broadcast},
	} {
		after := make(chan struct{})
		th, err := osthread.Go(func() error { s.sleep(); <-after; return nil })
		require.NoError(t, err, s.name)
		var w osthread.Wait
		testutil.Await(func() (ok bool) { w, ok = th.Waiting(); return ok })
		assert.IsType(t, s.object, w.Object, s.name)
		assert.False(t, w.Ends, s.name)
		s.wake()
		testutil.Await(func() bool { _, asleep := th.Waiting(); return !asleep })
		close(after)
		assert.NoError(t, th.Join(), s.name)
	}
}
