//go:build cgo

package headroom

// goStack is the address space that a thread of Go's runtime takes:
// pthread_create makes it, with the default stack.
var goStack = defaultStack()
