//go:build amd64 || 386 || arm64

package park

// pause executes n spin-loop hints of the processor.
func pause(n uint32)
