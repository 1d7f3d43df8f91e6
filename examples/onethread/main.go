//go:build cgo

// Onethread uses a C library that works on one thread only from many
// goroutines. The library keeps its state in a thread-local variable; called
// on another thread it fails.
//
//	go run ./examples/onethread
package main

/*
#include <errno.h>

// A C library that has to be opened, used and closed on one thread.
static __thread int opened, total;

static void tally_open(void) { opened = 1; }
static int tally_add(int n)
{
	errno = opened ? 0 : EPERM;
	return opened ? total += n : -1;
}
static void tally_close(void) { opened = 0; }
*/
import "C"

import (
	"fmt"
	"io"
	"os"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "onethread:", err)
		os.Exit(1)
	}
}

// open returns a worker whose thread the library is open on.
func open() (*executor.Worker, error) {
	return executor.NewWorkerWith(executor.WorkerOptions{
		Attr:    &osthread.Attr{Name: "tally", StackSize: 16 << 20}, // for deep frames of C
		OnStart: func() error { C.tally_open(); return nil },
		OnStop:  func() { C.tally_close() },
	})
}

// add calls the library on its thread. Any goroutine or thread may call it.
func add(library *executor.Worker, n int) (int, error) {
	return executor.Call(library, func() (int, error) {
		total, err := C.tally_add(C.int(n)) // fails on any other thread
		return int(total), err
	})
}

func run(w io.Writer) error {
	library, err := open()
	if err != nil {
		return err
	}
	defer library.Close()
	errs := make(chan error)
	for i := range 10 {
		go func() {
			_, err := add(library, i)
			errs <- err
		}()
	}
	for range 10 {
		if err := <-errs; err != nil {
			return err
		}
	}
	total, err := add(library, 0)
	fmt.Fprintln(w, "total:", total)
	return err
}
