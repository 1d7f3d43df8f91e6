//go:build !unix

package thread

// neverBlocked holds the signals that no mask blocks; there are no masks here.
const neverBlocked = 0
