//go:build !windows

package thread

import "example.com/thread/internal/futex"

// Handles exist on Windows only. Elsewhere an id shows whether an ended thread
// still exists, since the system reuses it only after all others.
type handle struct{}

func (*handle) lingers(t *Thread) bool {
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}

func (*handle) close() {}
