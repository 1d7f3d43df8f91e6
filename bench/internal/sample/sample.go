// Package sample has the result of one round of one contender.
package sample

import (
	"errors"
	"strings"
	"time"
)

// Unknown stands for a count that a contender does not have.
const Unknown = -1

// A Sample counts what was done between two snapshots of a running round: the
// threads run before the first and after the second, so that their start and
// end are not included.
type Sample struct {
	Ops      int64         // operations of all threads
	Elapsed  time.Duration // between the snapshots
	CPU      time.Duration // user and system time of the process in between, or Unknown
	Switches int64         // voluntary and involuntary context switches of its threads, or Unknown
	// Least and Most are the operations of the threads that did the fewest and
	// the most; both 0 if there is only one thread.
	Least, Most int64
	Waits       *Hist   // wait of each operation in a timed round; else nil
	Bytes       float64 // resident memory per thread; 0 if not measured
}

// A Round has the settings of one round.
type Round struct {
	Warm  time.Duration // from the start of the threads to the first snapshot
	Time  time.Duration // between the snapshots
	Timed bool          // time the wait of each operation, at the cost of two clock reads
}

// An AbsentError is the reason why a contender cannot do a row, or is missing
// altogether.
type AbsentError struct{ Why string }

func (e *AbsentError) Error() string { return e.Why }

// Absent converts err, which may be the output of a compiler, to an absence:
// its first 200 bytes in one line.
func Absent(err error) *AbsentError {
	why := strings.Join(strings.Fields(err.Error()), " ")
	if len(why) > 200 {
		why = strings.ToValidUTF8(why[:200], "") + "..."
	}
	return &AbsentError{why}
}

// IsAbsent reports whether err is an [AbsentError].
func IsAbsent(err error) bool {
	_, absent := errors.AsType[*AbsentError](err)
	return absent
}
