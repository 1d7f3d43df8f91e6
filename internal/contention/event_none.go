//go:build portablepark || go1.28

package contention

// Public API has no way to add to the mutex profile.

const supported = false

func ticks() int64 { return 0 }

// Report does nothing.
func Report(int64, int) {}
