// Package headroom refuses a new thread a little before the system would. It does so on Linux only.
//
// At a limit on threads pthread_create fails cleanly, but Go's runtime, which makes a thread whenever a goroutine blocks in a system
// call and others are ready, aborts the process when it cannot. So the last few threads below each limit are left to the runtime.
//
// A look at the limits reads half a dozen files (50 us), so it is good for half of the room that it found: [Check] looks more often
// the nearer a limit is, and at every call next to it. Between two looks other processes may use the room up; then the
// system refuses, and the runtime has none.
package headroom

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// spare is how many threads besides GOMAXPROCS the runtime may want: one for each goroutine in a blocking system
// call. Programs with more of them at once at the limit are on their own.
const spare = 16

var (
	unlooked atomic.Int64 // threads that may be made before the next look
	looking  sync.Mutex
)

// Check returns nil if there is room for one more thread, else on Linux syscall.EAGAIN, as pthread_create would; elsewhere there always is.
func Check() error {
	if unlooked.Add(-1) >= 0 {
		return nil
	}
	looking.Lock()
	defer looking.Unlock()
	room := room() - spare - runtime.GOMAXPROCS(0)
	if room <= 0 {
		return errAgain
	}
	unlooked.Store(int64(room / 2))
	return nil
}
