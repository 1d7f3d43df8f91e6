package main

import (
	"errors"
	"os"
	"syscall"
	"time"

	"example.com/thread"
)

// Each Interrupt that says that it was sent is noticed, by the call of the
// system that it ends or by Interruptible, and none is without an Interrupt.
var interruptLoads = []load{{"Interrupt", beginInterrupt}}

func beginInterrupt(*round, int) use {
	return use{whole: true, step: func(w *worker) {
		asleep := make(chan *thread.Thread)
		var interrupted bool
		var failed error
		t, err := thread.Start(func() {
			r, pw, err := os.Pipe()
			w.must(err)
			defer r.Close()
			defer pw.Close()
			fd := int(r.Fd()) // blocking since
			interrupted, failed = thread.Interruptible(func() {
				asleep <- thread.Current()
				for {
					_, err := syscall.Read(fd, make([]byte, 1))
					if !errors.Is(err, syscall.EINTR) {
						w.fail("%v: a read of a pipe has ended with %v", w, err)
					}
					if thread.Interrupted() { // or else it was another signal
						return
					}
				}
			})
		}, &thread.Attr{Pinned: w.rnd.IntN(4) == 0})
		w.must(err)
		sleeper := <-asleep
		if w.rnd.IntN(2) == 0 {
			time.Sleep(w.limit())
		}
		w.must(sleeper.Interrupt())
		w.must(t.Join())
		if interrupted || failed != nil { // Interrupted has noticed it before
			w.fail("%v: Interruptible: %v, %v", w, interrupted, failed)
		}
	}}
}
