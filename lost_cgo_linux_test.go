//go:build cgo && !android

package thread

import "example.com/thread/internal/ctest"

func init() {
	unnoticed["alien that ends by the system call"] = func() *Thread {
		c := make(chan *Thread)
		must(ctest.Vanish(func(int) { c <- Current() }))
		th := <-c
		awaitGoneFromKernel(th)
		return th
	}
	attachedThreads["alien"] = func(body func(*Thread)) {
		must(ctest.Aliens(1, func(int) { body(Current()) }))
	}
}
