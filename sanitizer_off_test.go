//go:build !asan && !msan

package thread

const Sanitized = false
