//go:build race && (linux || windows)

// As many_test.go, which asks.

package thread

const raceEnabled = true
