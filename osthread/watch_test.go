package osthread

import (
	"context"
	"os"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/internal/watch"
)

// inWatchMode runs the calling test in watch mode: in this process if that is
// watched, and otherwise in a child that is. It returns whether to go on.
func inWatchMode(t *testing.T) bool {
	if watch.On {
		return true
	}
	cmd := leak.Command(t.Context(), "-test.run=^"+t.Name()+"$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "OSTHREAD_WATCH=1")
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	return false
}

// A held is what the holders of an object are asked for.
type held struct {
	p   *watch.Party
	how watch.How
	n   int
}

// holders returns the holders of object, a pointer.
func holders(object any) (hs []held) {
	for _, s := range watch.States() {
		for _, h := range s.Holds {
			if reflect.ValueOf(h.Object).Pointer() == reflect.ValueOf(object).Pointer() {
				hs = append(hs, held{s.Party, h.How, h.N})
			}
		}
	}
	return hs
}

// partyOf runs f in another goroutine, and returns that one's party.
func partyOf(f func()) (p *watch.Party) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p = watch.Here()
		f()
	}()
	<-done
	return p
}

// Each way to acquire each primitive makes the caller its holder, and the
// release that belongs to it ends that.
func TestWatchKnowsTheHolderOfEveryPrimitive(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var l Lock
	var r RLock
	var w RWLock
	s := NewSemaphore(5)
	e := new(Event)
	ctx, long := context.Background(), time.Minute
	exclusive, shared := watch.Exclusive, watch.Shared
	for _, c := range []struct {
		name    string
		object  any
		how     watch.How
		n       int
		acquire func()
		release func()
	}{
		{"Lock", &l, exclusive, 1, l.Lock, l.Unlock},
		{"Lock.Try", &l, exclusive, 1, func() { l.TryLock() }, l.Unlock},
		{"Lock.Timeout", &l, exclusive, 1, func() { l.LockTimeout(long) }, l.Unlock},
		{"Lock.Context", &l, exclusive, 1, func() { _ = l.LockContext(ctx) }, l.Unlock},
		{"RLock", &r, exclusive, 1, r.Lock, r.Unlock},
		{"RLock.Try", &r, exclusive, 1, func() { r.TryLock() }, r.Unlock},
		{"RLock.Timeout", &r, exclusive, 1, func() { r.LockTimeout(long) }, r.Unlock},
		{"RLock.Context", &r, exclusive, 1, func() { _ = r.LockContext(ctx) }, r.Unlock},
		{"RWLock", &w, exclusive, 1, w.Lock, w.Unlock},
		{"RWLock.Try", &w, exclusive, 1, func() { w.TryLock() }, w.Unlock},
		{"RWLock.Timeout", &w, exclusive, 1, func() { w.LockTimeout(long) }, w.Unlock},
		{"RWLock.Context", &w, exclusive, 1, func() { _ = w.LockContext(ctx) }, w.Unlock},
		{"RWLock reader", &w, shared, 1, w.RLock, w.RUnlock},
		{"RWLock reader Try", &w, shared, 1, func() { w.TryRLock() }, w.RUnlock},
		{"RWLock reader Timeout", &w, shared, 1, func() { w.RLockTimeout(long) }, w.RUnlock},
		{"RWLock reader Context", &w, shared, 1, func() { _ = w.RLockContext(ctx) }, w.RUnlock},
		{"RLocker", &w, shared, 1, w.RLocker().Lock, w.RLocker().Unlock},
		{"Semaphore", s, watch.Permits, 3, func() { s.Acquire(3) }, func() { s.Release(3) }},
		{"Semaphore.Try", s, watch.Permits, 3, func() { s.TryAcquire(3) }, func() { s.Release(3) }},
		{"Semaphore.Context", s, watch.Permits, 3, func() { _ = s.AcquireContext(ctx, 3) }, func() { s.Release(3) }},
		{"WaitAny", s, watch.Permits, 1, func() { WaitAny(e, s) }, func() { s.Release(1) }},
		{"WaitAll", s, watch.Permits, 2, func() { WaitAll(s, s) }, func() { s.Release(2) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the first use of a lock, and another
				p := watch.Here()
				c.acquire()
				assert.Equal(t, []held{{p, c.how, c.n}}, holders(c.object))
				c.release()
				assert.Empty(t, holders(c.object))
				assert.False(t, watch.HandedOff(c.object))
			}
		})
	}
}

func TestWatchKnowsAllReaders(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var w RWLock
	w.RLock()
	first := watch.Here()
	release, second := make(chan struct{}), make(chan *watch.Party)
	go func() {
		w.RLock()
		second <- watch.Here()
		<-release
		w.RUnlock()
		second <- nil
	}()
	other := <-second
	assert.ElementsMatch(t, []held{{first, watch.Shared, 1}, {other, watch.Shared, 1}}, holders(&w))
	w.RUnlock()
	assert.Equal(t, []held{{other, watch.Shared, 1}}, holders(&w), "RUnlock ends the caller's")
	close(release)
	<-second
	assert.Empty(t, holders(&w))
}

