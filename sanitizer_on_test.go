//go:build asan || msan

package thread

// Sanitized tells of a C sanitizer, which makes system calls of its own,
// reserves memory beyond all limits, and reports overflows itself.
const Sanitized = true
