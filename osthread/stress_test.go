package osthread

import (
	"context"
	"flag"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
)

var stress = flag.Duration("stress", 100*time.Millisecond, "how long each primitive is used in all shapes at once")

// A mix picks one of the shapes of a wait at random.
type mix struct{ succeeded, failed atomic.Int64 }

func (m *mix) wait(
	plain func(),
	try func() bool,
	timeout func(time.Duration) bool,
	ctx func(context.Context) error,
) bool {
	ok := true
	switch rand.IntN(5) {
	case 0:
		plain()
	case 1:
		ok = try()
	case 2, 3:
		ok = timeout(time.Duration(rand.IntN(60)) * time.Microsecond)
	case 4:
		c, cancel := context.WithCancel(context.Background())
		go cancel()
		ok = ctx(c) == nil
		cancel()
	}
	if ok {
		m.succeeded.Add(1)
	} else {
		m.failed.Add(1)
	}
	return ok
}

// Threads and goroutines use each primitive in all shapes at once: nothing is
// lost and no waiter sleeps for ever, which would be a timeout of the test.
func TestStress(t *testing.T) {
	const each = 4 // threads, and as many goroutines
	run := func(name string, prepare func(t *testing.T, m *mix) (step func(i int), check func())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m mix
			step, check := prepare(t, &m)
			end := time.Now().Add(*stress)
			for _, start := range []testutil.Start{startThread, testutil.StartGoroutine} {
				g := testutil.NewGroup(t, start)
				defer g.Wait()
				for i := range each {
					g.Run(func() {
						step(i)
						for time.Now().Before(end) {
							step(i)
						}
					})
				}
			}
			t.Cleanup(func() {
				check()
				assert.Positive(t, m.succeeded.Load()+m.failed.Load())
				t.Logf("%d waits succeeded, %d timed out", m.succeeded.Load(), m.failed.Load())
			})
		})
	}
	for name, newLock := range lockers {
		run(name, func(t *testing.T, m *mix) (func(int), func()) {
			l := newLock()
			n, locked := 0, new(atomic.Int64)
			return func(int) {
					if m.wait(l.Lock, l.TryLock, l.LockTimeout, l.LockContext) {
						n++
						locked.Add(1)
						l.Unlock()
					}
				}, func() {
					assert.EqualValues(t, locked.Load(), n)
					assert.False(t, l.Locked())
				}
		})
	}
	run("RWLock reading", func(t *testing.T, m *mix) (func(int), func()) {
		var w RWLock
		n, written := 0, new(atomic.Int64)
		write := func() {
			n++
			written.Add(1)
		}
		return func(i int) {
				if i == 0 && m.wait(w.Lock, w.TryLock, w.LockTimeout, w.LockContext) {
					write()
					w.Downgrade()
					w.RUnlock()
				}
				if !m.wait(w.RLock, w.TryRLock, w.RLockTimeout, w.RLockContext) {
					return
				}
				_ = n
				if w.UpgradeTimeout(time.Microsecond) == nil {
					write()
					w.Unlock()
				} else {
					w.RUnlock()
				}
			}, func() {
				assert.EqualValues(t, written.Load(), n)
				assert.False(t, w.Locked())
			}
	})
	run("Condition", func(t *testing.T, m *mix) (func(int), func()) {
		c := NewCondition(new(Lock))
		tokens, made, taken := 0, 0, 0
		return func(i int) {
				c.L.Lock()
				defer c.L.Unlock()
				if i%2 == 0 || tokens == 0 && c.Waiting() >= each { // one caller must stay awake
					tokens++
					made++
					c.NotifyN(1 + i%3)
					return
				}
				timeout := func(d time.Duration) bool { return c.WaitForTimeout(func() bool { return tokens > 0 }, d) }
				plain := func() { timeout(time.Second) }
				if m.wait(plain, func() bool { return timeout(0) }, timeout, func(ctx context.Context) error {
					return c.WaitForContext(ctx, func() bool { return tokens > 0 })
				}) && tokens > 0 {
					tokens--
					taken++
				}
			}, func() {
				assert.Equal(t, made, taken+tokens)
				assert.Zero(t, c.Waiting())
			}
	})
	run("Semaphore", func(t *testing.T, m *mix) (func(int), func()) {
		s := NewBoundedSemaphore(5)
		return func(i int) {
				n := 1 + i
				if m.wait(
					func() { s.Acquire(n) },
					func() bool { return s.TryAcquire(n) },
					func(d time.Duration) bool { return s.AcquireTimeout(n, d) },
					func(ctx context.Context) error { return s.AcquireContext(ctx, n) },
				) {
					s.Release(n)
				}
			}, func() {
				assert.Equal(t, 5, s.Value())
			}
	})
	run("Event", func(t *testing.T, m *mix) (func(int), func()) {
		var e Event
		return func(i int) {
			switch i {
			case 0:
				e.Set()
			case 1:
				e.Set()
				e.Clear()
			default:
				m.wait(func() { e.WaitTimeout(time.Second) }, e.TryWait, e.WaitTimeout, e.WaitContext)
			}
		}, func() { assert.Zero(t, waiting(e.queue())()) }
	})
	run("AutoReset", func(t *testing.T, m *mix) (func(int), func()) {
		token := Event{AutoReset: true} // each caller that gets it sets it again
		token.Set()
		return func(int) {
			if m.wait(token.Wait, token.TryWait, token.WaitTimeout, token.WaitContext) {
				token.Set()
			}
		}, func() { assert.True(t, token.IsSet()) }
	})
	run("Barrier", func(t *testing.T, m *mix) (func(int), func()) {
		b := NewBarrier(3, nil)
		passed := new(atomic.Int64)
		ok := func(_ int, err error) bool {
			if err == nil {
				passed.Add(1)
			} else {
				assert.ErrorIs(t, err, ErrBroken)
				b.Reset()
			}
			return err == nil
		}
		return func(int) {
			m.wait(func() { ok(b.WaitTimeout(time.Millisecond)) }, func() bool { return ok(b.TryWait()) },
				func(d time.Duration) bool { return ok(b.WaitTimeout(d)) },
				func(ctx context.Context) error {
					if !ok(b.WaitContext(ctx)) {
						return ErrBroken
					}
					return nil
				})
		}, func() { assert.Zero(t, passed.Load()%3) }
	})
	run("WaitAny", func(t *testing.T, m *mix) (func(int), func()) {
		a, b := NewSemaphore(2), NewSemaphore(1)
		e := &Event{AutoReset: true}
		e.Set()
		all := []Waitable{a, b, e}
		back := func(i int) bool {
			switch i {
			case 0:
				a.Release(1)
			case 1:
				b.Release(1)
			case 2:
				e.Set()
			}
			return i >= 0
		}
		return func(i int) {
				if i == 0 {
					if WaitAllTimeout(20*time.Microsecond, all...) {
						e.Set()
						b.Release(1)
						a.Release(1)
					}
					return
				}
				m.wait(func() { back(WaitAny(all...)) }, func() bool { return back(TryWaitAny(all...)) },
					func(d time.Duration) bool { return back(WaitAnyTimeout(d, all...)) },
					func(ctx context.Context) error {
						i, err := WaitAnyContext(ctx, all...)
						back(i)
						return err
					})
			}, func() {
				assert.Equal(t, 2, a.Value())
				assert.Equal(t, 1, b.Value())
				assert.True(t, e.IsSet())
			}
	})
}
