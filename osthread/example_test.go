package osthread_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
)

// startAndJoin runs the threads side by side, and prints what goes wrong.
func startAndJoin(threads ...*osthread.Thread) {
	for _, t := range threads {
		if err := t.Start(); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, t := range threads {
		if err := t.Join(); err != nil {
			fmt.Println(t.Name(), err)
		}
	}
}

func ExampleNew() {
	t := osthread.New(func() error {
		fmt.Println("on a thread named", osthread.Current().Name())
		return nil
	}, &osthread.Attr{Name: "worker"})
	fmt.Println(t)
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join(), t.Alive())
	// Output:
	// Thread(worker, initial)
	// on a thread named worker
	// <nil> false
}

// A summer is a thread's work together with its result.
type summer struct {
	numbers []int
	sum     int
}

func (s *summer) Run() error {
	for _, n := range s.numbers {
		s.sum += n
	}
	return nil
}

func ExampleNewRunner() {
	s := &summer{numbers: []int{1, 2, 3, 4}}
	t := osthread.NewRunner(s, nil)
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	if err := t.Join(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.sum)
	// Output: 10
}

func ExampleGo() {
	t, err := osthread.Go(func() error { return errors.New("no luck") })
	if err != nil {
		fmt.Println("not started:", err)
		return
	}
	fmt.Println("ended:", t.Join())
	// Output: ended: no luck
}

// Join returns how a thread has ended.
func ExampleThread_Join() {
	osthread.SetPanicHook(func(*osthread.Thread, *osthread.PanicError) {}) // Join returns it as well
	defer osthread.SetPanicHook(nil)
	for _, body := range []func() error{
		func() error { return nil },
		func() error { return errors.ErrUnsupported },
		func() error { panic("oops") },
		func() error { runtime.Goexit(); return nil },
		func() error { thread.Exit(); return nil },
	} {
		t := osthread.New(body, &osthread.Attr{Name: "worker"})
		if err := t.Start(); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Join())
	}
	// Output:
	// <nil>
	// unsupported operation
	// panic in thread "worker": oops
	// thread: body called runtime.Goexit
	// thread: body called Exit
}

