//go:build !race && cgo && ((linux && !android) || windows)

// As many_test.go, which asks.

package thread

const raceEnabled = false
