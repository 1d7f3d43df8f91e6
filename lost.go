package thread

import (
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/ident"
)

// A record can outlive its thread. An attached thread of Go's ends with its
// goroutine, when Go cannot be called any more. C code may end any thread by
// the system call (Linux: exit, Windows: TerminateThread), which runs no
// destructor. The system then reuses the thread's id, perhaps in another
// process. So a call that uses the id of an attached thread first asks whether
// the thread still exists. Joiners of a native thread ask once per lostCheck.

// notice ends the record of an attached thread that is gone. The result may be
// stale by the time it is used, but Linux reuses an id only after all others: a
// call by id right after notice finds the thread or none.
func (t *Thread) notice() {
	if t.fromStart() || t == Current() {
		return
	}
	collectExited()
	t.endIfGone()
}

// endIfGone ends the record of a thread that is gone, unless it is pinned: its
// goroutine may live on after unlocking itself. The caller is another thread.
func (t *Thread) endIfGone() {
	if t.kind != pinned && t.begun.Load() && !t.hasEnded() && osIsGone(t) {
		t.endLost()
	}
}

// sweep ends the records of all threads that are gone, for a caller that has no
// record. It scans only once the number of records has doubled since the last
// scan, so each record costs at most two checks.
func (r *recordTable) sweep() {
	const least = 16
	r.mu.Lock()
	due := r.used() >= max(least, r.sweepAt)
	r.mu.Unlock()
	if !due {
		return
	}
	for _, t := range r.all() {
		t.endIfGone()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweepAt = 2 * r.used()
}

// endLost ends the record of a thread that is gone, and wakes its joiners. Its
// values are dropped without their destructors. A native thread is not joined:
// the C library still has its values of keys, and musl waits for ever. So its
// stack is leaked.
func (t *Thread) endLost() {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return
	}
	t.ended, t.lost = true, true
	t.hasPolicy(PolicyInherit)
	if t.kind == native {
		t.result = ErrPthreadExit
		started.Add(-1)
	}
	waiting := t.joiners.end()
	t.joiners.claim = claimGone
	t.mu.Unlock()
	ident.Forget(t.nativeID, t.slot)
	records.remove(t)
	for _, w := range waiting {
		w.Unpark()
	}
}

// collectExited ends the records of attached threads of Go's that are gone.
func collectExited() {
	for slot := osExited(); slot != unknown; slot = osExited() {
		if t := records.at(slot); t != nil && t.slot == slot { // else it was noticed before
			t.endLost()
		}
	}
}

// lostCheck is how often the joiners of native threads check that the threads
// exist, by one timer for all of them.
const lostCheck = time.Second

var (
	lostJoins atomic.Int64 // joins that wait for native threads
	lostTimer atomic.Bool  // set while the timer runs
)

// startLostTimer starts the timer, unless it runs. The caller has added itself
// to lostJoins. A timer of a bubble of testing/synctest, where the clock is
// before 0, would not outlive the bubble.
func startLostTimer() {
	if !lostTimer.Load() && futex.Now() >= 0 && lostTimer.CompareAndSwap(false, true) {
		time.AfterFunc(lostCheck, checkJoined)
	}
}

// checkJoined ends the records of joined threads that are gone. The timer stops
// once nobody joins.
func checkJoined() {
	for _, t := range records.all() {
		if t.kind == native && t.isJoined() {
			t.endIfGone()
		}
	}
	lostTimer.Store(false)
	if lostJoins.Load() > 0 {
		startLostTimer()
	}
}

func (t *Thread) isJoined() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.joiners.waiting) > 0
}
