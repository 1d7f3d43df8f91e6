package executor

import (
	"testing"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What a thread is that makes one for the first time is no attribute of what it
// makes.
func TestPoolAndWorkerThreadsInheritFromTheProcess(t *testing.T) {
	const nice = 7 // of the maker; a raise needs no rights
	own := func() (int, error) {
		low, err := osthread.Current().OSThread()
		if err != nil {
			return 0, err
		}
		return unix.Getpriority(unix.PRIO_PROCESS, low.NativeID())
	}
	assert.NoError(t, RunIsolatedAttr(&osthread.Attr{Nice: nice}, func() error {
		mine, err := own()
		require.NoError(t, err)

		w, err := NewWorker(nil)
		if err != nil {
			return err
		}
		n, err := Call(w, own)
		assert.NoError(t, err)
		assert.NotEqual(t, mine, n, "worker")
		assert.NoError(t, w.Close())

		timed := make(chan int, 1)
		timer := osthread.NewTimer(0, func() error { n, err := own(); timed <- n; return err }, nil)
		assert.NoError(t, timer.Start())
		assert.NotEqual(t, mine, <-timed, "timer")
		assert.NoError(t, timer.JoinTimeout(time.Hour))
		assert.ErrorIs(t, timer.Start(), osthread.ErrStarted)

		e := newExecutor(t, Options{Threads: 1})
		n, err = must(t, e, own).Result()
		assert.NoError(t, err)
		assert.NotEqual(t, mine, n, "pool")
		return nil
	}))
}

func TestPoolAndWorkerThreadsCannotBeDetached(t *testing.T) {
	detach := func() (int, error) {
		low, err := osthread.Current().OSThread()
		if err != nil {
			return 0, err
		}
		return 0, low.Detach()
	}
	e := newExecutor(t, Options{Threads: 1, OnStart: func() error {
		_, err := detach()
		assert.ErrorIs(t, err, thread.ErrNotJoinable)
		return nil
	}})
	_, err := must(t, e, detach).Result()
	assert.ErrorIs(t, err, thread.ErrNotJoinable)
	w := newWorker(t)
	_, err = Call(w, detach)
	assert.ErrorIs(t, err, thread.ErrNotJoinable)
	assert.NoError(t, w.Close(), "it can be joined")
	assert.NoError(t, e.Close())
}
