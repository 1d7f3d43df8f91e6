package contender

import (
	"golang.org/x/sys/unix"

	"example.com/thread/bench/internal/sample"
)

// systemCalls are those who ask the system for a thread's number.
var systemCalls = []Contender{{"x/sys", false, of(func(c *crew) (sample.Sample, error) {
	return ask(c, locked, func() {
		for range c.spec.Batch() {
			id = unix.Gettid()
		}
	})
})}}
