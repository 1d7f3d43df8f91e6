package docs_test

import (
	"fmt"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"example.com/thread"
)

// Example_signals has a thread that takes what others send it, as C code does
// with sigwaitinfo.
func Example_signals() {
	job, stop := syscall.Signal(40), syscall.SIGTERM
	set := thread.Signals(job, stop)
	t, err := thread.Start(func() {
		for {
			got, err := thread.Sigwait(set)
			if err != nil || got.Signal == stop {
				fmt.Println("stop", err)
				return
			}
			fmt.Println("job", got.Value)
			if got.Value == 2 {
				fmt.Println(thread.Current().Signal(stop))
			}
		}
	}, &thread.Attr{Name: "signals", SignalMask: set.List()}) // blocked from the start
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := range uintptr(3) {
		if err := t.SignalValue(job, n); err != nil { // any thread or goroutine may send
			fmt.Println(err)
		}
	}
	fmt.Println(t.Join())
	// Output:
	// job 0
	// job 1
	// job 2
	// <nil>
	// stop <nil>
	// <nil>
}

// Example_interrupt stops a thread that waits in a system call, which may as
// well be made by C code.
func Example_interrupt() {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		fmt.Println(err)
		return
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])

	var stop atomic.Bool
	t, err := thread.Start(func() {
		buf := make([]byte, 64)
		interrupted, err := thread.Interruptible(func() {
			for !stop.Load() {
				n, err := unix.Read(p[0], buf) // or a call of C that returns on EINTR
				if err != unix.EINTR {
					fmt.Println("read", n, err)
				}
			}
		})
		fmt.Println("interrupted:", interrupted, err)
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	stop.Store(true)
	for t.Alive() && t.Interrupt() == thread.ErrNotInterruptible {
		thread.Yield() // it has not come to it yet
	}
	fmt.Println(t.Join())
}
