//go:build cgo

// Onethread uses a C library that works on one thread only from many
// goroutines. The library keeps its state in a thread-local variable; called
// on another thread it fails.
//
//	go run ./examples/onethread
package main

/*
// A C library that has to be opened, used and closed on one thread.
static __thread int opened, total;

static void tally_open(void) { opened = 1; }
static int tally_add(int n) { return opened ? total += n : -1; }
static void tally_close(void) { opened = 0; }
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "onethread:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	library, err := executor.NewWorkerWith(executor.WorkerOptions{
		Attr:    &osthread.Attr{Name: "tally", StackSize: 16 << 20}, // room for deep C frames
		OnStart: func() error { C.tally_open(); return nil },
		OnStop:  func() { C.tally_close() },
	})
	if err != nil {
		return err
	}
	defer library.Close()
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() { _, _ = add(library, i) }) // an error comes back from the last call, too
	}
	group.Wait()
	total, err := add(library, 0)
	fmt.Fprintln(w, "total:", total)
	return err
}

// add calls the library on its thread. Any goroutine or thread may call it.
func add(library *executor.Worker, n int) (int, error) {
	return executor.Call(library, func() (int, error) {
		total := C.tally_add(C.int(n))
		if total < 0 {
			return 0, errors.New("the library is not open on this thread")
		}
		return int(total), nil
	})
}
