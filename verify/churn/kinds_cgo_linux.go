//go:build cgo && !android

package main

import (
	"errors"
	"fmt"
	"sync/atomic"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

func init() { ofC = append(ofC, kind{"alien threads", visit}) }

// atOnce is how many threads of C there are at a time.
const atOnce = 8

// visit has n threads of C call in, each of which gets a record.
func visit(n int) error {
	var strangers atomic.Int64
	for left := n; left > 0; left -= atOnce {
		err := ctest.Aliens(min(left, atOnce), func(int) {
			if th := thread.Current(); th == nil || !th.Alive() {
				strangers.Add(1)
			}
		})
		if err != nil {
			return fmt.Errorf("pthread_create: %w", err)
		}
	}
	if strangers.Load() > 0 {
		return errors.New("a thread of C has no record")
	}
	return nil
}
