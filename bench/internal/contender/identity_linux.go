package contender

import (
	"golang.org/x/sys/unix"

	"example.com/thread/bench/internal/sample"
)

// systemCalls are the contenders that ask the system for the thread id.
var systemCalls = []Contender{{"x/sys", false, of(func(c *crew) (sample.Sample, error) {
	return ask(c, locked, func() {
		for range c.spec.Batch() {
			id = unix.Gettid()
		}
	})
})}}
