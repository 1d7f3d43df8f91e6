package pprof

import (
	"io"
	"time"

	"example.com/thread/internal/trace"
	"example.com/thread/internal/waitprof"
)

// SetWaitProfileRate makes the profile contain one sample, on average, per rate
// nanoseconds that were spent waiting, as runtime.SetBlockProfileRate does. A
// rate of 1 includes each wait. A rate of 0 or less, which is the default,
// turns profiling off: a wait then costs what it costs without this package.
//
// A wait is counted when it ends, and only if the profile was on when it began.
func SetWaitProfileRate(rate int) { trace.SetProfileRate(int64(rate)) }

// WriteWaitProfile writes the profile of the waits since the start of the
// process to w, in the gzip-compressed format of go tool pprof. It returns the
// error of a write to w.
func WriteWaitProfile(w io.Writer) error {
	return write(w, waitprof.Records(), time.Now(), 0)
}

// since returns what of all was collected after before was.
func since(before, all map[waitprof.Key]waitprof.Record) map[waitprof.Key]waitprof.Record {
	for k, r := range before {
		now := all[k]
		now.Count -= r.Count
		now.Time -= r.Time
		if now.Count == 0 {
			delete(all, k)
		} else {
			all[k] = now
		}
	}
	return all
}
