package sync_test

import (
	"fmt"
	"runtime"

	"example.com/thread/osthread/sync"
)

// The code is that of a program with package sync; only the import differs.
func Example() {
	var mu sync.Mutex
	filled := sync.NewCond(&mu)
	var jobs []int
	var group sync.WaitGroup
	sum := 0
	group.Go(func() {
		runtime.LockOSThread() // a C library wants this thread
		defer runtime.UnlockOSThread()
		for range 3 {
			mu.Lock()
			for len(jobs) == 0 {
				filled.Wait() // on a futex: no switch of threads
			}
			sum += jobs[0]
			jobs = jobs[1:]
			mu.Unlock()
		}
	})
	for i := range 3 {
		mu.Lock()
		jobs = append(jobs, i)
		mu.Unlock()
		filled.Signal()
	}
	group.Wait()
	fmt.Println(sum)
	// Output: 3
}
