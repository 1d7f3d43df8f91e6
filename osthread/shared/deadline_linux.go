package shared

import (
	"time"

	"golang.org/x/sys/unix"
)

func (c Clock) read() (time.Duration, error) {
	id := int32(unix.CLOCK_MONOTONIC)
	if c == Boottime {
		id = unix.CLOCK_BOOTTIME
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, failed("Clock.Now", err)
	}
	return time.Duration(ts.Nano()), nil
}
