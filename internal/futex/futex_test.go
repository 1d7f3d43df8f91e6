package futex

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// The tests of the contract, for the implementation that is built. Other files
// define what depends on it: counts, whether Wake and sleepers count; sleepers,
// the number of threads that sleep on a word; and mapped, a word outside of
// Go's memory.
//
// Some tests assume that a sleep without a deadline does not end spuriously:
// the kernel resumes it after a signal (SA_RESTART), and no other test uses the
// word.

func TestMain(m *testing.M) { leak.Main(m, func() string { return "" }) }

// watch ends the process with all stacks if the test takes far longer than on a
// busy machine: with cgo, Go itself does not see a deadlock.
func watch(t *testing.T) {
	t.Helper()
	dog := time.AfterFunc(testutil.Timeout, func() {
		stacks := make([]byte, 1<<20)
		panic(fmt.Sprintf("%s hangs\n%s", t.Name(), stacks[:runtime.Stack(stacks, true)]))
	})
	t.Cleanup(func() { dog.Stop() })
}

// needCounts skips a test if the system does not count.
func needCounts(t *testing.T) {
	t.Helper()
	if !counts {
		t.Skip("this system does not count sleepers")
	}
}

// awaitSleepers returns when n sleep on w.
func awaitSleepers(w *uint32, n int) {
	for sleepers(w) != n {
		runtime.Gosched()
	}
}

// waitThrough waits on a word that does not change, through spurious wakeups.
func waitThrough(w *uint32, deadline int64) Result {
	for {
		if r := Wait(w, atomic.LoadUint32(w), deadline); r != Woken {
			return r
		}
	}
}

func TestWaitReturnsChangedWhenTheWordDiffers(t *testing.T) {
	watch(t)
	for _, c := range []struct {
		name     string
		deadline int64
	}{
		{"never", Never},
		{"to come", After(time.Hour)},
		{"now", After(0)},
		{"passed", After(0) - 1},
		{"zero", 0},
		{"negative", -1},
		{"least", math.MinInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := uint32(1)
			assert.Equal(t, Changed, Wait(&w, 0, c.deadline))
			assert.Equal(t, Changed, Wait(&w, math.MaxUint32, c.deadline))
		})
	}
}

func TestWaitComparesAllBits(t *testing.T) {
	watch(t)
	for bit := range 32 {
		w := uint32(1) << bit
		assert.Equal(t, Changed, Wait(&w, 0, Never), "bit %d", bit)
		assert.Equal(t, TimedOut, waitThrough(&w, 0), "bit %d", bit)
	}
}

func TestWaitTimesOutAtOnceAfterItsDeadline(t *testing.T) {
	watch(t)
	for _, c := range []struct {
		name     string
		deadline int64
	}{
		{"after 0", After(0)},
		{"after -1", After(-1)},
		{"after the least", After(math.MinInt64)},
		{"zero", 0},
		{"negative", -1},
		{"a negative second", -1e9},
		{"least", math.MinInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w uint32
			assert.Equal(t, TimedOut, waitThrough(&w, c.deadline))
		})
	}
}

func TestWaitIsNotEarly(t *testing.T) {
	watch(t)
	var w uint32
	for _, d := range []time.Duration{
		1, time.Microsecond, 50 * time.Microsecond, 999 * time.Microsecond, time.Millisecond,
		1500 * time.Microsecond, 5 * time.Millisecond,
	} {
		for range 10 { // most sleeps end so late that they would hide an early deadline
			begin, deadline := time.Now(), After(d)
			assert.Equal(t, TimedOut, waitThrough(&w, deadline), d)
			assert.GreaterOrEqual(t, Now(), deadline, d)
			assert.GreaterOrEqual(t, time.Since(begin), d)
		}
	}
}

func TestWaitSleepsWithAVeryLateDeadline(t *testing.T) {
	needCounts(t)
	watch(t)
	for _, deadline := range []int64{
		Never, Never - 1, Never - int64(time.Second), After(math.MaxInt64 - 1), After(1 << 62),
		math.MaxInt32 * 1e9, (1<<31 + 1) * 1e9,
	} {
		var w uint32
		done := make(chan struct{})
		go func() {
			defer close(done)
			for atomic.LoadUint32(&w) == 0 {
				assert.NotEqual(t, TimedOut, Wait(&w, 0, deadline), "deadline %d", deadline)
			}
		}()
		awaitSleepers(&w, 1)
		atomic.StoreUint32(&w, 1)
		Wake(&w, 1)
		<-done
	}
}

