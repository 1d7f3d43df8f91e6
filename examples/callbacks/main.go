//go:build cgo && !windows

// Callbacks counts the calls of a C library that calls Go on threads of its
// own: by thread, without a lock, and all together, under one.
//
//   - ticker.c is the library, binding.go the Go side of it.
//   - Each of the library's threads has a record from its first call to its
//     end, so count keeps a value for each, and is told of the end.
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

func run(w io.Writer) error {
	var l osthread.Lock // C's threads and Go's goroutines wait in one queue
	total, ended := 0, 0

	count := thread.Key[*int]{
		New: func() *int { return new(int) },
		Destructor: func(n *int) { // on the thread, when it ends
			l.Lock()
			defer l.Unlock()
			total += *n
			ended++
		},
	}
	ticker, err := NewTicker(threads, ticks, func(int) {
		n, _ := count.Get()
		*n++
	})
	if err != nil {
		return err
	}
	ticker.Close() // joins the threads, so all destructors have run

	l.Lock()
	defer l.Unlock()
	fmt.Fprintf(w, "%d calls on %d threads\n", total, ended)
	return nil
}
