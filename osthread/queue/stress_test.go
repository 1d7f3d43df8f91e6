package queue

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

var items = flag.Int("items", 40_000, "how many values TestQueueLosesNothing puts for each kind of queue")

// 8 producers and 8 consumers, half of each on threads, use all shapes of
// calls, batches and GetOps, and the queue is shut down in between: each value
// is delivered once or reported as not delivered, and the count of tasks is
// exact.
func TestQueueLosesNothing(t *testing.T) {
	kinds := map[string]func() *Queue[int]{
		"fifo":      func() *Queue[int] { return New[int](5) },
		"one place": func() *Queue[int] { return New[int](1) },
		"unbounded": func() *Queue[int] { return New[int](0) },
		"lifo":      func() *Queue[int] { return NewLIFO[int](5) },
		"priority":  func() *Queue[int] { return NewPriority(5, func(a, b int) int { return b - a }) },
	}
	for name, make := range kinds {
		for _, end := range []string{"in order", "shutdown", "shutdown now"} {
			t.Run(name+"/"+end, func(t *testing.T) { loseNothing(t, make(), end) })
		}
	}
}

func loseNothing(t *testing.T, q *Queue[int], end string) {
	const callers = 8
	const (
		unknown = iota
		delivered
		refused
	)
	per := *items / callers
	fate := make([]atomic.Int32, per*callers)
	became := func(v int, f int32) {
		if !fate[v].CompareAndSwap(unknown, f) {
			t.Errorf("%d became %d and then %d", v, fate[v].Load(), f)
		}
	}
	var producers, consumers sync.WaitGroup
	spawn := func(wg *sync.WaitGroup, thread bool, f func()) {
		wg.Add(1)
		body := func() error { defer wg.Done(); f(); return nil }
		if thread {
			_, err := osthread.Go(body)
			require.NoError(t, err)
		} else {
			go func() { _ = body() }()
		}
	}
	timeout := func(r *rand.Rand) time.Duration { return time.Duration(r.IntN(40)) * time.Microsecond }
	var put atomic.Int64
	shutAt := int64(len(fate)) / 2
	var dropped []int
	var once sync.Once
	for p := range callers {
		spawn(&producers, p%2 == 0, func() {
			r := rand.New(rand.NewPCG(uint64(p), 1))
			for i := 0; i < per; {
				v := p*per + i
				var err error
				n := 1 // values put, if it is a batch or err is nil
				batch := false
				switch r.IntN(6) {
				case 0:
					err = q.TryPut(v)
				case 1:
					err = q.PutTimeout(v, timeout(r))
				case 2:
					ctx, stop := context.WithTimeout(context.Background(), timeout(r))
					err = q.PutContext(ctx, v)
					stop()
				case 3:
					vs := make([]int, min(1+r.IntN(4), per-i))
					for j := range vs {
						vs[j] = v + j
					}
					batch = true
					n, err = q.PutAllTimeout(vs, timeout(r))
				default:
					err = q.Put(v)
				}
				if batch || err == nil {
					i += n
				}
				switch {
				case err == nil:
				case errors.Is(err, ErrShutdown):
					for ; i < per; i++ {
						became(p*per+i, refused)
					}
				case errors.Is(err, ErrFull), errors.Is(err, context.DeadlineExceeded):
					if r.IntN(8) == 0 {
						runtime.Gosched()
					}
				default:
					t.Error(err)
				}
				if put.Add(1) == shutAt && end != "in order" {
					once.Do(func() {
						if end == "shutdown" {
							q.Shutdown()
						} else {
							dropped = q.ShutdownNow()
						}
					})
				}
			}
		})
	}
	for c := range callers {
		spawn(&consumers, c%2 == 0, func() {
			r := rand.New(rand.NewPCG(uint64(c), 2))
			op := q.GetOp()
			var never osthread.Event
			buf := make([]int, 3)
			for {
				var err error
				n := 1
				switch r.IntN(7) {
				case 0:
					buf[0], err = q.TryGet()
				case 1:
					buf[0], err = q.GetTimeout(timeout(r))
				case 2:
					ctx, stop := context.WithTimeout(context.Background(), timeout(r))
					buf[0], err = q.GetContext(ctx)
					stop()
				case 3:
					n, err = q.GetNTimeout(buf, timeout(r))
				case 4:
					err = ErrEmpty
					if osthread.WaitAnyTimeout(timeout(r), &never, op) == 1 {
						buf[0], err = op.Result()
					}
				default:
					buf[0], err = q.Get()
				}
				switch {
				case err == nil:
					for _, v := range buf[:n] {
						became(v, delivered)
						q.TaskDone()
					}
				case errors.Is(err, ErrShutdown):
					return
				case errors.Is(err, ErrEmpty), errors.Is(err, context.DeadlineExceeded):
				default:
					t.Error(err)
				}
			}
		})
	}
	producers.Wait()
	if end == "in order" {
		q.Shutdown()
	}
	consumers.Wait()
	for _, v := range dropped {
		became(v, refused)
	}
	q.Join() // the count is exact
	require.Zero(t, q.Unfinished())
	for v := range fate {
		require.NotEqual(t, int32(unknown), fate[v].Load(), "%d is lost", v)
	}
}