func TestAfterSaturates(t *testing.T) {
	assert.Equal(t, int64(Never), After(math.MaxInt64))
	assert.Less(t, After(math.MaxInt64/2), int64(Never))
	for _, d := range []time.Duration{0, -1, math.MinInt64} {
		assert.LessOrEqual(t, After(d), Now(), d)
		assert.GreaterOrEqual(t, After(d), int64(0), d)
	}
	before := Now()
	assert.GreaterOrEqual(t, After(time.Hour), before+int64(time.Hour))
}

func TestNowDoesNotGoBack(t *testing.T) {
	last := Now()
	assert.GreaterOrEqual(t, last, int64(0))
	for range 10_000 {
		now := Now()
		if now < last {
			t.Fatalf("got %d after %d", now, last)
		}
		last = now
	}
}

func TestWakeWithoutSleepersReturnsZero(t *testing.T) {
	var w uint32
	for _, n := range []int{math.MinInt, -1, 0, 1, math.MaxInt32, math.MaxInt} {
		assert.Zero(t, Wake(&w, n), n)
	}
}

// wakeChanged has a goroutine sleep on w, which holds 0, and changes w, wakes
// the sleeper and waits for its end.
func wakeChanged(w *uint32) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for atomic.LoadUint32(w) == 0 {
			Wait(w, 0, Never)
		}
	}()
	if counts {
		awaitSleepers(w, 1)
	}
	atomic.StoreUint32(w, 1)
	Wake(w, 1)
	<-done
}

func TestWakeWakesASleeper(t *testing.T) {
	watch(t)
	var w uint32
	wakeChanged(&w)
}

func TestWakeNeedsNoChangeOfTheWord(t *testing.T) {
	watch(t)
	var w uint32
	ended := make(chan Result, 1)
	go func() { ended <- Wait(&w, 0, Never) }()
	// If Wake does not count it is repeated until the sleeper has returned.
	for Wake(&w, 1) == 0 && len(ended) == 0 {
		runtime.Gosched()
	}
	assert.Equal(t, Woken, <-ended)
}

func TestWakeWakesAtMostN(t *testing.T) {
	needCounts(t)
	watch(t)
	const all = 7
	var w uint32
	ended := make(chan Result, all)
	for range all {
		go func() { ended <- Wait(&w, 0, Never) }()
	}
	awaitSleepers(&w, all)
	left := all
	for _, c := range []struct{ n, want int }{
		{0, 0}, {-1, 0}, {math.MinInt, 0}, {1, 1}, {2, 2}, {math.MaxInt32, 4}, {1, 0},
	} {
		assert.Equal(t, c.want, Wake(&w, c.n), "Wake(%d)", c.n)
		left -= c.want
		for range c.want {
			assert.Equal(t, Woken, <-ended)
		}
		awaitSleepers(&w, left)
	}
	assert.Empty(t, ended)
}

func TestWakeWithTheGreatestIntWakesAll(t *testing.T) {
	watch(t)
	const all = 5
	var w uint32
	var wg sync.WaitGroup
	for range all {
		wg.Go(func() {
			for atomic.LoadUint32(&w) == 0 {
				Wait(&w, 0, Never)
			}
		})
	}
	if counts {
		awaitSleepers(&w, all)
	}
	atomic.StoreUint32(&w, 1)
	woken := Wake(&w, math.MaxInt)
	if counts {
		assert.Equal(t, all, woken)
	}
	wg.Wait()
}

func TestWakeIsFIFO(t *testing.T) {
	needCounts(t)
	watch(t)
	const all = 6
	var w uint32
	ended := make(chan int)
	for i := range all {
		go func() {
			Wait(&w, 0, Never)
			ended <- i
		}()
		awaitSleepers(&w, i+1)
	}
	for i := range all {
		assert.Equal(t, 1, Wake(&w, 1))
		assert.Equal(t, i, <-ended)
	}
}

func TestWakeWakesNoSleeperOfAnotherWord(t *testing.T) {
	needCounts(t)
	watch(t)
	words := make([]uint32, 32)
	ended := make(chan int)
	for i := range words {
		go func() {
			Wait(&words[i], 0, Never)
			ended <- i
		}()
		awaitSleepers(&words[i], 1)
	}
	for _, i := range rand.Perm(len(words)) {
		assert.Equal(t, 1, Wake(&words[i], math.MaxInt32))
		assert.Equal(t, i, <-ended)
	}
}

