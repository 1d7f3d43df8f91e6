//go:build !portablepark && !go1.28

package park

import _ "unsafe" // for go:linkname

// locked reports whether the calling goroutine is locked to its thread
// (runtime.LockOSThread). The runtime has the name open for tests of cgo; where
// it is not known to be there, locked_none.go takes this file's place.
//
//go:linkname locked runtime.lockedOSThread
func locked() bool
