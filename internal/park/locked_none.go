//go:build portablepark || go1.28

package park

// locked would report whether the calling goroutine is locked to its thread.
// Public API does not tell at a bearable cost.
func locked() bool { return false }
