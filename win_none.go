//go:build !windows

package thread

import "example.com/thread/internal/futex"

// COM apartments and thread handles exist on Windows only.

const osApartment = false

func osEnterApartment(*Thread, Apartment) error { return unsupported("COM apartment") }

// osLeaveApartment is not reached: no thread is in an apartment.
func osLeaveApartment() {}

// A handle is empty: an id shows whether an ended thread still exists, since
// the system reuses it only after all others.
type handle struct{}

func (*handle) lingers(t *Thread) bool {
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}

func (*handle) close() {}
