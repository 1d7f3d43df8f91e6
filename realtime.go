package thread

import "sync"

// A thread with a real-time policy that wakes gets a processor at once, and
// then waits for a P if goroutines compute on all of them: Go's scheduler knows
// no priorities, lets a goroutine run for 10 ms, and takes a P that is idle for
// whatever goroutine is ready. So there must be a P that no goroutine wants.
//
// While threads with such a policy live there are places beside GOMAXPROCS
// (reserve.go): one for each of them, and spare ones for goroutines that
// compute. A FIFO thread that waits for 2 ms, time and again, while 4
// goroutines compute on 2 processors, is late by
//
//	beside GOMAXPROCS=2    median   99 %     99.9 %
//	none                   38 ms    59 ms    62 ms
//	1                      26 ms    38 ms    50 ms
//	4                      0.04 ms  3 ms     4 ms
//	6                      0.03 ms  0.07 ms  0.1 ms
//	8                      0.04 ms  0.08 ms  0.1 ms
//	C without Go           0.03 ms  0.08 ms  0.1 ms
//
// The other way, to keep the P during a wait, does not hold: the runtime takes
// the P of a thread in a system call after 20 us to 10 ms if a goroutine is
// ready (median 0.05 ms, 99 % 46 ms), and a thread that does not say that it is
// in one delays each stop of the world.

// sparePlaces is the number of places for goroutines that compute, as a
// multiple of GOMAXPROCS.
const sparePlaces = 3

var realTime realTimePlaces

// realTimePlaces are the places of the threads with a real-time policy.
type realTimePlaces struct {
	mu      sync.Mutex
	threads int
	held    int // places; fewer than there should be if there was no room
}

// change adds n, 1 or -1, to the number of threads.
func (r *realTimePlaces) change(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.threads += n
	switch {
	case r.threads == 0:
		n = -r.held
	case n < 0:
		n = max(n, -r.held)
	case r.threads == 1:
		n += sparePlaces * places.base()
	}
	if places.change(n) == nil {
		r.held += n
	}
}

func isRealTime(p Policy) bool { return p == PolicyFIFO || p == PolicyRR || p == PolicyDeadline }

// hasPolicy records that t has got the policy p, or, with PolicyInherit, that
// it has ended. The caller holds t.mu, or nobody else knows t.
func (t *Thread) hasPolicy(p Policy) {
	if is := isRealTime(p); is != t.realTime {
		t.realTime = is
		if is {
			realTime.change(1)
		} else {
			realTime.change(-1)
		}
	}
}
