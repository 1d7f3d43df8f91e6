//go:build linux || windows

package thread

import "example.com/thread/internal/leak"

var inChild, child = leak.InChild, leak.Child

func must(err error) {
	if err != nil {
		panic(err)
	}
}
