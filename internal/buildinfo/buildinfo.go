// Package buildinfo reports how the program was built, for tests.
package buildinfo

var (
	// Race reports whether the race detector is on.
	Race bool

	// Sanitized reports whether a C sanitizer is on: it makes system calls of
	// its own, reserves memory beyond all limits, and reports overflows itself.
	Sanitized bool

	// PortableFutex reports whether the build tag portablefutex is set.
	PortableFutex bool
)
