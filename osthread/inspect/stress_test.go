//go:build unix || windows

package inspect_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/inspect"
	"example.com/thread/osthread/queue"
)

// stress is how long a stress runs: OSTHREAD_STRESS, which child processes have
// as well, or a second.
func stress() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("OSTHREAD_STRESS")); err == nil {
		return d
	}
	return time.Second
}

// Threads and goroutines wait for each other in all ways, without a deadlock,
// and none is reported: neither by watch mode nor by Deadlocks.
func TestDeadlocksAreNoneUnderStress(t *testing.T) {
	for _, watched := range []string{"0", "1"} {
		t.Run("watch="+watched, func(t *testing.T) {
			t.Setenv("OSTHREAD_WATCH", watched)
			text := leak.InChild(t, func() {
				inspect.SetHook(func(r *inspect.Report) {
					if r.Deadlock != nil {
						fmt.Println("FALSE:", r)
					}
				})
				n := waitAboutFor(stress(), func() {
					if s := inspect.Deadlocks(); s != nil {
						fmt.Println("FALSE:", s)
					}
				})
				fmt.Printf("%d tries\n", n)
			})
			assert.NotContains(t, text, "FALSE:")
			assert.Regexp(t, `[1-9]\d* tries`, text)
		})
	}
}

// waitAboutFor calls try repeatedly while parties wait for each other, for d,
// and returns how often it did.
func waitAboutFor(d time.Duration, try func()) (tries int) {
	var stop atomic.Bool
	s := newShared()
	var threads []*osthread.Thread
	ended := make(chan bool)
	for i, step := range s.steps() {
		body := func() {
			for !stop.Load() {
				step()
			}
		}
		attr := &osthread.Attr{Name: fmt.Sprintf("step-%d", i)}
		th, err := osthread.Start(func() error { body(); return nil }, attr)
		testutil.Must(err)
		threads = append(threads, th)
		go func() { body(); ended <- true }()
	}
	for end := time.Now().Add(d); time.Now().Before(end); tries++ {
		try()
	}
	stop.Store(true)
	for _, th := range threads {
		testutil.Must(th.Join())
		<-ended
	}
	testutil.Must(s.pool.Close())
	testutil.Must(s.worker.Close())
	return tries
}

type stressed struct {
	a, b   osthread.Lock
	r      osthread.RLock
	w      osthread.RWLock
	permit *osthread.Semaphore
	values *queue.Queue[int]
	pool   *executor.Executor
	worker *executor.Worker
}

func newShared() *stressed {
	s := &stressed{permit: osthread.NewSemaphore(1), values: queue.New[int](0)}
	var err error
	s.pool, err = executor.New(executor.Options{Threads: 2})
	testutil.Must(err)
	s.worker, err = executor.NewWorker(nil)
	testutil.Must(err)
	return s
}

// steps are what parties do repeatedly. The order of all locks is a, b, r, w.
func (s *stressed) steps() []func() {
	return []func(){
		func() { s.a.Lock(); pass(&s.b); s.a.Unlock() },
		func() { // against the order, but it gives up
			s.b.Lock()
			if s.a.LockTimeout(50 * time.Microsecond) {
				s.a.Unlock()
			}
			s.b.Unlock()
		},
		func() {
			s.b.Lock()
			s.r.Lock()
			s.r.Lock()
			pass(&s.w)
			s.r.Unlock()
			s.r.Unlock()
			s.b.Unlock()
		},
		func() { pass(s.w.RLocker()) },
		func() {
			s.w.RLock()
			if s.w.UpgradeTimeout(50*time.Microsecond) == nil {
				s.w.Downgrade()
			}
			s.w.RUnlock()
		},
		func() {
			s.a.Lock()
			f, err := executor.Submit(s.pool, func() (int, error) { pass(&s.r); return 0, nil })
			testutil.Must(err)
			_, err = f.Result()
			testutil.Must(err)
			s.a.Unlock()
		},
		func() {
			s.a.Lock()
			testutil.Must(s.worker.Call(func() error { pass(&s.w); return nil }))
			s.a.Unlock()
		},
		func() {
			testutil.Must(s.values.Put(1))
			_, err := s.values.Get()
			testutil.Must(err)
			pass(&s.r)
			s.values.TaskDone()
			s.values.Join()
		},
		func() { s.permit.Acquire(1); pass(&s.a); s.permit.Release(1) },
		func() { // a lock that another party unlocks
			s.b.Lock()
			th, err := osthread.Go(func() error { s.b.Unlock(); return nil })
			testutil.Must(err)
			testutil.Must(th.Join())
		},
	}
}
