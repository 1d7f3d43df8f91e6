// Package sample is what one round of one contender found out.
package sample

import (
	"errors"
	"strings"
	"time"
)

// Unknown stands for a count that a contender cannot tell.
const Unknown = -1

// A Sample counts what was done between two looks at a round in full swing: the
// threads run before the first and after the second, so that neither their
// start nor their end is in it.
type Sample struct {
	Ops      int64         // operations of all threads
	Elapsed  time.Duration // between the looks
	CPU      time.Duration // user and system time of the process meanwhile; Unknown
	Switches int64         // context switches of its threads, wanted and not; Unknown
	// Least and Most are the operations of the thread that did the fewest and
	// of the one that did the most; 0 and 0 where one thread alone does all.
	Least, Most int64
	Waits       *Hist   // of each operation, in a timed round; else nil
	Bytes       float64 // resident memory a thread; 0: not measured
}

// A Round says how to do one.
type Round struct {
	Warm  time.Duration // from the start of the threads to the first look
	Time  time.Duration // between the looks
	Timed bool          // take the time of each operation's wait, which costs two looks at the clock
}

// An AbsentError says why a contender has nothing for a row, or is not there at
// all.
type AbsentError struct{ Why string }

func (e *AbsentError) Error() string { return e.Why }

// Absent makes an absence of err, whose text may be that of a compiler: of it
// the first 200 bytes, in one line.
func Absent(err error) *AbsentError {
	why := strings.Join(strings.Fields(err.Error()), " ")
	if len(why) > 200 {
		why = strings.ToValidUTF8(why[:200], "") + "..."
	}
	return &AbsentError{why}
}

// IsAbsent reports whether err says so.
func IsAbsent(err error) bool {
	_, absent := errors.AsType[*AbsentError](err)
	return absent
}
