package osthread

import (
	"runtime"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/wait"
)

// What RWLock and Semaphore have in common: those in the queue are woken to
// look for themselves, which is a turn, while who comes may be quicker. A turn
// is the right thing for as long as its owner gets a processor soon; here is
// what bounds the time for which it does not. What a turn allows, and who
// counts those that are out, is each primitive's own. A Lock's spinner has its
// bounds in mutex.go, but for one processor.

// old reports whether n has waited so long that it is handed what it waits for.
func old(n *wait.Node) bool { return futex.Now()-n.Since > patience }

// backOff pauses before the next look: shortly at first, for sections that end
// soon, then as a Lock's spinner does.
func backOff(look int) { park.Pause(min(1<<min(look, 5), spinnerPause)) }

// stepAside lets one run who was woken long ago, where there is but one
// processor for all. Go's scheduler would take it away after 10 ms, but not
// while its monitor sleeps, which it does after all have slept (Go 1.26, sysmon
// in runtime/proc.go). So there the flag that says that somebody waits stays
// until who has a turn has ended it, or nobody would come to step aside for the
// only one.
func stepAside() {
	if park.OnOneP() {
		runtime.Gosched()
	}
}

// ageLooks is how many of those who let go and leave the rest to one with a
// turn there are for each who looks how old the head of the queue is, or the
// turn: the one that has it may have lost its processor.
const ageLooks = 64
