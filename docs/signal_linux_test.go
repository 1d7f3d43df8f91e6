package docs_test

import (
	"fmt"
	"syscall"

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
