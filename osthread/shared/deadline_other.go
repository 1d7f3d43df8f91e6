//go:build !linux && !plan9

package shared

import (
	"time"

	"example.com/thread/internal/futex"
)

func (c Clock) read() (time.Duration, error) {
	if c == Boottime {
		return 0, failed("Clock.Now", ErrUnsupported)
	}
	return time.Duration(futex.Now()), nil
}
