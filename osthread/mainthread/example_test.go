package mainthread_test

import (
	"fmt"

	"example.com/thread/osthread/mainthread"
)

// The tests of this package run below mainthread.RunTests.
func ExampleDo() {
	fmt.Println(mainthread.Is())
	err := mainthread.Do(func() error {
		fmt.Println(mainthread.Is())
		return nil
	})
	fmt.Println(err)
	// Output:
	// false
	// true
	// <nil>
}

// The event loop of a library calls Poll in a callback. OnPost takes what wakes
// the loop.
func ExamplePoll() {
	err := mainthread.Do(func() error { // the first thread, where the loop would run
		mainthread.OnPost(func() { fmt.Println("wake the loop") })
		defer mainthread.OnPost(nil)
		mainthread.Go(func() { fmt.Println("a function for the first thread") })
		n, err := mainthread.Poll()
		fmt.Println(n, "called")
		return err
	})
	fmt.Println(err)
	// Output:
	// wake the loop
	// a function for the first thread
	// 1 called
	// <nil>
}
