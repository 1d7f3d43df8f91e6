//go:build !portablefutex

package thread

const portableFutex = false
