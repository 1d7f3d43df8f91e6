//go:build !linux && !plan9

package shared

import (
	"example.com/thread/internal/ident"
	"example.com/thread/internal/keep"
)

// canRobust says that dead owners are not seen.
const canRobust = false

// readSelf returns the calling thread as an owner: the system's id of it, in
// the form of ost_self_ of csrc/ost_owner.h.
func readSelf(bool) uint64 {
	id := uint64(keep.NativeID())
	if id == 0 { // no C has another name for it
		id = uint64(ident.Serial(ident.ID()))
	}
	return id%(ownerOver-1) + 1 | id/(ownerOver-1)<<32
}

func isDead(uint64) bool { return false }

func onFirstThread(uint64) bool { return false }
func leaveFirstThread()         {}
