//go:build cgo && ((linux && !android) || windows)

package threadtest

import (
	"fmt"
	"runtime"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// smallStack is for tests of many threads: 64 KiB, or the least there is.
var smallStack = leastStack(64 << 10)

// In a child, since a thread that ends by Goexit leaves a goroutine and an M.
func TestThreadLeaksNothing(t *testing.T) {
	if buildinfo.Race {
		t.Skip("the race detector keeps memory of each thread")
	}
	several, few := 2000, 200
	if testing.Short() {
		several, few = 400, 50
	}
	if runtime.GOOS == "windows" {
		several = few // under wine a thread's life takes some ms
	}
	// An M and its goroutine: 17 KB, and a stack for signals, hardly touched.
	const m = 64 << 10
	for _, end := range []struct {
		name               string
		body               func()
		threads            int
		goroutines, atMost int // left by each
	}{
		{"return", func() {}, several, 0, 64},
		{"panic", func() { panic("x") }, several, 0, 64},
		{"Goexit", runtime.Goexit, few, 1, m},
		{"Exit", thread.Exit, few, 1, m},
	} {
		t.Run(end.name, func(t *testing.T) {
			leak.InChild(t, func() {
				quiet(t)
				churn := func() {
					for range end.threads {
						th, err := thread.Start(end.body, smallStack)
						testutil.Must(err)
						_ = th.Join() // the ways to end are another test's
					}
				}
				churn() // the runtime's own stores fill up
				// Those also grow in some later rounds; what each thread
				// leaves, in all rounds.
				bytes := end.atMost
				for round := 0; round < 4 && bytes >= end.atMost; round++ {
					goroutines, before := runtime.NumGoroutine(), inUse()
					churn()
					if n := runtime.NumGoroutine() - goroutines; n > end.goroutines*end.threads {
						panic(fmt.Sprint("goroutines left: ", n))
					}
					bytes = (inUse() - before) / end.threads
				}
				if bytes >= end.atMost {
					panic(fmt.Sprint("bytes left by each: ", bytes))
				}
			})
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
