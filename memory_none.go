//go:build !linux

package thread

const (
	osLocksMemory  = false
	osMemoryPolicy = false
)

func osLockMemory() error   { return nil }
func osUnlockMemory() error { return nil }

func osSetMemoryPolicy(MemoryPolicy) error { return unsupported("memory policy of a thread") }

func osMemoryPolicyOf() (MemoryPolicy, error) {
	return MemoryPolicy{}, unsupported("memory policy of a thread")
}
