//go:build cgo && !android && (amd64 || arm64)

package inject_test

import (
	"sync/atomic"
	"syscall"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/osthread"
)

func init() {
	operations = append(operations,
		// The C library's pthread_create turns ENOMEM into EAGAIN.
		operation{name: "a thread of C calls", do: visit, also: []error{syscall.EAGAIN}},
	)
}

// visit has threads of C call in: each gets a record, unless there is none.
func visit() error {
	var known atomic.Int64
	err := ctest.Aliens(2, func(int) {
		if th := thread.Current(); th != nil && th.Alive() && osthread.Current() != nil {
			known.Add(1)
		}
	})
	if err == nil && known.Load() != 2 {
		panic("a thread of C has no record")
	}
	return err
}
