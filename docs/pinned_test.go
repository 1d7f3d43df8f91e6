//go:build !windows

package docs_test

import (
	"fmt"
	"runtime"

	"example.com/thread/osthread/sync" // was "sync"
)

func Example_pinned() {
	var mu sync.Mutex
	var group sync.WaitGroup
	sum := 0
	for i := range 4 {
		group.Go(func() {
			runtime.LockOSThread() // for a C library with state for each thread
			defer runtime.UnlockOSThread()
			mu.Lock()
			defer mu.Unlock()
			sum += i
		})
	}
	group.Wait()
	fmt.Println(sum)
	// Output: 6
}
