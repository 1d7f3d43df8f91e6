package park

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/waits"
)

// sleepers runs f for both kinds of callers. A goroutine that is locked to its
// thread has one of its own.
func sleepers(t *testing.T, f func(t *testing.T)) {
	for name, thread := range map[string]bool{"thread": true, "goroutine": false} {
		t.Run(name, func(t *testing.T) {
			SetOnThread(func() bool { return thread })
			f(t)
		})
	}
}

func awaitAsleep(w *Waiter) {
	for !w.Asleep() {
		runtime.Gosched()
	}
}

// limit returns the limit of both, even of a context that is done.
func limit(deadline int64, ctx context.Context) Limit {
	l, err := Until(ctx)
	if err != nil {
		l = Limit{ctx: ctx, done: ctx.Done()}
	}
	l.deadline = deadline
	return l
}

func TestUnparkBeforeParkIsKept(t *testing.T) {
	sleepers(t, func(t *testing.T) {
		var w Waiter
		w.Unpark()
		w.Unpark()
		assert.Equal(t, Unparked, w.Park(Forever()))
		assert.Equal(t, TimedOut, w.Park(For(0)), "permits do not add up")
		done, cancel := context.WithCancel(context.Background())
		cancel()
		assert.Equal(t, Canceled, w.Park(limit(futex.Never, done)))
		w.Unpark()
		assert.Equal(t, Unparked, w.Park(limit(futex.Now(), done)), "a permit that is there is taken")
	})
}

// Unpark may come after Park's first check and before its sleep.
func TestUnparkBetweenCheckAndSleepIsKept(t *testing.T) {
	for name, park := range map[string]func(*Waiter, *Limit, *waits.Record) Outcome{
		"thread": (*Waiter).parkThread, "goroutine": (*Waiter).parkGoroutine, "thread on one P": (*Waiter).parkThreadOnOneP,
		"goroutine that selects": func(w *Waiter, l *Limit, _ *waits.Record) Outcome { return w.parkSelecting(l) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, deadline := range []int64{futex.Never, futex.After(time.Hour)} {
				for _, ctx := range []context.Context{context.Background(), t.Context()} {
					var w Waiter
					l := limit(deadline, ctx)
					w.Unpark()
					assert.Equal(t, Unparked, park(&w, &l, nil))
				}
			}
		})
	}
}

func TestParkReturnsWhatEndedTheSleep(t *testing.T) {
	sleepers(t, func(t *testing.T) {
		w := &Waiter{Spin: new(Spinner)}
		for range 20 {
			for _, want := range []Outcome{Unparked, TimedOut, Canceled} {
				ctx, cancel := context.WithCancel(context.Background())
				deadline := int64(futex.Never)
				if want == TimedOut {
					deadline = futex.After(time.Millisecond)
				}
				got := make(chan Outcome)
				go func() {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					got <- w.Park(limit(deadline, ctx))
				}()
				switch want {
				case Unparked:
					awaitAsleep(w)
					w.Unpark()
				case Canceled:
					awaitAsleep(w)
					cancel()
				}
				assert.Equal(t, want, <-got)
				if want == TimedOut {
					assert.GreaterOrEqual(t, futex.Now(), deadline)
				}
				cancel()
			}
		}
	})
}

// A deadline, a wakeup and a cancellation may come at any point before the
// sleep. Exactly one Park takes each permit, and no Park sleeps on.
func TestParkLosesNoPermitAmongDeadlinesAndCancellations(t *testing.T) {
	const permits = 1000
	sleepers(t, func(t *testing.T) {
		w := &Waiter{Spin: new(Spinner)}
		var taken atomic.Int64
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for taken.Load() < permits {
				ctx, cancel := context.WithCancel(context.Background())
				deadline := int64(futex.Never)
				switch rand.IntN(4) {
				case 0:
					deadline = futex.After(time.Duration(rand.IntN(20)) * time.Microsecond)
				case 1:
					go cancel()
				}
				if w.Park(limit(deadline, ctx)) == Unparked {
					taken.Add(1)
				}
				cancel()
			}
		}()
		for i := range int64(permits) {
			w.Unpark()
			for taken.Load() == i { // until it is taken, since permits do not accumulate
				runtime.Gosched()
			}
		}
		wg.Wait()
		assert.EqualValues(t, permits, taken.Load())
		assert.Equal(t, TimedOut, w.Park(For(0)))
	})
}