func TestWatchKnowsUpgradersAndDowngraders(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var w RWLock
	me := watch.Here()
	w.RLock()
	require.NoError(t, w.Upgrade())
	assert.Equal(t, []held{{me, watch.Exclusive, 1}}, holders(&w))
	w.Downgrade()
	assert.Equal(t, []held{{me, watch.Shared, 1}}, holders(&w))
	w.RUnlock()
	assert.Empty(t, holders(&w))
}

func TestWatchCountsALockThatIsLockedAgainOnce(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var r RLock
	me := []held{{watch.Here(), watch.Exclusive, 1}}
	r.Lock()
	r.Lock()
	assert.Equal(t, me, holders(&r))
	r.Unlock()
	assert.Equal(t, me, holders(&r))
	r.Unlock()
	assert.Empty(t, holders(&r))
}

// holdsAlone waits until the caller is known as the only holder of object: an
// Unlock is noted a little later.
func holdsAlone(object any) bool {
	me := held{watch.Here(), watch.Exclusive, 1}
	testutil.Await(func() bool { hs := holders(object); return len(hs) == 1 && hs[0] == me })
	return true
}

// A caller that waits for a Condition does not hold L, and holds it again when
// it returns: in each way in which it gets it back.
func TestWatchKnowsThatAConditionsWaiterDoesNotHoldL(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	for _, l := range []interface {
		Lock()
		Unlock()
	}{&Lock{}, &RLock{}, &RWLock{}, &Lock{Fair: true}} {
		c := NewCondition(l)
		parties, done := make(chan *watch.Party), make(chan bool)
		for range 2 {
			go func() {
				parties <- watch.Here()
				l.Lock()
				c.Wait()
				done <- holdsAlone(l)
				l.Unlock()
				done <- true
			}()
			<-parties
		}
		for waiting := 0; waiting < 2; {
			l.Lock()
			waiting = c.Waiting()
			assert.True(t, holdsAlone(l))
			if waiting == 2 {
				c.NotifyAll()
			}
			l.Unlock()
		}
		for range 4 {
			assert.True(t, <-done)
		}
		l.Lock()
		c.WaitTimeout(time.Millisecond)
		assert.True(t, holdsAlone(l))
		l.Unlock()
		assert.Empty(t, holders(l))
		assert.False(t, watch.HandedOff(l))
	}
}

// An Unlock by another goroutine than locked it takes the holder's hold away,
// and the lock's holders are no proof any more.
func TestWatchKnowsAHandoff(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var l Lock
	for range 3 {
		locker := partyOf(l.Lock)
		assert.Equal(t, []held{{locker, watch.Exclusive, 1}}, holders(&l), "of a goroutine that has ended")
		l.Unlock()
		assert.Empty(t, holders(&l))
		assert.True(t, watch.HandedOff(&l))
	}
}

// What was released in place of its holder, or was never noted, does not show.
func TestWatchKnowsNoHolderOfPermitsThatOthersRelease(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	s := NewSemaphore(0)
	s.Release(2)
	assert.Empty(t, holders(s))
	assert.True(t, watch.HandedOff(s))
}

func TestWatchNotesNothingThatWasNotAcquired(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var l Lock
	partyOf(l.Lock)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.False(t, l.TryLock())
	assert.False(t, l.LockTimeout(time.Millisecond))
	assert.Error(t, l.LockContext(ctx))
	require.Len(t, holders(&l), 1)
	l.Unlock()
	assert.Panics(t, l.Unlock)
	assert.Empty(t, holders(&l))
}

func TestWatchKnowsHoldersOnThreads(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	var l Lock
	locked, unlock := make(chan *watch.Party), make(chan struct{})
	th, err := Go(func() error {
		l.Lock()
		locked <- watch.Here()
		<-unlock
		l.Unlock()
		return nil
	})
	require.NoError(t, err)
	p := <-locked
	assert.Equal(t, []held{{p, watch.Exclusive, 1}}, holders(&l))
	assert.NotZero(t, p.Slot())
	close(unlock)
	require.NoError(t, th.Join())
	assert.Empty(t, holders(&l))
}

func TestNamedNamesAnObject(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	l := Named(new(Lock), "accounts")
	l.Lock()
	defer l.Unlock()
	assert.Equal(t, "accounts", watch.NameOf(l))
	assert.NotEmpty(t, watch.FirstUse(l))
	assert.Empty(t, watch.NameOf(new(Lock)))
}

// The first two that lock it at once find one object, not two.
func TestWatchKeepsTheNameOfWhatTwoLockFirst(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	for range 2000 {
		l, w := Named(new(Lock), "lock"), Named(new(RWLock), "rwlock")
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { With(l, func() {}); With(w.RLocker(), func() {}) })
		}
		both.Wait()
		require.Equal(t, "lock", watch.NameOf(l))
		require.Equal(t, "rwlock", watch.NameOf(w))
	}
}

// Permits that others release have no holder once their taker has ended.
func TestWatchForgetsPermitsOfGoroutinesThatEnded(t *testing.T) {
	if !inWatchMode(t) {
		return
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" || buildinfo.Sanitized {
		t.Skip("the party of a goroutine that has ended is not used again, nor with a sanitizer its g")
	}
	var s Semaphore
	const n = 10_000
	for range n {
		s.Release(1)
		partyOf(func() { s.Acquire(1) })
	}
	assert.Less(t, len(watch.States()), n/10)
}
