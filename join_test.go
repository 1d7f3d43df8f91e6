package thread

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
)

func TestJoinByAnyNumberOfJoiners(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		const joiners = 100
		leave := make(chan struct{})
		th, err := Start(func() { <-leave; Exit() }, attr(Attr{}))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range joiners {
			wg.Add(1)
			body := func() {
				defer wg.Done()
				if i%3 == 1 {
					assert.Equal(t, ErrExit, th.JoinTimeout(time.Hour))
					return
				}
				assert.Equal(t, ErrExit, th.Join())
			}
			if i%2 == 0 {
				go body()
				continue
			}
			j, err := Start(body, &Attr{Detached: true})
			require.NoError(t, err)
			assert.Equal(t, ErrNotJoinable, j.Join())
		}
		for th.waiting() < joiners {
			runtime.Gosched()
		}
		close(leave)
		wg.Wait()
		assert.Equal(t, ErrExit, th.Join(), "again")
		for NumThread() > 0 { // the detached ones
			runtime.Gosched()
		}
	})
}

// waiting returns how many joiners stand in t's list.
func (t *Thread) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.joiners.waiting)
}

func TestJoinMisuse(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			assert.Equal(t, ErrDeadlock, Current().Join())
			assert.Equal(t, ErrDeadlock, Current().TryJoin())
			assert.Equal(t, ErrDeadlock, Current().JoinTimeout(time.Hour))
			assert.Equal(t, ErrDeadlock, Current().JoinContext(context.Background()))
		})
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		assert.NoError(t, th.Detach())
		assert.Equal(t, ErrNotJoinable, th.Detach())
		assert.Equal(t, ErrNotJoinable, th.Join())
		close(leave)
		for NumThread() > 0 {
			runtime.Gosched()
		}
		assert.Equal(t, ErrNotJoinable, th.TryJoin())
	})
}

func TestDetachDoesNotDisturbJoinersThatWait(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave; runtime.Goexit() }, attr(Attr{}))
		require.NoError(t, err)
		got := make(chan error)
		go func() { got <- th.Join() }()
		for th.waiting() == 0 {
			runtime.Gosched()
		}
		assert.NoError(t, th.Detach())
		close(leave)
		assert.Equal(t, ErrGoexit, <-got)
	})
}

func TestJoinThatGivesUp(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		assert.Equal(t, ErrTimeout, th.TryJoin())
		assert.Equal(t, ErrTimeout, th.JoinTimeout(-time.Hour))
		before := time.Now()
		assert.Equal(t, ErrTimeout, th.JoinTimeout(2*time.Millisecond))
		assert.GreaterOrEqual(t, time.Since(before), 2*time.Millisecond)
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(context.Background())
		got := make(chan error)
		go func() { got <- th.JoinContext(ctx) }()
		run(t, attr(Attr{}), func() { assert.Equal(t, ErrTimeout, th.JoinTimeout(time.Millisecond)) })
		for th.waiting() == 0 {
			runtime.Gosched()
		}
		cancel(cause)
		assert.Equal(t, cause, <-got)
		assert.Equal(t, cause, th.JoinContext(ctx), "done before")
		assert.Zero(t, th.waiting())
		close(leave)
		assert.NoError(t, th.Join())
		assert.NoError(t, th.TryJoin())
		assert.Equal(t, cause, th.JoinContext(ctx))
	})
}

// A join that times out as the thread ends either joins it or can be followed
// by another join that does; nothing is left of the thread in either case.
func TestJoinTimeoutAtTheVeryEnd(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for i := range 300 {
			th, err := Start(func() {}, attr(Attr{}))
			require.NoError(t, err)
			if err := th.JoinTimeout(time.Duration(i) * 100 * time.Nanosecond); err != nil {
				require.Equal(t, ErrTimeout, err)
			}
			require.NoError(t, th.Join())
			require.False(t, osExists(th.NativeID()))
		}
	})
}

func TestStartWithoutJoinLeaksNothing(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		before := tasks(t)
		const threads = 200
		for i := range threads {
			_, err := Start(func() {}, attr(Attr{Detached: i%2 == 0}))
			require.NoError(t, err)
		}
		for NumThread() > 0 {
			runtime.Gosched()
		}
		awaitTasks(t, before+threads/4) // threads of Go's own may come
	})
}

// tasks returns the number of threads the kernel counts, 0 where it cannot be
// asked.
func tasks(t *testing.T) int {
	d, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	return len(d)
}

func awaitTasks(t *testing.T, most int) {
	for end := time.Now().Add(testutil.Timeout); tasks(t) > most; runtime.Gosched() {
		require.True(t, time.Now().Before(end), "%d tasks, want at most %d", tasks(t), most)
	}
}

func TestJoinWithExtremeTimes(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{}))
		require.NoError(t, err)
		for _, d := range []time.Duration{math.MinInt64, -1, 0, 1} {
			assert.Equal(t, ErrTimeout, th.JoinTimeout(d), d)
		}
		past, cancel := context.WithDeadline(t.Context(), time.Time{})
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, th.JoinContext(past))
		far, cancel := context.WithDeadline(t.Context(), time.Unix(1<<62, 0))
		defer cancel()
		joined := make(chan error)
		go func() { joined <- th.JoinTimeout(math.MaxInt64) }()
		go func() { joined <- th.JoinContext(far) }()
		for th.waiting() < 2 {
			runtime.Gosched()
		}
		close(leave)
		assert.NoError(t, <-joined)
		assert.NoError(t, <-joined)
		for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
			assert.NoError(t, th.JoinTimeout(d), d)
		}
		assert.Equal(t, context.DeadlineExceeded, th.JoinContext(past))
	})
}

// A thread is in no bubble, so the clock of its joiner's stands still, and the
// thread's does not.
func TestJoinLeavesABubblesClockAlone(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			for _, body := range []func(){Yield, func() { _ = ParkTimeout(time.Millisecond) }} {
				for range 100 {
					th, err := Start(body, attr(Attr{}))
					require.NoError(t, err)
					require.NoError(t, th.Join())
				}
			}
			assert.Zero(t, time.Since(begin))
		})
	})
}