// However many wait with one context, nothing is started for them, even if
// package context does not know the context's type.
func TestParkStartsNoGoroutineForAContext(t *testing.T) {
	const waiters = 100
	SetOnThread(func() bool { return false })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	ws := make([]Waiter, waiters)
	for i := range ws {
		wg.Go(func() {
			l, err := Until(bare{ctx.Done()})
			if assert.NoError(t, err) {
				assert.Equal(t, Canceled, ws[i].Park(l.AtMost(time.Hour)))
			}
		})
	}
	for i := range ws {
		awaitAsleep(&ws[i])
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before+waiters)
	cancel()
	wg.Wait()
}

// A waker that locks the guard after the owner has found nothing finds the
// owner asleep.
func TestParkUnderIsAsleepOnceTheGuardIsUnlocked(t *testing.T) {
	if !CanParkUnder {
		t.Skip("this build has no sleep under a guard")
	}
	const passes = 20_000
	type side struct {
		Waiter
		guard  atomic.Uint32
		given  int // a side may give twice before the other takes
		asleep bool
	}
	lock := func(s *side) {
		for !s.guard.CompareAndSwap(0, 1) {
			runtime.Gosched()
		}
	}
	sides := [2]*side{{}, {}}
	give := func(s *side) {
		lock(s)
		wake := s.asleep
		s.asleep = false
		if !wake {
			s.given++
		}
		s.guard.Store(0)
		if wake {
			s.Ready()
		}
	}
	take := func(s *side) {
		lock(s)
		if s.given > 0 {
			s.given--
			s.guard.Store(0)
			return
		}
		s.asleep = true
		s.ParkUnder(&s.guard)
	}
	var wg sync.WaitGroup
	for i := range sides {
		wg.Go(func() {
			for range passes {
				give(sides[1-i])
				take(sides[i])
			}
		})
	}
	wg.Wait()
}

// What came before Unpark is visible after the Park that it ends. The race
// detector checks that.
func TestUnparkSynchronizesBeforePark(t *testing.T) {
	sleepers(t, func(t *testing.T) {
		a, b := &Waiter{Spin: new(Spinner)}, new(Waiter)
		shared := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 1000 {
				a.Park(Forever())
				shared++
				b.Unpark()
			}
		}()
		for range 1000 {
			shared++
			a.Unpark()
			b.Park(Forever())
		}
		<-done
		assert.Equal(t, 2000, shared)
	})
}

func TestSpinnerSkipsSpinsThatDoNotPay(t *testing.T) {
	var s Spinner
	polls := 0
	never := func() bool { polls++; return false }
	for range 100 {
		assert.False(t, s.Until(never))
	}
	assert.Less(t, polls, 15*pollLimit, "of 100 spins")
	for !s.Until(func() bool { return true }) {
	}
	assert.Zero(t, s.skips.Load(), "what pays again is made again")
}

func TestSpinnerSleepsIfTheOtherSideSharesItsProcessor(t *testing.T) {
	var s Spinner
	slept := 0
	for range 1000 {
		polls := 0
		afterYield := func() bool { polls++; return polls%pollsPerYield == 0 }
		if !s.Until(afterYield) {
			slept++
		}
	}
	assert.Positive(t, slept)
	assert.Less(t, slept, 20)
}

func TestSleepReturnsWhenTheWordDiffers(t *testing.T) {
	word := new(uint32)
	assert.Equal(t, futex.Changed, Sleep(word, 1, futex.Never))
	assert.Equal(t, futex.TimedOut, Sleep(word, 0, futex.After(time.Millisecond)))
}
