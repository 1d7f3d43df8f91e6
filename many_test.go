//go:build cgo && linux && !android

package thread

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallStack is for tests of many threads: 64 KiB, or the least there is.
var smallStack = &Attr{StackSize: max(64<<10, minStack)}

func TestGoexitLeavesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps memory of each thread")
	}
	const threads = 2000
	bodies := map[string]func(){"return": func() {}, "Goexit": runtime.Goexit, "Exit": Exit, "panic": func() { panic("x") }}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			churn := func() {
				for range threads {
					th, err := Start(body, smallStack)
					require.NoError(t, err)
					_ = th.Join() // the ways to end are another test's
				}
			}
			churn() // the runtime's own stores fill up
			goroutines, before := runtime.NumGoroutine(), inUse()
			churn()
			assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
			assert.Less(t, (inUse()-before)/threads, 64, "bytes left by each")
		})
	}
}

// inUse returns the bytes of heap and goroutine stacks in use.
func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// Native threads do not count against the runtime's limit of 10,000, or in a short test, which saves 300 MB, and with the race detector 1.5 GB, a
// lower one. In a child, since each leaves some KB with the runtime.
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
