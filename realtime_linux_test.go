package thread

import (
	"errors"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startRealTime starts a thread that lives until leave is called.
func startRealTime(t *testing.T, a *Attr) (th *Thread, leave func()) {
	t.Helper()
	end := make(chan struct{})
	th, err := Start(func() { <-end }, a)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("needs the right to real-time priority")
	}
	require.NoError(t, err)
	return th, func() {
		close(end)
		assert.NoError(t, th.Join())
	}
}

func TestRealTimeThreadsHavePlaces(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		base := runtime.GOMAXPROCS(0)
		added := func() int { return runtime.GOMAXPROCS(0) - base }
		spare := sparePlaces * base

		_, leave := startRealTime(t, attr(Attr{Policy: PolicyFIFO, Priority: 1}))
		assert.Equal(t, spare+1, added())
		_, leave2 := startRealTime(t, attr(Attr{Policy: PolicyRR, Priority: 1}))
		assert.Equal(t, spare+2, added())
		third, leave3 := startRealTime(t, attr(Attr{Policy: PolicyBatch}))
		assert.Equal(t, spare+2, added())
		for range 2 {
			assert.NoError(t, third.SetPriority(PolicyFIFO, 2))
			assert.Equal(t, spare+3, added(), "one place for each thread")
		}
		assert.Error(t, third.SetPriority(PolicyFIFO, 100))
		assert.Equal(t, spare+3, added())
		leave()
		leave2()
		assert.Equal(t, 1, realTime.threads)
		assert.NoError(t, third.SetPriority(PolicyOther, 0))
		assert.Equal(t, 0, added())
		assert.NoError(t, third.SetPriority(PolicyRR, 2))
		assert.Equal(t, spare+1, added())
		leave3()
		assert.Equal(t, 0, added())
		assert.Equal(t, ErrEnded, third.SetPriority(PolicyFIFO, 1))
		assert.Equal(t, 0, added())
		assert.Zero(t, realTime.held)
	})
}

// Places that the program has reserved, and its own GOMAXPROCS, are beside
// those.
func TestRealTimePlacesBesideOthers(t *testing.T) {
	base := runtime.GOMAXPROCS(0)
	release, err := Reserve(2)
	require.NoError(t, err)
	_, leave := startRealTime(t, &Attr{Policy: PolicyFIFO, Priority: 1})
	assert.Equal(t, base+2+sparePlaces*base+1, runtime.GOMAXPROCS(0))
	release()
	leave()
	assert.Equal(t, base, runtime.GOMAXPROCS(0))
	_, leave = startRealTime(t, &Attr{Policy: PolicyFIFO, Priority: 1})
	runtime.GOMAXPROCS(base + 1)
	leave()
	assert.Equal(t, base+1, runtime.GOMAXPROCS(0), "the program's")
	runtime.GOMAXPROCS(base)
}

// Without room for places a thread does without.
func TestRealTimeWithoutRoomForPlaces(t *testing.T) {
	base := runtime.GOMAXPROCS(0)
	places.mu.Lock()
	reserved := places.reserved
	places.reserved = mostPlaces // as if by others
	places.mu.Unlock()
	_, leave := startRealTime(t, &Attr{Policy: PolicyFIFO, Priority: 1})
	assert.Zero(t, realTime.held)
	_, leave2 := startRealTime(t, &Attr{Policy: PolicyFIFO, Priority: 1})
	leave2()
	leave()
	assert.Zero(t, realTime.held)
	places.mu.Lock()
	assert.Equal(t, mostPlaces, places.reserved)
	places.reserved = reserved
	places.mu.Unlock()
	assert.Equal(t, base, runtime.GOMAXPROCS(0))
}

// An attached thread gives its place back when it is detached.
func TestRealTimeAttachedThreads(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	base := runtime.GOMAXPROCS(0)
	th, err := Attach()
	require.NoError(t, err)
	policy, priority, err := th.Priority()
	require.NoError(t, err)
	if err := th.SetPriority(PolicyFIFO, 1); errors.Is(err, syscall.EPERM) {
		require.NoError(t, Detach())
		t.Skip("needs the right to real-time priority")
	}
	assert.Greater(t, runtime.GOMAXPROCS(0), base)
	assert.NoError(t, th.SetPriority(policy, priority))
	assert.Equal(t, base, runtime.GOMAXPROCS(0))
	assert.NoError(t, th.SetPriority(PolicyFIFO, 1))
	assert.NoError(t, Detach()) // of a thread that keeps its policy
	assert.Equal(t, base, runtime.GOMAXPROCS(0))
	th, err = Attach()
	require.NoError(t, err)
	assert.NoError(t, th.SetPriority(policy, priority))
	assert.NoError(t, Detach())
}
