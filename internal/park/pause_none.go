//go:build !(amd64 || 386 || arm64)

package park

import "sync/atomic"

var dummy atomic.Uint32

// pause has no instruction on this architecture. An atomic load costs a few ns
// and is not optimized away.
func pause(n uint32) {
	for range n {
		dummy.Load()
	}
}
