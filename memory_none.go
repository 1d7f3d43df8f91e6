//go:build !linux

package thread

const osLocksMemory = false

func osLockMemory() error   { return nil }
func osUnlockMemory() error { return nil }
