package thread

import "example.com/thread/internal/ident"

// A record can outlive its thread. A thread of Go's that was attached ends with
// its goroutine, where Go cannot be called any more; and C code may end a
// thread by the system's own call (Linux: exit, Windows: TerminateThread),
// which runs no destructor. The system then gives the thread's id to another
// thread, maybe of another process. So a call that uses the id asks first
// whether the thread is still there.

// notice ends the record of an attached thread that is gone. The result may be
// stale by the time it is used, but Linux gives out all other ids before it
// gives one out again, so a call by id right after it meets the thread or none.
func (t *Thread) notice() {
	if t.fromStart() || t == Current() {
		return
	}
	collectOrphans()
	t.endIfGone()
}

// endIfGone is notice for a caller that has no record, or another one.
func (t *Thread) endIfGone() {
	if !t.fromStart() && !t.hasEnded() && osIsGone(t) {
		t.endLost()
	}
}

// sweep notices the ends of all attached threads, for a caller that has no
// record. It looks only when there are twice as many records as the last look
// left, so that a record costs two looks at most.
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

// endLost ends the record of an attached thread that is gone. Its values are
// dropped without their destructors.
func (t *Thread) endLost() {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return
	}
	t.ended, t.lost = true, true
	t.mu.Unlock()
	ident.Forget(t.nativeID, t.slot)
	records.remove(t)
}

// collectOrphans ends the records of attached threads of Go's that are gone.
func collectOrphans() {
	for slot := osOrphan(); slot != unknown; slot = osOrphan() {
		if t := records.at(slot); t != nil && t.slot == slot { // else it was noticed before
			t.endLost()
		}
	}
}
