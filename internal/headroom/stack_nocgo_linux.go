//go:build !cgo

package headroom

// goStack is the address space that a thread of Go's runtime takes: clone makes
// it, with a stack of 16 KiB from Go's heap.
const goStack = 16 << 10
