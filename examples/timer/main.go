// Timer shows a timer that fires, a timer that is cancelled in time, a timer
// whose function fails, and what Cancel returns for each.
//
//	go run ./examples/timer
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/thread/osthread"
)

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "timer:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	for _, step := range []func(io.Writer) error{fires, cancelled, neverStarted, fails} {
		if err := step(w); err != nil {
			return err
		}
	}
	return nil
}

func fires(w io.Writer) error {
	hello := osthread.NewTimer(300*time.Millisecond, func() error {
		_, err := fmt.Fprintln(w, "  hello, world")
		return err
	}, nil)
	// before Start: then w is the timer's until Join
	fmt.Fprintf(w, "In %v there will be a greeting:\n", hello.Interval())
	began := time.Now()
	if err := hello.Start(); err != nil {
		return err
	}
	if err := hello.Join(); err != nil {
		return err
	}
	fmt.Fprintf(w, "  no earlier than that: %t\n", time.Since(began) >= hello.Interval())
	fmt.Fprintf(w, "  Cancel came in time: %t\n", hello.Cancel())
	return nil
}

// cancelled does not wait for an hour: a cancelled timer's thread ends at once.
func cancelled(w io.Writer) error {
	ran := false
	alarm := osthread.NewTimer(time.Hour, func() error { ran = true; return nil }, &osthread.Attr{Name: "alarm"})
	if err := alarm.Start(); err != nil {
		return err
	}
	fmt.Fprintf(w, "In %v there would be an alarm:\n", alarm.Interval())
	fmt.Fprintf(w, "  Cancel came in time: %t\n", alarm.Cancel())
	if err := alarm.Join(); err != nil {
		return err
	}
	fmt.Fprintf(w, "  it ran: %t, the timer is finished: %t\n", ran, alarm.Finished().IsSet())
	return nil
}

// neverStarted is cancelled before it starts; it may be started, but has
// nothing to do.
func neverStarted(w io.Writer) error {
	ran := false
	never := osthread.NewTimer(0, func() error { ran = true; return nil }, nil)
	fmt.Fprintln(w, "Before it has started:")
	fmt.Fprintf(w, "  Cancel came in time: %t\n", never.Cancel())
	if err := errors.Join(never.Start(), never.Join()); err != nil {
		return err
	}
	fmt.Fprintf(w, "  started all the same it ran: %t\n", ran)
	return nil
}

var errNobodyHome = errors.New("nobody home")

func fails(w io.Writer) error {
	call := osthread.NewTimer(time.Millisecond, func() error { return errNobodyHome }, nil)
	if err := call.Start(); err != nil {
		return err
	}
	err := call.Join()
	if !errors.Is(err, errNobodyHome) {
		return fmt.Errorf("the call ended with %v", err)
	}
	fmt.Fprintf(w, "What a function returns is what Join returns:\n  %v\n", err)
	return nil
}
