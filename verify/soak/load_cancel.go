package main

import (
	"errors"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

// A wait that its object and Thread.Cancel race to end has either taken the
// object, and the Cancel is still there, or it has not, and the object is.
var cancelLoads = []load{{"Cancel against each wait", beginCancel}}

// A race is a wait on a new object.
type race struct {
	name string
	wait func() error // of the thread
	give func() error // of another
	took func() bool  // a second wait would, without sleeping
}

func beginCancel(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		c := races[w.rnd.IntN(len(races))]()
		asked := make(chan struct{})
		t, err := osthread.Start(func() error {
			err := errOf(c.wait)
			<-asked
			left := osthread.Canceled()
			if (left == nil) == (err == nil) {
				w.fail("%v: %s has ended with %v, and left of the Cancel is %v", w, c.name, err, left)
			}
			return err
		}, &osthread.Attr{Pinned: w.rnd.IntN(4) == 0})
		w.must(err)
		for end := time.Now().Add(time.Millisecond); w.rnd.IntN(4) != 0 && time.Now().Before(end); {
			if _, waits := t.Waiting(); waits {
				break
			}
		}
		if w.rnd.IntN(3) == 0 { // nothing else ends it
			t.Cancel(errCause)
			close(asked)
			err = t.Join()
			if err == nil {
				w.fail("%v: %s has ended without anything to take", w, c.name)
			}
			w.must(c.give())
		} else {
			given := make(chan error)
			go func() { given <- c.give() }()
			if w.rnd.IntN(2) == 0 {
				time.Sleep(time.Duration(w.rnd.IntN(50)) * time.Microsecond)
			}
			t.Cancel(errCause)
			close(asked)
			w.must(<-given)
			err = t.Join()
		}
		switch {
		case err == nil:
			w.count("taken", 1)
		case errors.Is(err, errCause):
			w.count("canceled", 1)
		default:
			w.fail("%v: %s: %v", w, c.name, err)
		}
		if left := c.took(); left == (err == nil) {
			w.fail("%v: %s has ended with %v, and its object is still there: %v", w, c.name, err, left)
		}
	}}
}

// errOf calls f and returns its error, or that of the Cancel that ended it.
func errOf(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = v.(*osthread.CanceledError)
		}
	}()
	return f()
}

// calls makes functions that return nil of some that return nothing.
func calls(f func()) func() error { return func() error { f(); return nil } }

var races = append([]func() race{
	func() race {
		l := new(osthread.Lock)
		l.Lock()
		return race{"Lock", calls(l.Lock), calls(l.Unlock), l.TryLock}
	},
	func() race {
		l := &osthread.Lock{Fair: true}
		l.Lock()
		return race{"a fair Lock", calls(l.Lock), calls(l.Unlock), l.TryLock}
	},
	func() race {
		l := new(osthread.RWLock)
		l.Lock()
		return race{"RLock of RWLock", calls(l.RLock), calls(l.Unlock), l.TryLock}
	},
	func() race {
		s := osthread.NewSemaphore(0)
		return race{
			"Semaphore", calls(func() { s.Acquire(1) }), calls(func() { s.Release(1) }),
			func() bool { return s.TryAcquire(1) },
		}
	},
	func() race {
		e := &osthread.Event{AutoReset: true}
		return race{"Event", calls(e.Wait), calls(e.Set), e.TryWait}
	},
	func() race {
		q := queue.New[int](1)
		return race{
			"Queue.Get", func() error { _, err := q.Get(); return err }, func() error { return q.Put(1) },
			func() bool { _, err := q.TryGet(); return err == nil },
		}
	},
	func() race { // it takes the room
		q := queue.New[int](1)
		_ = q.Put(1) // there is room
		return race{
			"Queue.Put", func() error { return q.Put(2) }, func() error { _, err := q.Get(); return err },
			func() bool { return q.TryPut(3) == nil },
		}
	},
	func() race {
		a, b := osthread.NewSemaphore(0), osthread.NewSemaphore(0)
		return race{
			"WaitAny", calls(func() { osthread.WaitAny(a, b) }), calls(func() { b.Release(1) }),
			func() bool { return b.TryAcquire(1) },
		}
	},
	func() race {
		a, b := osthread.NewSemaphore(1), osthread.NewSemaphore(0)
		return race{
			"WaitAll", calls(func() { osthread.WaitAll(a, b) }), calls(func() { b.Release(1) }),
			func() bool { return b.TryAcquire(1) },
		}
	},
	func() race {
		c := osthread.NewCondition(new(osthread.Lock))
		there := false
		return race{
			"Condition",
			func() error {
				c.L.Lock()
				defer c.L.Unlock()
				c.WaitFor(func() bool { return there })
				there = false
				return nil
			},
			func() error {
				c.L.Lock()
				defer c.L.Unlock()
				there = true
				c.Notify()
				return nil
			},
			func() bool { return there },
		}
	},
}, sharedRaces...)
