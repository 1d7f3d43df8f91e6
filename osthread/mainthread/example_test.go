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
