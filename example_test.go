package thread_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"example.com/thread"
)

func ExampleStart() {
	t, err := thread.Start(func() {
		fmt.Println("on a thread named", thread.Current().Name())
	}, &thread.Attr{Name: "worker"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output:
	// on a thread named worker
	// <nil>
}

func ExampleThread_Join() {
	thread.SetPanicHook(func(*thread.Thread, *thread.PanicError) {}) // Join reports the panic, too
	defer thread.SetPanicHook(nil)
	for _, body := range []func(){thread.Exit, runtime.Goexit, func() { panic(errors.ErrUnsupported) }} {
		t, err := thread.Start(body, &thread.Attr{Name: "worker"})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(t.Join())
	}
	// Output:
	// thread: body called Exit
	// thread: body called runtime.Goexit
	// panic in thread "worker": unsupported operation
}

func ExampleThread_JoinTimeout() {
	leave := make(chan struct{})
	t, err := thread.Start(func() { <-leave }, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.JoinTimeout(time.Millisecond))
	close(leave)
	fmt.Println(t.Join())
	// Output:
	// thread: timeout
	// <nil>
}

func ExampleKey() {
	buffers := thread.Key[[]byte]{Destructor: func(b []byte) { fmt.Println("freed", len(b), "bytes") }}
	t, err := thread.Start(func() {
		_ = buffers.Set(make([]byte, 64)) // fails only without a thread
		b, ok := buffers.Get()
		fmt.Println(len(b), ok)
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = t.Join() // the body only returns
	_, ok := buffers.Get()
	fmt.Println(ok)
	// Output:
	// 64 true
	// freed 64 bytes
	// false
}

// A Key reports the end of a thread that cannot be joined.
func ExampleKey_attached() {
	ended := thread.Key[chan struct{}]{Destructor: func(c chan struct{}) { close(c) }}
	end := make(chan struct{})
	go func() { // or what C calls on a thread of its own, without Attach and Detach
		if _, err := thread.Attach(); err != nil {
			fmt.Println(err)
		}
		_ = ended.Set(end) // fails only without a thread
		_ = thread.Detach()
	}()
	<-end
	fmt.Println("ended")
	// Output: ended
}

func ExampleAttach() {
	var wg sync.WaitGroup
	wg.Go(func() {
		fmt.Println("a thread of its own:", thread.Current() != nil)
		t, err := thread.Attach()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("attached:", thread.Current() == t)
		_ = thread.Detach() // there was an Attach
	})
	wg.Wait()
	// Output:
	// a thread of its own: false
	// attached: true
}

func ExampleLock() {
	var l thread.Lock
	total := 0
	var threads []*thread.Thread
	for range 4 {
		t, err := thread.Start(func() {
			for range 1000 {
				l.Lock()
				total++
				l.Unlock()
			}
		}, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		threads = append(threads, t)
	}
	for _, t := range threads {
		_ = t.Join() // the bodies only return
	}
	fmt.Println(total, l.Locked())
	// Output: 4000 false
}

func ExamplePark() {
	t, err := thread.Start(func() {
		_ = thread.Park() // fails only without a thread
		fmt.Println("unparked")
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Unpark()
	_ = t.Join() // the body only returns
	// Output: unparked
}

func ExampleSetStackSize() {
	if _, err := thread.SetStackSize(1 << 20); err != nil {
		fmt.Println("1048576 was 0") // where all threads are pinned
		return
	}
	old, _ := thread.SetStackSize(0) // 0 is always right
	fmt.Println(old, "was", thread.StackSize())
	// Output: 1048576 was 0
}
