//go:build cgo && !windows

// Callbacks counts the calls of a C library that calls Go on threads of its
// own: by thread, without a lock, and all together, under one.
//
//   - ticker.c is the library, binding.go the Go side of it.
//   - Each of the library's threads has a record from its first call to its
//     end: count keeps a value for each, and its destructor runs at the end.
//
// To run it:
//
//	go run ./examples/callbacks
package main

import (
	"fmt"
	"io"
	"os"

	"example.com/thread"
	"example.com/thread/osthread"
)

const threads, ticks = 4, 1000

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "callbacks:", err)
		os.Exit(1)
	}
}

var (
	l     osthread.Lock // threads of C and of Go, and goroutines, wait in one queue
	total int
	ended int
)

// count is the number of calls on the calling thread, which C has made.
var count = thread.Key[*int]{
	New:        func() *int { return new(int) },
	Destructor: collect, // on the thread, when it ends
}

func collect(n *int) {
	l.Lock()
	defer l.Unlock()
	total += *n
	ended++
}

// tick is called on each of the library's threads.
func tick(int) {
	n, _ := count.Get()
	*n++
}

func run(w io.Writer) error {
	ticker, err := NewTicker(threads, ticks, tick)
	if err != nil {
		return err
	}
	ticker.Close() // joins the threads, so all destructors have run
	l.Lock()
	defer l.Unlock()
	fmt.Fprintf(w, "%d calls on %d threads\n", total, ended)
	return nil
}
