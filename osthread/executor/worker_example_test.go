package executor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"example.com/thread"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func ExampleWorker() {
	w, err := executor.NewWorker(&osthread.Attr{Name: "library"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var ident thread.Ident
	err = w.Call(func() error { // from any goroutine
		ident = thread.Self()
		return w.Call(func() error { // on the worker's thread: at once
			fmt.Println(thread.Self() == ident)
			return nil
		})
	})
	fmt.Println(err, thread.Self() == ident)
	fmt.Println(w.Go(func() { fmt.Println("later") }))
	fmt.Println(w.Shutdown(context.Background()))
	// Unordered output:
	// true
	// <nil> false
	// <nil>
	// later
	// <nil>
}

func ExampleCall() {
	w, err := executor.NewWorker(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	cpus, err := executor.Call(w, func() (int, error) { return runtime.NumCPU(), nil })
	fmt.Println(cpus > 0, err)
	_, err = executor.CallTimeout(w, func() (int, error) { panic("no such file") }, time.Minute)
	var p *osthread.PanicError
	fmt.Println(errors.As(err, &p), p.Value)
	fmt.Println(w.Shutdown(context.Background()))
	// Output:
	// true <nil>
	// true no such file
	// <nil>
}
