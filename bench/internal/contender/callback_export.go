//go:build cgo && unix

package contender

import "C"

//export osthreadBenchCalled
func osthreadBenchCalled() C.int {
	if (*called.Load())() {
		return 1
	}
	return 0
}
