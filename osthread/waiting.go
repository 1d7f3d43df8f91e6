package osthread

// The numbers of waiters, and owners. Each result is a snapshot, for tests and
// monitors.

// Waiting returns how many callers wait for l: in its queue, woken to
// retry, or as the spinner.
// The result may be stale by the time it is used.
func (l *Lock) Waiting() int { return l.mutex().waiting() }

// Waiting returns how many callers wait for r; see [Lock.Waiting].
func (r *RLock) Waiting() int { return r.waiting() }

func (m *mutex) waiting() (n int) {
	if q := m.findQueue(); q != nil {
		n = q.Len()
		m.unlockQueue(q)
	}
	if m.hasSpinner() {
		n++
	}
	return n + int(m.word.Load()&woken/oneWoken)
}

// Depth returns how many times the calling thread has locked r and not unlocked
// it, 0 if it does not hold r.
func (r *RLock) Depth() int {
	if !r.Owned() {
		return 0
	}
	return int(r.depth) + 1 // the owner's
}

// Owner returns the thread that holds r. It returns nil if none does, if the
// owner has ended, and if the owner is a thread made by Go that is not attached
// and has not called Current. The result may be stale by the time it is used.
func (r *RLock) Owner() *Thread {
	serial, _ := r.ownerSerial()
	return registry.bySerial(serial)
}

// ownerSerial returns the serial of the thread that holds r. It is 0 while a
// goroutine that has acquired r after a wait has not stored its own yet.
func (r *RLock) ownerSerial() (serial uint64, held bool) {
	key := r.word.Load() & owner >> keyShift
	return max(key, 2) - 2, key != 0
}

// Waiting returns how many readers, writers and upgraders wait for w. The
// result may be stale by the time it is used.
func (w *RWLock) Waiting() int {
	q := w.q.Load()
	if q == nil {
		return 0
	}
	q.Lock()
	defer q.Unlock()
	return q.Len() + int(q.retries.out)
}

// Waiting returns how many callers wait for permits. The result may be stale by
// the time it is used.
func (s *Semaphore) Waiting() int {
	q := s.q.Load()
	if q == nil {
		return 0
	}
	q.Lock()
	defer q.Unlock()
	return q.Len()
}

// Waiting returns how many callers wait for e. The result may be stale by the
// time it is used.
func (e *Event) Waiting() int {
	q := e.q.Load()
	if q == nil {
		return 0
	}
	q.Lock()
	defer q.Unlock()
	return q.Len()
}

// Waiting returns how many callers wait and are not notified yet. The result
// may be stale by the time it is used, unless the caller holds L.
func (c *Condition) Waiting() int {
	q := c.q.Load()
	if q == nil {
		return 0
	}
	q.Lock()
	defer q.Unlock()
	return q.Len()
}
