package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func ExampleExecutor() {
	e, err := executor.New(executor.Options{
		Threads: 1,
		Attr:    &osthread.Attr{Name: "gl"},
		OnStart: func() error { fmt.Println("context made on", osthread.Current().Name()); return nil },
		OnStop:  func() { fmt.Println("context gone") },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := executor.Submit(e, func() (string, error) { return "picture", nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Result())
	fmt.Println(e.Close())
	// Output:
	// context made on gl_0
	// picture <nil>
	// context gone
	// <nil>
}

func ExampleExecutor_Shutdown() {
	e, err := executor.New(executor.Options{Attr: &osthread.Attr{Name: "io"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer osthread.Event
	_, err = executor.Submit(e, func() (int, error) { answer.Wait(); return 0, nil })
	fmt.Println(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	running, err := e.Shutdown(ctx)
	for _, t := range running {
		fmt.Println(t.Name(), "still runs:", err)
	}
	answer.Set()
	fmt.Println(e.Close())
	// Output:
	// <nil>
	// io_0 still runs: context deadline exceeded
	// <nil>
}

func ExampleFuture() {
	e, err := executor.New(executor.Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	var open osthread.Event
	first, err := executor.Submit(e, func() (int, error) { open.Wait(); return 1, nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := executor.Submit(e, func() (int, error) { return 2, nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(second.State(), second.Cancel())
	_, err = second.Result()
	fmt.Println(second, err)
	_, err = first.ResultTimeout(time.Millisecond)
	fmt.Println(err)
	open.Set()
	fmt.Println(first.Result())
	// Output:
	// pending true
	// Future(cancelled) executor: future cancelled
	// thread: timeout
	// 1 <nil>
}

func ExamplePromise() {
	p := executor.NewPromise[string]()
	time.AfterFunc(time.Millisecond, func() {
		if err := p.SetResult("from another executor"); err != nil {
			fmt.Println(err)
		}
	})
	fmt.Println(p.Future().Result())
	fmt.Println(errors.Is(p.SetResult("again"), executor.ErrInvalidState))
	// Output:
	// from another executor <nil>
	// true
}

func ExampleMap() {
	e, err := executor.New(executor.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	words := slices.Values([]string{"one", "two", "three"})
	upper := func(s string) (string, error) { return strings.ToUpper(s), nil }
	for word, err := range executor.Map(e, 2, words, upper) {
		fmt.Println(word, err)
	}
	// Output:
	// ONE <nil>
	// TWO <nil>
	// THREE <nil>
}

func ExampleWait() {
	slow, quick := executor.NewPromise[int](), executor.NewPromise[int]()
	if err := quick.SetResult(1); err != nil {
		fmt.Println(err)
	}
	done, notDone := executor.Wait(executor.FirstCompleted, slow.Future(), quick.Future())
	fmt.Println(done, notDone)
	// Output: [Future(finished)] [Future(pending)]
}

func ExampleAsCompleted() {
	e, err := executor.New(executor.Options{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	var futures []*executor.Future[int]
	for i := range 3 {
		f, err := executor.Submit(e, func() (int, error) { return i, nil })
		if err != nil {
			fmt.Println(err)
			return
		}
		futures = append(futures, f)
	}
	sum := 0
	for f := range executor.AsCompleted(futures...) {
		v, err := f.Result()
		if err != nil {
			fmt.Println(err)
		}
		sum += v
	}
	fmt.Println(sum)
	// Output: 3
}

func ExampleKeyed() {
	k, err := executor.NewKeyed(executor.Options{Threads: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer k.Close()
	threads := map[int]bool{}
	for range 10 {
		f, err := executor.SubmitKey(
			k,
			"connection 7",
			func() (int, error) { return osthread.Current().NativeID(), nil },
		)
		if err != nil {
			fmt.Println(err)
			return
		}
		id, err := f.Result()
		if err != nil {
			fmt.Println(err)
		}
		threads[id] = true
	}
	fmt.Println(len(threads))
	// Output: 1
}

func ExampleRunIsolated() {
	err := executor.RunIsolated(func() error {
		// unix.Setns(namespace, unix.CLONE_NEWNET), and sockets are of that
		// namespace
		fmt.Println("a thread for this alone")
		return errors.ErrUnsupported
	})
	fmt.Println(err)
	// Output:
	// a thread for this alone
	// unsupported operation
}
