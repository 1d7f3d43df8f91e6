//go:build !amd64 && !arm64

package watch

import (
	"runtime"
	"unsafe"
)

// hasG says that this processor's assembly finds the calling goroutine's g and
// walks its frame pointers. Without it a goroutine is found by its number,
// which costs a microsecond, and keeps its party after its end: there, watch
// mode is for programs with few goroutines.
const hasG = false

func getg() unsafe.Pointer { return nil }

func walk(pcs *[depth]uintptr) {
	n := runtime.Callers(4, pcs[:])
	clear(pcs[n:])
}