func TestWaitTimeoutLeavesNoSleeper(t *testing.T) {
	needCounts(t)
	watch(t)
	var w uint32
	for range 50 {
		waitThrough(&w, After(time.Microsecond))
		assert.Zero(t, sleepers(&w))
		assert.Zero(t, Wake(&w, 1))
	}
}

func TestWaitKeepsTheWordOffTheStack(t *testing.T) {
	same := make(chan bool)
	go func() {
		var w uint32
		before := uintptr(unsafe.Pointer(&w))
		Wait(&w, 1, Never)
		grow(1000)
		same <- uintptr(unsafe.Pointer(&w)) == before
	}()
	assert.True(t, <-same)
}

// grow makes the stack move.
func grow(n int) (sum byte) {
	var frame [1024]byte
	if n > 0 {
		sum = grow(n - 1)
	}
	frame[n%len(frame)] = sum
	return frame[0]
}

func TestWaitWorksOnForeignMemory(t *testing.T) {
	watch(t)
	w := mapped(t)
	assert.Equal(t, Changed, Wait(w, 1, Never))
	assert.Equal(t, TimedOut, waitThrough(w, After(time.Millisecond)))
	wakeChanged(w)
}

func TestWakeIsNotLostBetweenTwo(t *testing.T) {
	for _, c := range []struct {
		name     string
		deadline func() int64
	}{
		{"no deadline", func() int64 { return Never }},
		{"random deadlines", soon},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t)
			const rounds = 1000
			var turn uint32
			play := func(me uint32) {
				for range rounds {
					for atomic.LoadUint32(&turn) != me {
						Wait(&turn, 1-me, c.deadline())
					}
					atomic.StoreUint32(&turn, 1-me)
					Wake(&turn, 1)
				}
			}
			var wg sync.WaitGroup
			wg.Go(func() { play(0) })
			wg.Go(func() { play(1) })
			wg.Wait()
		})
	}
}

// soon returns a deadline 0 to 100 us from now, and now and then Never.
func soon() int64 {
	if rand.IntN(4) == 0 {
		return Never
	}
	return After(time.Duration(rand.IntN(100)) * time.Microsecond)
}

// Tokens are given one at a time with one Wake each, and taken by sleepers with
// any deadline. A lost wakeup leaves a token, and a taker that sleeps for ever.
func TestWakeIsNotLostAmongMany(t *testing.T) {
	watch(t)
	const givers, takers, each = 2, 6, 500
	var tokens uint32
	take := func() {
		for {
			n := atomic.LoadUint32(&tokens)
			if n == 0 {
				Wait(&tokens, 0, soon())
			} else if atomic.CompareAndSwapUint32(&tokens, n, n-1) {
				return
			}
		}
	}
	var wg sync.WaitGroup
	for range givers {
		wg.Go(func() {
			for range takers * each / givers {
				for atomic.LoadUint32(&tokens) > takers/2 {
					runtime.Gosched() // a heap of tokens would put nobody to sleep
				}
				atomic.AddUint32(&tokens, 1)
				Wake(&tokens, 1)
			}
		})
	}
	for range takers {
		wg.Go(func() {
			for range each {
				take()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, tokens)
}

// In each round the sleepers' deadline and the wakeup are due at the same time.
// The word does not change, so for each wakeup that was counted exactly one
// Wait must return Woken.
func TestWakeIsNotBothCountedAndTimedOut(t *testing.T) {
	needCounts(t)
	for _, c := range []struct{ sleepers, rounds int }{{1, 2000}, {3, 500}} {
		t.Run(fmt.Sprintf("sleepers=%d", c.sleepers), func(t *testing.T) {
			watch(t)
			var counted, timedOut int
			for range c.rounds {
				var w uint32
				at := After(time.Duration(rand.IntN(100)) * time.Microsecond)
				ended := make(chan Result, c.sleepers)
				for range c.sleepers {
					go func() { ended <- Wait(&w, 0, at) }()
				}
				for lead := int64(rand.IntN(20_000)); Now() < at-lead; {
					runtime.Gosched() // so that with one P the sleepers come to sleep
				}
				n := Wake(&w, 1) + Wake(&w, 1)
				woken := 0
				for range c.sleepers {
					if <-ended == Woken {
						woken++
					}
				}
				if n > woken {
					t.Fatalf("got %d counted by Wake, but %d of %d sleepers woken", n, woken, c.sleepers)
				}
				counted += n
				timedOut += c.sleepers - woken
			}
			t.Logf("%d woken, %d timed out", counted, timedOut)
		})
	}
}
