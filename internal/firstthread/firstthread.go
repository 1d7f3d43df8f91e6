// Package firstthread passes to package osthread what package mainthread, which
// imports that, does with the process's first thread.
package firstthread

// Serve calls f in a goroutine beside the first thread, and what is asked for
// with package mainthread on it, and returns true when f has returned. On any
// other thread it returns false, and f is not called. It is nil in programs
// without package mainthread, and else set before main begins: then the main
// goroutine holds the first thread for good.
var Serve func(f func()) bool
