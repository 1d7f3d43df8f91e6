//go:build !portablepark && !go1.28

package osthread

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/contention"
	"example.com/thread/internal/testutil"
)

// A contended is a lock that is held, a way to wait for it, and what ends that.
type contended struct {
	name    string
	leaf    string // the method with which the stack in the profile begins
	wait    func()
	asleep  func() int
	release func()
}

func contendedLocks() []contended {
	lock, fair, rlock := new(Lock), &Lock{Fair: true}, new(RLock)
	write, read, down, up := new(RWLock), new(RWLock), new(RWLock), new(RWLock)
	sem := NewSemaphore(1)
	c := NewCondition(new(Lock))
	for _, l := range []sync.Locker{lock, fair, rlock, write, read.RLocker(), down} {
		l.Lock()
	}
	up.RLock()
	up.RLock()
	sem.Acquire(1)
	mutexLen := func(m *mutex) func() int {
		return func() int {
			q := m.findQueue()
			if q == nil {
				return 0
			}
			defer m.unlockQueue(q)
			return q.Len()
		}
	}
	waitLock := func(l sync.Locker) func() { return func() { l.Lock(); defer l.Unlock() } }
	rwLen := func(w *RWLock) func() int { return waiting(w.queue()) }
	return []contended{
		{"Lock", "(*Lock).Unlock", waitLock(lock), mutexLen(lock.mutex()), lock.Unlock},
		{"fair", "(*Lock).Unlock", waitLock(fair), mutexLen(fair.mutex()), fair.Unlock},
		{"RLock", "(*RLock).Unlock", waitLock(rlock), mutexLen(&rlock.mutex), rlock.Unlock},
		{"writer", "(*RWLock).Unlock", waitLock(write.RLocker()), rwLen(write), write.Unlock},
		{"reader", "(*RWLock).RUnlock", waitLock(read), rwLen(read), read.RUnlock},
		{"downgrade", "(*RWLock).Downgrade", waitLock(down.RLocker()), rwLen(down), down.Downgrade},
		{"upgrade", "(*RWLock).RUnlock", func() { _ = up.Upgrade() }, rwLen(up), up.RUnlock},
		{
			"semaphore", "(*Semaphore).Release",
			func() { sem.Acquire(1) }, waiting(sem.queue()), func() { sem.Release(1) },
		},
		{"requeued", "(*Lock).Unlock", func() { c.L.Lock(); c.Wait(); c.L.Unlock() }, func() int {
			// The condition's waiters, moved to the lock's queue.
			c.L.Lock()
			if waiting(c.queue())() == 0 {
				c.L.Unlock()
				return 0
			}
			c.NotifyAll()
			return 1
		}, c.L.Unlock},
	}
}

// releaseContended makes a waiter wait for d and releases the lock that it
// waits for. Its name is in the profile.
//
//go:noinline
func releaseContended(c contended, d time.Duration) {
	await(func() bool { return c.asleep() > 0 })
	new(Event).WaitTimeout(d)
	c.release()
}

// mutexProfile returns the stacks of the mutex profile that contain fn, as
// lines of functions from the leaf up, with the time that was waited.
func mutexProfile(t *testing.T, fn string) map[string]time.Duration {
	var text bytes.Buffer
	require.NoError(t, pprof.Lookup("mutex").WriteTo(&text, 1))
	var perSecond float64
	_, err := fmt.Sscanf(text.String(), "--- mutex:\ncycles/second=%f\n", &perSecond)
	require.NoError(t, err)
	records := make([]runtime.BlockProfileRecord, 10_000)
	n, ok := runtime.MutexProfile(records)
	require.True(t, ok)
	found := map[string]time.Duration{}
	for _, r := range records[:n] {
		var names []string
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			names = append(names, f.Function[strings.LastIndexByte(f.Function, '/')+1:])
		}
		if stack := strings.Join(names, "\n"); strings.Contains(stack, fn) {
			found[stack] += time.Duration(float64(r.Cycles) / perSecond * 1e9)
		}
	}
	return found
}

// An Unlock that leaves the lock to the spinner is charged with about what that
// has spun.
func TestMutexProfileHasClaims(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	const d, sample = time.Second, 100 * time.Millisecond // the clock's unit is the processor's
	var l Lock
	l.Lock()
	l.word.Or(claimed)
	began := contention.Now()
	new(Event).WaitTimeout(sample)
	defer claimWait.Store(claimWait.Swap((contention.Now() - began) * int64(d/sample)))
	l.Unlock()
	var got time.Duration
	for stack, waited := range mutexProfile(t, "TestMutexProfileHasClaims") {
		assert.True(t, strings.HasPrefix(stack, "osthread.(*Lock).Unlock\nosthread.TestMutexProfileHasClaims"), stack)
		got += waited
	}
	assert.Greater(t, got, d*8/10)
}

// The profile has the time that the waiter has waited, under the method that
// has let it go and that method's caller.
func TestMutexProfileHasContention(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	const d = 20 * time.Millisecond
	callers(t, func(t *testing.T, g *testutil.Group) {
		for _, c := range contendedLocks() {
			before := mutexProfile(t, "releaseContended")
			join := g.Run(c.wait)
			releaseContended(c, d)
			join()
			var got time.Duration
			after := mutexProfile(t, "releaseContended")
			for stack, waited := range after {
				// Function values have a wrapper in between.
				if strings.HasPrefix(stack, "osthread."+c.leaf+"\n") {
					got += waited - before[stack]
				}
			}
			// The clock may be coarse, and the profile's unit is estimated.
			assert.Greater(t, got, d/2, "%s: %v", c.name, after)
			assert.Less(t, got, time.Minute, c.name)
		}
	})
}
