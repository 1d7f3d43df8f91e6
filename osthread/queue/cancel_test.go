package queue

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

var errCause = errors.New("cause")

// canceled runs wait on a thread that is canceled while something ends the
// wait, and returns its error.
func canceled(t *testing.T, round int, wait func() error, give func()) error {
	asked := make(chan struct{})
	th, err := osthread.Go(func() error {
		err := wait()
		<-asked
		if left := osthread.Canceled(); err == nil {
			assert.Equal(t, errCause, left, "the Cancel was lost")
		} else {
			assert.NoError(t, left, "the Cancel came twice")
		}
		return err
	})
	require.NoError(t, err)
	testutil.Await(func() bool { _, ok := th.Waiting(); return ok })
	cancel := func() { th.Cancel(errCause); close(asked) }
	if round%3 == 0 { // nothing else ends it
		cancel()
		assert.ErrorIs(t, th.Join(), errCause)
		give()
		return errCause
	}
	var g sync.WaitGroup
	g.Go(cancel)
	g.Go(func() {
		for range round % 5 {
			runtime.Gosched()
		}
		give()
	})
	g.Wait()
	return th.Join()
}

// cancels is how often each kind of wait is canceled.
func cancels() int { return testutil.Rounds("OSTHREAD_TEST_CANCELS", 60, 15) }

// A value is got by the canceled Get or is still there.
func TestCancelOfGetTakesTheValueOrLeavesIt(t *testing.T) {
	buf := make([]int, 2)
	for name, get := range map[string]func(q *Queue[int]) error{
		"Get":  func(q *Queue[int]) error { _, err := q.Get(); return err },
		"GetN": func(q *Queue[int]) error { _, err := q.GetN(buf); return err },
		"WaitAny": func(q *Queue[int]) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = v.(*osthread.CanceledError)
				}
			}()
			op := q.GetOp()
			osthread.WaitAny(op)
			_, err = op.Result()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range cancels() {
				var q Queue[int]
				err := canceled(t, round, func() error { return get(&q) }, func() { assert.NoError(t, q.Put(1)) })
				if err != nil {
					assert.ErrorIs(t, err, errCause)
				}
				assert.Equal(t, err != nil, q.Len() == 1)
			}
		})
	}
}

// A value is put by the canceled Put or is not in the queue.
func TestCancelOfPutStoresTheValueOrNone(t *testing.T) {
	for name, put := range map[string]func(q *Queue[int]) error{
		"Put":    func(q *Queue[int]) error { return q.Put(2) },
		"PutAll": func(q *Queue[int]) error { _, err := q.PutAll([]int{2}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			for round := range cancels() {
				q := New[int](1)
				require.NoError(t, q.Put(1))
				err := canceled(t, round, func() error { return put(q) }, func() {
					v, err := q.Get()
					assert.NoError(t, err)
					assert.Equal(t, 1, v)
				})
				if err != nil {
					assert.Equal(t, errCause, err)
				}
				assert.Equal(t, err == nil, q.Len() == 1)
			}
		})
	}
}

func TestCancelOfJoin(t *testing.T) {
	for round := range cancels() {
		var q Queue[int]
		require.NoError(t, q.Put(1))
		err := canceled(t, round, func() (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = v.(*osthread.CanceledError)
				}
			}()
			q.Join()
			return nil
		}, q.TaskDone)
		if err != nil {
			assert.ErrorIs(t, err, errCause)
		}
		assert.True(t, q.TryJoin())
	}
}
