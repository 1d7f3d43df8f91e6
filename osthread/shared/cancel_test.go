//go:build !plan9

package shared_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/shared"
)

// A held object has a call that waits for it, and one that lets that go on.
type held struct {
	wait, free func() error
}

// helds returns objects whose waits begin. Threads of their own hold the locks,
// of which some have owners.
func helds(t *testing.T) map[string]held {
	all := map[string]held{}
	for _, pshared := range []bool{false, true} {
		add := func(name string, init error, h held) {
			if init == nil || !errors.Is(init, errors.ErrUnsupported) {
				require.NoError(t, init, name)
				all[fmt.Sprintf("%s, shared=%v", name, pshared)] = h
			}
		}
		for name, a := range map[string]shared.MutexAttr{
			"Mutex": {}, "ErrorCheck": {Kind: shared.ErrorCheck}, "Robust": {Robust: true},
			"Inherit": {Inherit: true}, "Robust, Inherit": {Robust: true, Inherit: true},
		} {
			a.ProcessShared = pshared
			m := new(shared.Mutex)
			if err := m.Init(a); err == nil {
				add(name, nil, held{m.Lock, holder(t, m.Lock, m.Unlock)})
			}
		}
		rw := new(shared.RWMutex)
		if err := rw.Init(shared.RWMutexAttr{ProcessShared: pshared}); err == nil {
			add("RWMutex", nil, held{rw.Lock, holder(t, rw.RLock, rw.RUnlock)})
			r := new(shared.RWMutex)
			require.NoError(t, r.Init(shared.RWMutexAttr{ProcessShared: pshared}))
			add("RWMutex, reader", nil, held{r.RLock, holder(t, r.Lock, r.Unlock)})
		}
		m, c := new(shared.Mutex), new(shared.Cond)
		if m.Init(shared.MutexAttr{ProcessShared: pshared}) == nil {
			add("Cond", c.Init(pshared), held{func() error {
				if err := m.Lock(); err != nil {
					return err
				}
				err := c.Wait(m)
				return errors.Join(err, m.Unlock())
			}, func() error { return nil }})
		}
		s := new(shared.Semaphore)
		add("Semaphore", s.Init(0, pshared), held{s.Acquire, s.Release})
		for _, auto := range []bool{false, true} {
			e := new(shared.Event)
			add(fmt.Sprintf("Event, auto=%v", auto), e.Init(auto, pshared), held{e.Wait, e.Set})
		}
		b := new(shared.Barrier)
		add("Barrier", b.Init(2, pshared), held{
			func() error { _, err := b.Wait(); return err },
			func() error { return nil },
		})
	}
	return all
}

// holder locks on a thread, and returns what makes that unlock and end.
func holder(t *testing.T, lock, unlock func() error) (free func() error) {
	locked, release := new(osthread.Event), new(osthread.Event)
	th, err := osthread.Go(func() error {
		if err := lock(); err != nil {
			return err
		}
		locked.Set()
		release.Wait()
		return unlock()
	})
	require.NoError(t, err)
	locked.Wait()
	return func() error {
		release.Set()
		return th.Join()
	}
}

// A canceled wait returns the cause, and the object goes on.
func TestCancelEndsAWait(t *testing.T) {
	cause := errors.New("cause")
	for name, h := range helds(t) {
		t.Run(name, func(t *testing.T) {
			begun := make(chan struct{})
			th, err := osthread.Go(func() error {
				close(begun)
				err := h.wait()
				assert.NoError(t, osthread.Canceled(), "it came twice")
				assert.Equal(t, cause, context.Cause(osthread.Current().Context()))
				return err
			})
			require.NoError(t, err)
			<-begun
			testutil.Await(func() bool { _, ok := th.Waiting(); return ok })
			th.Cancel(cause)
			assert.ErrorIs(t, th.Join(), cause)
			assert.NoError(t, h.free())
		})
	}
}

func TestCancelEndsAWaitForARing(t *testing.T) {
	cause := errors.New("cause")
	ring, _ := newRing(t, 4096, shared.RingAttr{})
	_, r := sides(t, ring)
	th, err := osthread.Go(func() error { return r.Wait() })
	require.NoError(t, err)
	testutil.Await(func() bool { _, ok := th.Waiting(); return ok })
	th.Cancel(cause)
	assert.ErrorIs(t, th.Join(), cause)
}

// A Cond of package osthread may have a Locker of this one as its L, and must
// hold that again; a Locker's Lock ends for nothing else either.
func TestCancelDoesNotEndTheLockOfALocker(t *testing.T) {
	cause := errors.New("cause")
	m := new(shared.Mutex)
	require.NoError(t, m.Lock())
	l := m.Locker()
	th, err := osthread.Go(func() error {
		l.Lock()
		defer l.Unlock()
		return osthread.Canceled()
	})
	require.NoError(t, err)
	testutil.Await(func() bool { _, ok := th.Waiting(); return ok })
	th.Cancel(cause)
	require.NoError(t, m.Unlock())
	assert.Equal(t, cause, th.Join())
}
