package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

// ofC are the kinds that need C.
var ofC []kind

// kinds returns all kinds, and starts what holds what they wait for.
func kinds() ([]kind, error) {
	waits, err := waits()
	all := append([]kind{
		{"native threads", func(n int) error { return start(n, nil) }},
		{"pinned threads", func(n int) error { return start(n, &thread.Attr{Pinned: true}) }},
	}, ofC...)
	return append(all, waits...), err
}

// start starts and joins n threads.
func start(n int, attr *thread.Attr) error {
	for range n {
		th, err := thread.Start(func() {}, attr)
		if err != nil {
			return err
		}
		if err := th.Join(); err != nil {
			return err
		}
	}
	return nil
}

// A wait is one that does not get what it waits for.
type wait struct {
	name  string
	timed func(d time.Duration) bool // reports whether it timed out
	ended func(ctx context.Context) error
}

// waits are done on a thread, which sleeps in the kernel, and on a goroutine.
func waits() (all []kind, err error) {
	held, err := held()
	for _, w := range held {
		all = append(all,
			kind{w.name + ", timed out", func(n int) error { return onBoth(n, w.endsLate) }},
			kind{w.name + ", cancelled", func(n int) error { return onBoth(n, w.cancel) }},
		)
	}
	return all, err
}

func (w wait) endsLate() error {
	if !w.timed(time.Microsecond) {
		return errors.New("the wait did not time out")
	}
	return nil
}

func (w wait) cancel() error {
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	if err := w.ended(ctx); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the wait ended with %w", err)
	}
	return nil
}

// onBoth calls f n times, half of it on a thread.
func onBoth(n int, f func() error) error {
	repeat := func() error {
		for range n / 2 {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	}
	th, err := osthread.Start(repeat, nil)
	if err != nil {
		return err
	}
	return errors.Join(repeat(), th.Join())
}

// held are the waits for what another thread holds for good, or nobody gives.
func held() ([]wait, error) {
	var (
		lock, guard osthread.Lock
		rlock       osthread.RLock
		rw          osthread.RWLock
		event       osthread.Event
		empty       queue.Queue[int]
	)
	alive, err := osthread.Start(func() error { holdForGood(&lock, &rlock, &rw); return nil }, nil)
	if err != nil {
		return nil, err
	}
	for rw.TryRLock() { // until it is held
		rw.RUnlock()
		thread.Yield()
	}
	none, changed := osthread.NewSemaphore(0), osthread.NewCondition(&guard)
	pending := executor.NewPromise[int]().Future()
	barrier := func(wait func(b *osthread.Barrier) error) error { return wait(osthread.NewBarrier(2, nil)) }
	result := func(_ int, err error) error { return err }
	return []wait{
		{"Lock", refused(lock.LockTimeout), lock.LockContext},
		{"RLock", refused(rlock.LockTimeout), rlock.LockContext},
		{"RWLock, reader", refused(rw.RLockTimeout), rw.RLockContext},
		{"RWLock, writer", refused(rw.LockTimeout), rw.LockContext},
		{
			"Semaphore", func(d time.Duration) bool { return !none.AcquireTimeout(1, d) },
			func(ctx context.Context) error { return none.AcquireContext(ctx, 1) },
		},
		{"Event", refused(event.WaitTimeout), event.WaitContext},
		{
			"Condition", func(d time.Duration) bool {
				guard.Lock()
				defer guard.Unlock()
				return !changed.WaitTimeout(d)
			}, func(ctx context.Context) error {
				guard.Lock()
				defer guard.Unlock()
				return changed.WaitContext(ctx)
			},
		},
		{
			"Barrier", func(d time.Duration) bool {
				err := barrier(func(b *osthread.Barrier) error { return result(b.WaitTimeout(d)) })
				return errors.Is(err, osthread.ErrTimeout)
			}, func(ctx context.Context) error {
				return barrier(func(b *osthread.Barrier) error { return result(b.WaitContext(ctx)) })
			},
		},
		{
			"Queue", func(d time.Duration) bool { return errors.Is(result(empty.GetTimeout(d)), queue.ErrEmpty) },
			func(ctx context.Context) error { return result(empty.GetContext(ctx)) },
		},
		{
			"WaitAny", func(d time.Duration) bool { return osthread.WaitAnyTimeout(d, &event, none) < 0 },
			func(ctx context.Context) error { return result(osthread.WaitAnyContext(ctx, &event, none)) },
		},
		{
			"Future", func(d time.Duration) bool { return errors.Is(result(pending.ResultTimeout(d)), executor.ErrTimeout) },
			func(ctx context.Context) error { return result(pending.ResultContext(ctx)) },
		},
		{
			"Join", func(d time.Duration) bool { return errors.Is(alive.JoinTimeout(d), osthread.ErrTimeout) },
			func(ctx context.Context) error { return alive.JoinContext(ctx) },
		},
	}, nil
}

func refused(wait func(d time.Duration) bool) func(d time.Duration) bool {
	return func(d time.Duration) bool { return !wait(d) }
}

// holdForGood locks all, the RWLock last, and waits for what does not come.
func holdForGood(all ...sync.Locker) {
	for _, l := range all {
		l.Lock()
	}
	new(osthread.Event).Wait()
}
