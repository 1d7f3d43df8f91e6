//go:build !plan9

package shared_test

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/osthread/shared"
)

func ExampleSemaphore() {
	var s shared.Semaphore // C code: ost_sem_t
	fmt.Println(s.Init(2, false))
	fmt.Println(s.Acquire(), s.Acquire(), s.TryAcquire())
	fmt.Println(s.AcquireTimeout(time.Millisecond))
	fmt.Println(s.Release(), s.Acquire())
	// Output:
	// <nil>
	// <nil> <nil> busy
	// shared: Semaphore.AcquireTimeout: thread: timeout
	// <nil> <nil>
}

func ExampleEvent() {
	var e shared.Event // C code: ost_event_t
	go func() { _ = e.Set() }()
	fmt.Println(e.Wait(), e.Wait()) // it stays set
	fmt.Println(e.Clear(), e.TryWait())
	// Output:
	// <nil> <nil>
	// <nil> busy
}

func ExampleBarrier() {
	var b shared.Barrier // C code: ost_barrier_t
	fmt.Println(b.Init(3, false))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if serial, err := b.Wait(); serial {
				fmt.Println("all have arrived", err)
			}
		})
	}
	wg.Wait()
	_, err := b.WaitTimeout(time.Millisecond)
	fmt.Println(err)
	// Output:
	// <nil>
	// all have arrived <nil>
	// shared: Barrier.WaitTimeout: thread: timeout
}

func ExampleCond() {
	var m shared.Mutex // C code: ost_pmutex_t
	var c shared.Cond  // C code: ost_cond_t
	ready := false
	go func() {
		_ = m.Lock()
		ready = true
		_ = m.Unlock()
		_ = c.Signal()
	}()
	err := m.Lock()
	for err == nil && !ready {
		err = c.Wait(&m)
	}
	fmt.Println(ready, err, m.Unlock())
	// Output: true <nil> <nil>
}

func ExamplePlain() {
	var l thread.Lock // C code: ost_mutex_t
	var c shared.Cond
	l.Lock()
	fmt.Println(c.WaitTimeout(shared.Plain(&l), time.Millisecond), l.Locked())
	// Output: shared: Cond.WaitTimeout: thread: timeout true
}

func ExampleOnce() {
	var o shared.Once // C code: ost_once_t
	for range 2 {
		fmt.Println(o.Do(func() { fmt.Println("runs") }), o.Done())
	}
	// Output:
	// runs
	// <nil> true
	// <nil> true
}

func ExampleRWMutex() {
	var rw shared.RWMutex // C code: ost_rwlock_t
	fmt.Println(rw.RLock(), rw.RLock(), errors.Is(rw.TryLock(), shared.ErrBusy))
	fmt.Println(rw.RUnlock(), rw.RUnlock())
	fmt.Println(rw.Lock(), rw.TryRLock(), rw.Unlock())
	// Output:
	// <nil> <nil> true
	// <nil> <nil>
	// <nil> busy <nil>
}
