//go:build cgo && !android

package thread

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
)

// Native threads do not count against the runtime's limit of 10,000, or in a
// short test, which saves 300 MB, and with the race detector 1.5 GB, a lower
// one. In a child, since each leaves some KB with the runtime.
func TestMoreNativeThreadsThanTheRuntimeAllowsItself(t *testing.T) {
	inChild(t, func() {
		threads := 11_000
		if raceEnabled || testing.Short() {
			threads = 300
			debug.SetMaxThreads(100)
		}
		leave := make(chan struct{})
		var mu sync.Mutex
		var all []*Thread
		var starters sync.WaitGroup
		for range 10 { // at once, so that the gate has work
			starters.Go(func() {
				for range threads / 10 {
					th, err := Start(func() { <-leave }, smallStack)
					must(err)
					mu.Lock()
					all = append(all, th)
					mu.Unlock()
				}
			})
		}
		starters.Wait()
		if NumThread() != threads {
			panic(fmt.Sprint(NumThread()))
		}
		runtime.GC()
		close(leave)
		for _, th := range all {
			must(th.Join())
		}
		if NumThread() != 0 || records.count() != 0 {
			panic(fmt.Sprint(NumThread(), records.count()))
		}
	})
}
