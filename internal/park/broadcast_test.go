package park

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// onThreads runs n copies of f, each locked to a thread, and returns a function
// that waits for their ends.
func onThreads(n int, f func()) (wait func()) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			f()
		})
	}
	return wg.Wait
}

func TestBroadcastEndWakesAllOfItsEpoch(t *testing.T) {
	const threads, rounds = 4, 200
	forever := Forever()
	var b Broadcast
	for range rounds {
		epoch := b.Epoch()
		wait := onThreads(threads, func() {
			l := Forever()
			assert.True(t, b.Sleep(epoch, nil, &l, nil))
		})
		for b.word.Load()&asleep == 0 {
			runtime.Gosched()
		}
		assert.True(t, b.End(threads), "a thread may be asleep")
		b.Wake()
		wait()
		assert.False(t, b.End(threads), "nobody sleeps")
		assert.True(t, b.Sleep(epoch, new(Spinner), &forever, nil), "the epoch is over")
	}
}

func TestBroadcastSleepEndsAtItsDeadline(t *testing.T) {
	var b Broadcast
	began := time.Now()
	l := For(2 * time.Millisecond)
	assert.False(t, b.Sleep(b.Epoch(), nil, &l, nil))
	assert.GreaterOrEqual(t, time.Since(began), 2*time.Millisecond)
	l = For(0)
	assert.False(t, b.Sleep(b.Epoch(), nil, &l, nil))
}

// A wakeup of an earlier epoch reaches threads that sleep in the next one,
// which sleep again.
func TestBroadcastLateWakeIsSpurious(t *testing.T) {
	const threads = 2
	var b Broadcast
	epoch := b.Epoch()
	var over atomic.Bool
	wait := onThreads(threads, func() {
		l := Forever()
		assert.True(t, b.Sleep(epoch, nil, &l, nil))
		assert.True(t, over.Load())
	})
	for b.word.Load()&asleep == 0 {
		runtime.Gosched()
	}
	for range 100 {
		b.Wake()
	}
	over.Store(true)
	if b.End(threads) {
		b.Wake()
	}
	wait()
}

func TestBroadcastLosesNoWakeup(t *testing.T) {
	const threads, rounds = 3, 5000
	var b Broadcast
	var arrived atomic.Int32
	wait := onThreads(threads, func() {
		for range rounds {
			epoch := b.Epoch()
			if arrived.Add(1) == threads {
				arrived.Store(0)
				if b.End(threads) {
					b.Wake()
				}
				continue
			}
			l := For(time.Minute)
			assert.True(t, b.Sleep(epoch, nil, &l, nil))
		}
	})
	wait()
}

func TestBroadcastYieldsOnlyIfPsAreFew(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 1))
	ask := func() {
		ForgetProcs()
		Procs()
	}
	ask()
	var b Broadcast
	b.End(100 * runtime.NumCPU())
	assert.Zero(t, b.crowded.Load(), "there are more Ps than processors")
	runtime.GOMAXPROCS(runtime.NumCPU())
	ask()
	b.End(runtime.NumCPU())
	assert.Zero(t, b.crowded.Load(), "there is a P for each")
	b.End(runtime.NumCPU() + 1)
	assert.NotZero(t, b.crowded.Load())
}
