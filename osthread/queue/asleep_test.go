package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

func TestThreadWaitingNamesTheQueue(t *testing.T) {
	empty, full, undone, never := New[int](0), New[int](1), New[int](0), New[int](0)
	ops := []osthread.Waitable{empty.GetOp()}
	assert.NoError(t, full.Put(1))
	assert.NoError(t, undone.Put(1))
	get := func() { _, _ = full.Get() }
	for _, s := range []struct {
		name   string
		sleep  func()
		object any
		ends   bool
		wake   func()
	}{
		{"Get", func() { _, _ = empty.Get() }, empty, false, func() { _ = empty.Put(1) }},
		{"GetTimeout", func() { _, _ = never.GetTimeout(200 * time.Millisecond) }, never, true, func() {}},
		{"Put", func() { _ = full.Put(2) }, full, false, get},
		{"Join", undone.Join, undone, false, func() { undone.TaskDone() }},
		{"WaitAny", func() { osthread.WaitAny(ops...) }, ops, false, func() { _ = empty.Put(1) }},
	} {
		asleep, after := make(chan struct{}), make(chan struct{})
		th, err := osthread.Go(func() error { <-asleep; s.sleep(); <-after; return nil })
		require.NoError(t, err, s.name)
		_, waits := th.Waiting()
		assert.False(t, waits, s.name)
		close(asleep)
		var w osthread.Wait
		testutil.Await(func() (ok bool) { w, ok = th.Waiting(); return ok })
		assert.Equal(t, s.object, w.Object, s.name)
		assert.Equal(t, s.ends, w.Ends, s.name)
		assert.Contains(t, th.String(), "has waited for ", s.name)
		s.wake()
		testutil.Await(func() bool { _, waits = th.Waiting(); return !waits })
		close(after)
		assert.NoError(t, th.Join(), s.name)
	}
}
