//go:build amd64 || 386 || arm64

package park

// pause tells the processor n times that it runs a spin loop.
func pause(n uint32)
