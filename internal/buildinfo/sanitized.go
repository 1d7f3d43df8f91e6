//go:build asan || msan

package buildinfo

func init() { Sanitized = true }
