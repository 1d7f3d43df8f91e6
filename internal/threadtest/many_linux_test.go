//go:build cgo && !android

package threadtest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// Native threads do not count against the runtime's limit of 10,000, or in a
// short test, which saves 300 MB, and with the race detector 1.5 GB, a lower
// one. In a child, since each leaves some KB with the runtime.
func TestStartExceedsSetMaxThreadsWithNativeThreads(t *testing.T) {
	leak.InChild(t, func() {
		threads := 11_000
		if buildinfo.Race || testing.Short() {
			threads = 300
			debug.SetMaxThreads(100)
		}
		leave := make(chan struct{})
		var mu sync.Mutex
		var all []*thread.Thread
		var starters sync.WaitGroup
		for range 10 { // at once, so that the gate has work
			starters.Go(func() {
				for range threads / 10 {
					th, err := thread.Start(func() { <-leave }, smallStack)
					testutil.Must(err)
					mu.Lock()
					all = append(all, th)
					mu.Unlock()
				}
			})
		}
		starters.Wait()
		if thread.NumThread() != threads {
			panic(fmt.Sprint(thread.NumThread()))
		}
		runtime.GC()
		close(leave)
		for _, th := range all {
			testutil.Must(th.Join())
		}
		if thread.NumThread() != 0 || keep.Records() != 0 {
			panic(fmt.Sprint(thread.NumThread(), keep.Records()))
		}
	})
}
