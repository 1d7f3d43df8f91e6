//go:build amd64 || arm64

package watch

import "unsafe"

// hasG says that this processor's assembly finds the calling goroutine's g and
// walks its frame pointers.
const hasG = true

// The assembly functions are called by their addresses, with arguments and
// results in the registers of Go's ABI, as in internal/ident: a call by name
// goes through a wrapper. They have no frame.
var (
	// getg returns the calling goroutine's g.
	getg = *(*func() unsafe.Pointer)(unsafe.Pointer(&getgCode))
	// walk writes to pcs the return addresses of the calling goroutine, from
	// its caller's on, and a 0 if there are fewer. It reads nothing outside of
	// the goroutine's stack, whose bounds are the first two words of g, and
	// ends where a frame pointer points elsewhere: C code keeps none.
	walk = *(*func(pcs *[depth]uintptr))(unsafe.Pointer(&walkCode))

	getgCode = unsafe.Pointer(&loadGAddr)
	walkCode = unsafe.Pointer(&walkFramesAddr)
)

// loadG and walkFrames must not be called by name.
func loadG()
func walkFrames()

var _, _ = loadG, walkFrames // for the tools that do not see them in the assembly

// What a func value points to: the address of the code.
var loadGAddr, walkFramesAddr uintptr
