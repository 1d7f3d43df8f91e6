//go:build !windows

package thread

import "example.com/thread/internal/futex"

// Only Windows has handles. Here the id shows whether a thread that has ended
// is still there, as the system gives it to a new thread only after all others.
type handle struct{}

func (*handle) lingers(t *Thread) bool {
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}

func (*handle) close() {}
