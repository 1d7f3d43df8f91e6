package executor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

func awaitAsleep(th *osthread.Thread) (w osthread.Wait) {
	await(func() (ok bool) { w, ok = th.Waiting(); return ok })
	return w
}

func TestThreadWaitingNamesTheFutureOrWorker(t *testing.T) {
	var leave osthread.Event
	block := func() (int, error) { leave.Wait(); return 1, nil }
	e := newExecutor(t, Options{Threads: 1})
	f, err := Submit(e, block)
	require.NoError(t, err)
	fs := []*Future[int]{f}
	w, err := NewWorker(nil)
	require.NoError(t, err)
	for _, s := range []struct {
		name   string
		sleep  func()
		object any
		ends   bool
	}{
		{"Result", func() { _, _ = f.Result() }, f, false},
		{"ResultTimeout", func() { _, _ = f.ResultTimeout(time.Hour) }, f, true},
		{"Wait", func() { Wait(AllCompleted, fs...) }, fs, false},
		{"AsCompleted", func() {
			for range AsCompleted(fs...) {
			}
		}, fs, false},
		{"Call", func() { _ = w.Call(func() error { leave.Wait(); return nil }) }, w, false},
		{"CallTimeout", func() { _ = w.CallTimeout(func() error { leave.Wait(); return nil }, time.Hour) }, w, true},
	} {
		leave.Clear()
		if f.IsDone() {
			f, err = Submit(e, block)
			require.NoError(t, err)
			fs[0] = f
			if _, ok := s.object.(*Future[int]); ok {
				s.object = f
			}
		}
		after := make(chan struct{})
		th, err := osthread.Go(func() error { s.sleep(); <-after; return nil })
		require.NoError(t, err, s.name)
		got := awaitAsleep(th)
		assert.Equal(t, s.object, got.Object, s.name)
		assert.Equal(t, s.ends, got.Ends, s.name)
		assert.Contains(t, th.String(), "has waited for ", s.name)
		leave.Set()
		await(func() bool { _, ok := th.Waiting(); return !ok })
		close(after)
		assert.NoError(t, th.Join(), s.name)
	}
	require.NoError(t, w.Close())
}

// An idle thread waits for its next task or call, and one with a task for what
// the task waits for. A thread asks for them: on one P an idle thread that a
// goroutine asked last sleeps as a goroutine does, which is not recorded.
func TestThreadWaitingOfPoolThreadsAndWorkers(t *testing.T) {
	e := newExecutor(t, Options{Threads: 1})
	w, err := NewWorker(nil)
	require.NoError(t, err)
	var leave osthread.Event
	sleepsFor := func(th *osthread.Thread, object any) {
		await(func() bool { got, ok := th.Waiting(); return ok && got.Object == object })
	}
	th, err := osthread.Go(func() error {
		assert.NoError(t, w.Call(func() error { return nil }))
		sleepsFor(w.Thread(), "call")
		_, err := Submit(e, func() (int, error) { return 1, nil })
		assert.NoError(t, err)
		sleepsFor(e.Threads()[0], "task")
		_, err = Submit(e, func() (int, error) { leave.Wait(); return 1, nil })
		assert.NoError(t, err)
		sleepsFor(e.Threads()[0], &leave)
		leave.Set()
		sleepsFor(e.Threads()[0], "task")
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, th.Join())
	require.NoError(t, w.Close())
	_, ok := w.Thread().Waiting()
	assert.False(t, ok, "the thread has ended")
}
