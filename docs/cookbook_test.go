//go:build !windows

package docs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/mainthread"
	"example.com/thread/osthread/queue"
)

// The examples of docs/cookbook.md, which shows their bodies. Where one would
// call a C library, a function without C stands for it.

// gl stands for a binding of a C library whose context is current on one
// thread.
var gl struct {
	MakeCurrent func() error
	Release     func()
	Render      func(scene string) (pixels int, err error)
}

func init() {
	var current thread.Ident
	gl.MakeCurrent = func() error { current = thread.Self(); return nil }
	gl.Release = func() { current = 0 }
	gl.Render = func(scene string) (int, error) {
		if thread.Self() != current {
			return 0, errors.New("no context is current on this thread")
		}
		return len(scene), nil
	}
}

func Example_context() {
	renderer, err := executor.NewWorkerWith(executor.WorkerOptions{
		Attr:    &osthread.Attr{Name: "renderer"},
		OnStart: gl.MakeCurrent, // on the worker's thread
		OnStop:  gl.Release,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer renderer.Close()

	pixels, err := executor.Call(renderer, func() (int, error) { return gl.Render("teapot") })
	fmt.Println(pixels, err)
	// Output: 6 <nil>
}

// env stands for a JNIEnv.
type env struct{ thread thread.Ident }

func attachCurrentThread() *env { return &env{thread.Self()} }

func detachCurrentThread(*env) { fmt.Println("detached") }

func Example_attach() {
	// Each thread attaches when it first needs its environment, and detaches
	// when it ends. It works on threads of C's, too.
	jvm := thread.Key[*env]{New: attachCurrentThread, Destructor: detachCurrentThread}

	t, err := thread.Start(func() {
		e, _ := jvm.Get()
		again, _ := jvm.Get()
		fmt.Println(e == again, e.thread == thread.Self())
	}, &thread.Attr{Name: "java"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output:
	// true true
	// detached
	// <nil>
}

// An eventLoop stands for that of a C library: run blocks and calls callbacks,
// wake may be called by any thread.
type eventLoop struct{ woken chan struct{} }

func (l *eventLoop) wake() {
	select {
	case l.woken <- struct{}{}:
	default: // one wakeup is on its way already
	}
}

func (l *eventLoop) run(callback func() (goOn bool)) {
	for range l.woken {
		if !callback() {
			return
		}
	}
}

func Example_eventLoop() {
	loop := &eventLoop{woken: make(chan struct{}, 1)}
	w, err := executor.NewWorker(&osthread.Attr{Name: "loop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.OnPost(loop.wake) // uv_async_send, glfwPostEmptyEvent, PostMessage
	quit := false
	err = w.Go(func() { // occupies the worker's thread until the loop ends
		loop.run(func() bool {
			_, err := w.Poll() // calls what others have asked for
			return err == nil && !quit
		})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := executor.Call(w, func() (int, error) { return 1 + 1, nil })
	fmt.Println(sum, err)
	fmt.Println(w.Call(func() error { quit = true; return nil }))
	fmt.Println(w.Close())
	// Output:
	// 2 <nil>
	// <nil>
	// <nil>
}

// window stands for a library of windows that works on the first thread only.
var window struct {
	WaitEvents     func()
	PostEmptyEvent func()
	ShouldClose    bool
}

// Example_mainThread is compiled only: the tests' main goroutine is busy.
func Example_mainThread() {
	app := func() {
		err := mainthread.Do(func() error { // from any goroutine or thread
			window.ShouldClose = true
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}

	mainthread.OnPost(window.PostEmptyEvent) // makes WaitEvents return
	go app()
	for !window.ShouldClose {
		window.WaitEvents()
		if _, err := mainthread.Poll(); err != nil {
			fmt.Println(err) // not the first thread
			return
		}
	}
}

func Example_places() {
	const threads = 8
	release, err := thread.Reserve(threads)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer release()

	meet := osthread.NewBarrier(threads, nil)
	var crew []*osthread.Thread
	for range threads {
		t, err := osthread.Go(func() error {
			_, err := meet.Wait()
			return err
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		crew = append(crew, t)
	}
	for _, t := range crew {
		if err := t.Join(); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("met")
	// Output: met
}

func Example_cancel() {
	var jobs queue.Queue[string]
	var disk osthread.Lock
	t, err := osthread.Go(func() error {
		defer fmt.Println("closed")
		for {
			job, err := jobs.Get()
			if err != nil {
				return err // the cause
			}
			disk.Lock() // panics with the cause
			fmt.Println(job)
			disk.Unlock()
		}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Cancel(errors.New("power fails"))
	fmt.Println(t.Join())
	// Output:
	// closed
	// power fails
}

func Example_realTime() {
	attr := &thread.Attr{Name: "audio", Policy: thread.PolicyFIFO, Priority: 50}
	t, err := thread.Start(play, attr)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t, err = thread.Start(play, &thread.Attr{Name: "audio"}) // without the right to
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output: <nil>
}

func play() {}

func Example_group() {
	read := func(ctx context.Context, sensor int) (int, error) {
		return 10 * sensor, ctx.Err() // a call of a C library that blocks
	}
	var fs []func(context.Context) (int, error)
	for sensor := range 3 {
		fs = append(fs, func(ctx context.Context) (int, error) { return read(ctx, sensor) })
	}
	o := osthread.GroupOptions{Attr: &osthread.Attr{Name: "sensor"}, Limit: 2}
	values, err := osthread.Gather(context.Background(), o, fs...)
	fmt.Println(values, err)

	err = osthread.Scope(context.Background(), o, func(g *osthread.Group) error {
		for sensor := range 3 {
			_, err := g.Go(func(ctx context.Context) error {
				if sensor == 1 {
					return errors.New("sensor 1 is broken") // the others' contexts are done
				}
				<-ctx.Done()
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// [0 10 20] <nil>
	// sensor 1 is broken
}

func Example_port() {
	q := queue.New[string](100)
	var l osthread.Lock
	pages := map[string]int{}
	crawl := func() error {
		for site := range q.Tasks() { // calls TaskDone after each round
			n := len(site)
			osthread.With(&l, func() { pages[site] = n })
		}
		return nil
	}
	for range 4 {
		t := osthread.New(crawl, &osthread.Attr{Daemon: true})
		if err := t.Start(); err != nil {
			fmt.Println(err)
			return
		}
		defer t.Join()
	}
	for _, site := range []string{"go.dev", "python.org"} {
		if err := q.Put(site); err != nil {
			fmt.Println(err)
		}
	}
	q.Join()
	q.Shutdown() // ends the four loops
	fmt.Println(pages)
	// Output: map[go.dev:6 python.org:10]
}

func Example_deadline() {
	var l osthread.Lock
	l.Lock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(l.LockContext(ctx))
	fmt.Println(l.LockTimeout(time.Millisecond), l.TryLock())
	l.Unlock()
	// Output:
	// context deadline exceeded
	// false false
}

func Example_shutdown() {
	// A program with threads of its own, a queue and a C library ends from the
	// outside in: no more callbacks, no more work, no more threads.
	work := queue.New[int](8)
	done := 0
	consumer, err := osthread.Go(func() error {
		for v := range work.All() {
			done += v
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var library sync.WaitGroup // stands for the C library and its threads
	for range 3 {
		library.Go(func() { _ = work.Put(1) })
	}

	library.Wait()                     // 1. the library joins its threads; now free its handle
	work.Shutdown()                    // 2. the queue: what was put is still taken
	fmt.Println(consumer.Join(), done) // 3. the threads that took it
	// Output: <nil> 3
}
