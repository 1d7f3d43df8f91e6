//go:build !portablepark && !go1.28

package contention

import _ "unsafe" // for go:linkname

// The runtime pushes mutexevent under a name in package sync, where nothing has
// used it since locks moved to internal/sync, and keeps cputicks linkable for
// others (golang/go#67401). Neither is promised, so an unknown Go release gets
// event_none.go.

//go:linkname event sync.event
func event(cycles int64, skip int)

//go:linkname ticks runtime.cputicks
func ticks() int64

const supported = true

// Report reports that waiters have waited for n ticks until the caller woke
// one. The stack in the profile begins skip functions above the caller. With n
// = 0 Report does nothing.
func Report(n int64, skip int) {
	if n > 0 {
		event(n, skip+ownFrames)
	}
}

// ownFrames is the functions between the runtime's and the caller of Report:
// event and Report.
const ownFrames = 2
