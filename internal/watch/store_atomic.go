//go:build !amd64 || race

package watch

import "sync/atomic"

// store stores v in program order, as seen by others.
func store(p *atomic.Uint64, v uint64) { p.Store(v) }
