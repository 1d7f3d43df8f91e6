// Package contention reports contention of locks to Go's mutex profile, where
// it stands beside that of sync.Mutex.
//
// As sync's does, an unlock that wakes a waiter reports how long the waiters
// have waited because of it, under its own stack. The runtime samples the
// reports at the rate that runtime.SetMutexProfileFraction has set.
package contention

import "runtime"

// On reports whether there is a mutex profile. It is one load.
func On() bool { return supported && runtime.SetMutexProfileFraction(-1) > 0 }

// Now returns the present time in the profile's ticks, which is not 0, or 0 if
// there is no mutex profile.
func Now() int64 {
	if !On() {
		return 0
	}
	return max(ticks(), 1)
}
