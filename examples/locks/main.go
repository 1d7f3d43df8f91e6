// Locks starts threads that add to a sum under a lock, and waits for them for a
// second at most.
//
//	go run ./examples/locks
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/thread/osthread"
)

func main() {
	if err := osthread.RunMain(run); err != nil { // waits for all threads, as Python does
		fmt.Fprintln(os.Stderr, "locks:", err)
		os.Exit(1)
	}
}

func run() error {
	var l osthread.Lock
	changed := osthread.NewCondition(&l)
	sum, left := 0, 4
	for i := range left {
		_, err := osthread.Go(func() error {
			l.Lock()
			defer l.Unlock()
			sum, left = sum+i, left-1
			changed.Notify()
			return nil
		})
		if err != nil {
			return err
		}
	}
	l.Lock()
	defer l.Unlock()
	if !changed.WaitForTimeout(func() bool { return left == 0 }, time.Minute) {
		return errors.New("threads are late")
	}
	fmt.Println("sum:", sum)
	return nil
}
