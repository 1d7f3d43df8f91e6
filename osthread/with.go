package osthread

import (
	"sync"
)

// With calls f with l locked, and unlocks l after f, even if f panics or calls
// runtime.Goexit (Python: with lock).
func With(l sync.Locker, f func()) {
	l.Lock()
	defer l.Unlock()
	f()
}

// With calls f with n permits, and releases them after f, even if f panics or
// calls runtime.Goexit. It panics as [Semaphore.Acquire] does.
func (s *Semaphore) With(n int, f func()) {
	s.acquire("With", n, &unlimited)
	defer s.Release(n)
	f()
}