func ExampleThread_JoinTimeout() {
	var leave osthread.Event
	t, err := osthread.Go(func() error { leave.Wait(); return nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.JoinTimeout(time.Millisecond))
	leave.Set()
	fmt.Println(t.Join())
	// Output:
	// thread: timeout
	// <nil>
}

func ExampleSetPanicHook() {
	osthread.SetPanicHook(func(t *osthread.Thread, e *osthread.PanicError) {
		fmt.Printf("%s: %v\n", t.Name(), e.Value)
	})
	defer osthread.SetPanicHook(nil)
	t := osthread.New(func() error { panic("out of paper") }, &osthread.Attr{Name: "printer"})
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	var e *osthread.PanicError
	fmt.Println(errors.As(t.Join(), &e), e.Value)
	// Output:
	// printer: out of paper
	// true out of paper
}

func ExampleCurrent() {
	t, err := osthread.Go(func() error {
		self := osthread.Current()
		fmt.Println("alive:", self.Alive())
		fmt.Println("the main thread:", self == osthread.Main())
		return self.Join() // would wait for ever
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(errors.Is(t.Join(), osthread.ErrDeadlock))
	// Output:
	// alive: true
	// the main thread: false
	// true
}

func ExampleThreads() {
	var leave osthread.Event
	names := []string{"reader", "writer"}
	var started []*osthread.Thread
	for _, name := range names {
		t := osthread.New(func() error { leave.Wait(); return nil }, &osthread.Attr{Name: name})
		if err := t.Start(); err != nil {
			fmt.Println(err)
			break
		}
		started = append(started, t)
	}
	for t := range osthread.Threads() { // the others are the main thread and, maybe, dummies
		if slices.Contains(names, t.Name()) {
			fmt.Println(t.Name(), "daemon:", t.Daemon())
		}
	}
	leave.Set()
	for _, t := range started {
		fmt.Println(t.Join())
	}
	// Output:
	// reader daemon: false
	// writer daemon: false
	// <nil>
	// <nil>
}

func ExampleLock() {
	var l osthread.Lock
	total := 0
	var threads []*osthread.Thread
	for range 4 {
		threads = append(threads, osthread.New(func() error {
			for range 1000 {
				l.Lock()
				total++
				l.Unlock()
			}
			return nil
		}, nil))
	}
	startAndJoin(threads...)
	fmt.Println(total, l.Locked())
	// Output: 4000 false
}

func ExampleLock_LockTimeout() {
	var l osthread.Lock
	l.Lock()
	fmt.Println(l.LockTimeout(time.Millisecond))
	startAndJoin(osthread.New(func() error {
		l.Unlock() // any thread may
		return nil
	}, nil))
	fmt.Println(l.LockTimeout(time.Millisecond))
	// Output:
	// false
	// true
}

func ExampleLock_LockContext() {
	var l osthread.Lock
	l.Lock()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	t, err := osthread.Go(func() error { return l.LockContext(ctx) })
	if err != nil {
		fmt.Println(err)
		return
	}
	cancel(errors.New("not needed any more"))
	fmt.Println(t.Join())
	// Output: not needed any more
}

func ExampleRLock() {
	var r osthread.RLock
	withdraw := func() {
		r.Lock() // the caller may hold it or not
		defer r.Unlock()
		fmt.Println("withdrawn")
	}
	startAndJoin(osthread.New(func() error {
		r.Lock()
		defer r.Unlock()
		withdraw()
		fmt.Println("owned:", r.Owned())
		startAndJoin(osthread.New(func() error {
			fmt.Println("another thread gets it:", r.TryLock())
			return nil
		}, nil))
		return nil
	}, nil))
	fmt.Println(r.Locked())
	// Output:
	// withdrawn
	// owned: true
	// another thread gets it: false
	// false
}

func ExampleRWLock() {
	var w osthread.RWLock
	const readers = 3
	// Nobody passes the barrier before all are there, each with the lock.
	inside := osthread.NewBarrier(readers, func() {
		fmt.Println("readers:", w.Readers())
		fmt.Println("a writer gets it:", w.TryLock())
	})
	var threads []*osthread.Thread
	for range readers {
		threads = append(threads, osthread.New(func() error {
			w.RLock()
			defer w.RUnlock()
			_, err := inside.Wait()
			return err
		}, nil))
	}
	startAndJoin(threads...)
	fmt.Println("a writer gets it:", w.TryLock())
	// Output:
	// readers: 3
	// a writer gets it: false
	// a writer gets it: true
}

// Of two readers that want to write at once one must give way.
func ExampleRWLock_Upgrade() {
	var w osthread.RWLock
	both := osthread.NewBarrier(2, nil)
	pages, gaveWay := 0, 0
	write := func() error {
		w.RLock()
		if _, err := both.Wait(); err != nil {
			return err
		}
		if err := w.Upgrade(); errors.Is(err, osthread.ErrDeadlock) {
			w.RUnlock() // the other comes first, so what has been read may not be true any more
			w.Lock()
			gaveWay++
		}
		defer w.Unlock()
		pages++
		return nil
	}
	startAndJoin(osthread.New(write, nil), osthread.New(write, nil))
	fmt.Println(pages, gaveWay)
	// Output: 2 1
}

func ExampleRWLock_Downgrade() {
	var w osthread.RWLock
	w.Lock()
	config := "new"
	w.Downgrade() // others may read it, too, but none can change it
	startAndJoin(osthread.New(func() error {
		w.RLock()
		defer w.RUnlock()
		fmt.Println(config, "-", w.Readers(), "readers")
		return nil
	}, nil))
	fmt.Println("a writer gets it:", w.TryLock())
	w.RUnlock()
	// Output:
	// new - 2 readers
	// a writer gets it: false
}

func ExampleCondition() {
	var l osthread.Lock
	changed := osthread.NewCondition(&l)
	turn := "ping"
	player := func(me, other string) func() error {
		return func() error {
			for range 2 {
				l.Lock()
				for turn != me {
					changed.Wait()
				}
				fmt.Println(me)
				turn = other
				changed.Notify()
				l.Unlock()
			}
			return nil
		}
	}
	startAndJoin(osthread.New(player("pong", "ping"), nil), osthread.New(player("ping", "pong"), nil))
	// Output:
	// ping
	// pong
	// ping
	// pong
}

func ExampleCondition_WaitFor() {
	var l osthread.Lock
	arrived := osthread.NewCondition(&l)
	guests := 0
	t, err := osthread.Go(func() error {
		l.Lock()
		defer l.Unlock()
		arrived.WaitFor(func() bool { return guests == 3 })
		fmt.Println("dinner for", guests)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		l.Lock()
		guests++
		arrived.Notify()
		l.Unlock()
	}
	fmt.Println(t.Join())
	// Output:
	// dinner for 3
	// <nil>
}

// Permits may be of any unit, here megabytes.
func ExampleSemaphore() {
	memory := osthread.NewSemaphore(100)
	memory.Acquire(80)
	fmt.Println(memory.TryAcquire(30))
	fmt.Println(memory.TryAcquire(20))
	memory.Release(100)
	memory.Release(50) // there is more of it now
	fmt.Println(memory.Value())
	// Output:
	// false
	// true
	// 150
}

func ExampleNewBoundedSemaphore() {
	slots := osthread.NewBoundedSemaphore(2)
	slots.Acquire(1)
	slots.Release(1)
	func() {
		defer func() {
			err, _ := recover().(error)
			fmt.Println(err, errors.Is(err, osthread.ErrOverflow))
		}()
		slots.Release(1) // nobody has sat down
	}()
	fmt.Println(slots.Value())
	// Output:
	// osthread: Semaphore.Release: released more often than acquired true
	// 2
}

func ExampleEvent() {
	var start osthread.Event
	horses := make([]string, 3)
	var threads []*osthread.Thread
	for n := range horses {
		t, err := osthread.Go(func() error {
			start.Wait()
			horses[n] = "runs"
			return nil
		})
		if err != nil {
			fmt.Println(err)
			break
		}
		threads = append(threads, t)
	}
	fmt.Println(start.IsSet(), start.TryWait())
	start.Set() // releases all waiters, and later ones at once
	for _, t := range threads {
		fmt.Println(t.Join())
	}
	fmt.Println(start.IsSet(), horses)
	// Output:
	// false false
	// <nil>
	// <nil>
	// <nil>
	// true [runs runs runs]
}

func ExampleEvent_autoReset() {
	tick, tock := osthread.Event{AutoReset: true}, osthread.Event{AutoReset: true}
	hand := func(mine, others *osthread.Event, sound string) func() error {
		return func() error {
			for range 2 {
				mine.Wait() // takes the flag back
				fmt.Println(sound)
				others.Set()
			}
			return nil
		}
	}
	tick.Set()
	startAndJoin(osthread.New(hand(&tick, &tock, "tick"), nil), osthread.New(hand(&tock, &tick, "tock"), nil))
	fmt.Println(tick.IsSet(), tock.IsSet())
	// Output:
	// tick
	// tock
	// tick
	// tock
	// true false
}

func ExampleBarrier() {
	const parts = 3
	cells := [parts]int{1, 2, 3}
	next := cells
	step := osthread.NewBarrier(parts, func() { // runs when all have come, before any goes on
		cells = next
		fmt.Println(cells)
	})
	var threads []*osthread.Thread
	for n := range parts {
		threads = append(threads, osthread.New(func() error {
			for range 2 {
				next[n] = cells[n] + cells[(n+1)%parts]
				if _, err := step.Wait(); err != nil {
					return err
				}
			}
			return nil
		}, nil))
	}
	startAndJoin(threads...)
	// Output:
	// [3 5 4]
	// [8 9 7]
}

// A party that cannot come keeps the others from waiting for it.
func ExampleBarrier_Abort() {
	b := osthread.NewBarrier(2, nil)
	t, err := osthread.Go(func() error {
		_, err := b.Wait()
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	b.Abort()
	fmt.Println(t.Join(), b.Broken())
	b.Reset()
	fmt.Println(b.Broken())
	// Output:
	// osthread: barrier broken true
	// false
}

func ExampleTimer() {
	t := osthread.NewTimer(time.Millisecond, func() error {
		fmt.Println("time to go")
		return nil
	}, nil)
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join(), t.Finished().IsSet())
	// Output:
	// time to go
	// <nil> true
}

func ExampleTimer_Cancel() {
	t := osthread.NewTimer(time.Hour, func() error { return errors.New("is not called") }, nil)
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("in time:", t.Cancel())
	fmt.Println(t.Join()) // does not wait for the hour
	// Output:
	// in time: true
	// <nil>
}

func ExampleLocal() {
	scratch := osthread.Local[[]byte]{New: func() []byte { return make([]byte, 0, 64) }}
	work := func(words ...string) func() error {
		return func() error {
			for _, w := range words {
				scratch.Set(append(scratch.Get(), w...))
			}
			fmt.Println(string(scratch.Get()))
			return nil
		}
	}
	startAndJoin(osthread.New(work("its ", "own"), nil)) // one after the other, to print in this order
	startAndJoin(osthread.New(work("another's"), nil))
	for t, v := range scratch.All() { // threads that have ended have no values
		fmt.Println(t, v)
	}
	// Output:
	// its own
	// another's
}

func ExampleWaitAny() {
	var stop osthread.Event
	jobs := osthread.NewSemaphore(0)
	worker, err := osthread.Go(func() error {
		for {
			switch osthread.WaitAny(&stop, jobs) { // if both are there, the first
			case 0:
				return nil
			case 1:
				fmt.Println("a job")
				stop.Set()
			}
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs.Release(2)
	var never osthread.Event
	fmt.Println("the worker has ended:", osthread.WaitAny(&never, worker) == 1)
	fmt.Println(worker.Join(), "- jobs left:", jobs.Value())
	fmt.Println(osthread.WaitAnyTimeout(time.Millisecond, &never))
	// Output:
	// a job
	// the worker has ended: true
	// <nil> - jobs left: 1
	// -1
}

// Each philosopher takes both forks or none, so they cannot deadlock.
func ExampleWaitAll() {
	forks := [3]*osthread.Semaphore{}
	for n := range forks {
		forks[n] = osthread.NewBoundedSemaphore(1)
	}
	meals := [len(forks)]int{}
	var philosophers []*osthread.Thread
	for n := range forks {
		left, right := forks[n], forks[(n+1)%len(forks)]
		philosophers = append(philosophers, osthread.New(func() error {
			for range 100 {
				osthread.WaitAll(left, right)
				meals[n]++
				left.Release(1)
				right.Release(1)
			}
			return nil
		}, nil))
	}
	startAndJoin(philosophers...)
	fmt.Println(meals)

	forks[0].Acquire(1)
	fmt.Println(osthread.TryWaitAll(forks[1], forks[0]), forks[1].Value())
	// Output:
	// [100 100 100]
	// false 1
}

func ExampleSetTrace() {
	var door osthread.Event
	sleeps := make(chan struct{})
	osthread.SetTrace(func(e osthread.TraceEvent) {
		fmt.Printf("%s: %v %T\n", e.Thread.Name(), e.Action, e.Object)
		if e.Action == osthread.TraceBlock {
			close(sleeps)
		}
	})
	defer osthread.SetTrace(nil)
	t := osthread.New(func() error { door.Wait(); return nil }, &osthread.Attr{Name: "guest"})
	if err := t.Start(); err != nil {
		fmt.Println(err)
		return
	}
	<-sleeps
	door.Set()
	fmt.Println(t.Join())
	// Output:
	// guest: start <nil>
	// guest: block *osthread.Event
	// guest: resume *osthread.Event
	// guest: end <nil>
	// <nil>
}

// With Fair set an Unlock hands the lock off in FIFO order.
func ExampleLock_fair() {
	l := osthread.Lock{Fair: true}
	l.Lock()
	var threads []*osthread.Thread
	for i := range 3 {
		t, err := osthread.Go(func() error {
			l.Lock()
			defer l.Unlock()
			fmt.Println("waiter", i)
			return nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		threads = append(threads, t)
		for l.Waiting() <= i {
			thread.Yield() // until it waits, so that the order is known
		}
	}
	l.Unlock()
	for _, t := range threads {
		if err := t.Join(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// waiter 0
	// waiter 1
	// waiter 2
}

// A reader may lock again although a writer waits.
func ExampleRWLock_preferReaders() {
	w := osthread.RWLock{PreferReaders: true}
	w.RLock()
	writer, err := osthread.Go(func() error {
		w.Lock()
		defer w.Unlock()
		fmt.Println("the writer")
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for w.Waiting() == 0 {
		thread.Yield()
	}
	w.RLock() // without PreferReaders: a deadlock
	fmt.Println(w.Readers(), "readers")
	w.RUnlock()
	w.RUnlock()
	fmt.Println(writer.Join())
	// Output:
	// 2 readers
	// the writer
	// <nil>
}

// RunMain is what main consists of in a program that lives by its threads: the
// process ends when all threads but daemons have.
func ExampleRunMain() {
	main := func() {
		err := osthread.RunMain(func() error {
			_, err := osthread.Go(func() error {
				fmt.Println("RunMain waits for this thread")
				return nil
			})
			return err
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	main()
}

// Functions of AtShutdown run before Shutdown waits for threads, those of
// AtExit after that; the last given runs first.
func ExampleAtExit() {
	var stop osthread.Event
	err := osthread.RunMain(func() error {
		if err := osthread.AtShutdown(stop.Set); err != nil { // ends the thread below
			return err
		}
		if err := osthread.AtExit(func() { fmt.Println("all threads have ended") }); err != nil {
			return err
		}
		_, err := osthread.Go(func() error {
			stop.Wait()
			return nil
		})
		return err
	})
	if err != nil {
		fmt.Println(err)
	}
}
