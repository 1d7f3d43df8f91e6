package thread_test

import (
	"fmt"
	"os"
	"syscall"

	"example.com/thread"
)

// A thread begins with the attributes it is given; some can be changed while it
// runs.
func ExampleThread_SetAffinity() {
	t, err := thread.Start(func() {
		me := thread.Current()
		cpus, err := me.Affinity()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(me.SetAffinity(cpus[:1])) // the first that it may run on
		cpus, err = me.Affinity()
		fmt.Println(len(cpus), err)
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output:
	// <nil>
	// 1 <nil>
	// <nil>
}

// PolicyFIFO and PolicyRR need a right (CAP_SYS_NICE); PolicyBatch does not.
func ExampleThread_Priority() {
	t, err := thread.Start(func() {
		policy, priority, err := thread.Current().Priority()
		fmt.Println(policy, priority, err)
	}, &thread.Attr{Policy: thread.PolicyBatch})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output:
	// batch 0 <nil>
	// <nil>
}

// C code on this thread is not interrupted by SIGUSR1 and SIGWINCH; other
// threads of the process take them.
func ExampleAttr_signalMask() {
	t, err := thread.Start(func() {
		// unix.PthreadSigmask, or C code, would see the mask here.
		fmt.Println("runs")
	}, &thread.Attr{SignalMask: []os.Signal{syscall.SIGUSR1, syscall.SIGWINCH}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Join())
	// Output:
	// runs
	// <nil>
}

// A thread blocks a signal, and takes it when it is ready to.
func ExampleSigwait() {
	usr1 := thread.Signals(syscall.SIGUSR1)
	t, err := thread.Start(func() {
		got, err := thread.Sigwait(usr1)
		fmt.Println(got.Signal, err)
	}, &thread.Attr{SignalMask: usr1.List()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Signal(syscall.SIGUSR1))
	fmt.Println(t.Join())
	// Unordered output:
	// <nil>
	// user defined signal 1 <nil>
	// <nil>
}

func ExampleSignalSet() {
	set := thread.Signals(syscall.SIGINT, syscall.SIGUSR1, syscall.Signal(40))
	fmt.Println(set)
	fmt.Println(set.Has(os.Interrupt), set.Minus(thread.Signals(syscall.SIGINT)).Len())
	// Output:
	// SIGINT,SIGUSR1,40
	// true 2
}

// A thread is brought out of a system call, or out of C code that waits in one.
func ExampleThread_Interrupt() {
	begun := make(chan *thread.Thread)
	t, err := thread.Start(func() {
		interrupted, err := thread.Interruptible(func() {
			begun <- thread.Current()
			day := syscall.Timespec{Sec: 86400}
			fmt.Println(syscall.Nanosleep(&day, nil))
		})
		fmt.Println(interrupted, err)
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = (<-begun).Interrupt()
	if err := t.Join(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(err)
	// Output:
	// interrupted system call
	// true <nil>
	// <nil>
}
