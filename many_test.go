//go:build cgo && ((linux && !android) || windows)

package thread

import (
	"runtime"
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
	threads := 2000
	if runtime.GOOS == "windows" {
		threads = 200 // under wine a thread's life takes some ms
	}
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
