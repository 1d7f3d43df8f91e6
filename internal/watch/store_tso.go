//go:build amd64 && !race

package watch

import (
	"sync/atomic"
	"unsafe"
)

// store stores v in program order, as seen by others. On amd64 a plain store
// does; an atomic one would cost as much as locking a lock.
func store(p *atomic.Uint64, v uint64) { *(*uint64)(unsafe.Pointer(p)) = v }
