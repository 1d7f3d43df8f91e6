package main

import (
	"errors"

	"example.com/thread/osthread"
	"example.com/thread/verify/explore/sched"
)

func init() {
	for _, k := range []kind{goroutines, threads} {
		name := "RWLock/" + k.String()
		add(name+"/two writers", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "ww") })
		add(name+"/reader, writer", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "rw") })
		add(name+"/two readers, writer", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "rwr") })
		add(name+"/two readers, writer/oneP", func(t *test) { readWrite(t, k, 1, &osthread.RWLock{}, "rwr") })
		add(name+"/two writers, reader", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "wwr") })
		add(name+"/fair", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{Fair: true}, "wrw") })
		add(name+"/prefer readers", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{PreferReaders: true}, "rwr") })
		add(name+"/downgrade", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "dwr") })
		add(name+"/upgrade", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "uwr") })
		add(name+"/two upgrades", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "uu") })
		add(name+"/writer gives up", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "rtr") })
		add(name+"/readers after a writer that gives up", func(t *test) { afterWriter(t, k) })
		add(name+"/writer gives up after a wakeup", func(t *test) { writerTimeoutAwake(t, k) })
		add(name+"/reader gives up", func(t *test) { readWrite(t, k, 2, &osthread.RWLock{}, "wsw") })
	}
}

// A readSection is a critical section with readers.
type readSection struct{ readers, writers int }

func (s *readSection) read() {
	s.readers++
	must(s.writers == 0, "a reader and a writer are in the critical section")
	sched.Step("reads", nil)
	must(s.writers == 0, "a reader and a writer are in the critical section")
	s.readers--
}

func (s *readSection) write() {
	s.writers++
	s.mustBeAlone()
	sched.Step("writes", nil)
	s.mustBeAlone()
	s.writers--
}

func (s *readSection) mustBeAlone() {
	ok := s.writers == 1 && s.readers == 0
	must(ok, "%d writers and %d readers are in the critical section", s.writers, s.readers)
}

// readWrite has a caller for each letter of what: r reads, w writes, d writes
// and downgrades, u reads and upgrades, t writes if it can soon, s reads if it
// can soon.
func readWrite(t *test, k kind, procs int, w *osthread.RWLock, what string) {
	t.run.Procs(procs)
	var s readSection
	for i, c := range what {
		t.caller(k, names[i]+string(c), func() { s.use(w, c) })
	}
	t.atEnd("free", func() bool { return !w.Locked() })
	t.atEnd("without waiters", func() bool { return w.Waiting() == 0 })
}

func (s *readSection) use(w *osthread.RWLock, what rune) {
	switch what {
	case 'r':
		w.RLock()
		s.read()
		w.RUnlock()
	case 'w':
		w.Lock()
		s.write()
		w.Unlock()
	case 'd':
		w.Lock()
		s.write()
		w.Downgrade()
		s.read()
		w.RUnlock()
	case 'u':
		w.RLock()
		s.read()
		if err := w.Upgrade(); err == nil {
			s.write()
			w.Unlock()
		} else {
			must(errors.Is(err, osthread.ErrDeadlock), "Upgrade returns %v", err)
			w.RUnlock()
		}
	case 't':
		if w.LockTimeout(brief) {
			s.write()
			w.Unlock()
		}
	case 's':
		if w.RLockTimeout(brief) {
			s.read()
			w.RUnlock()
		}
	}
}

// afterWriter has a writer that gives up while a reader holds the lock, and two
// readers that join it: one that has waited behind the writer, and a newcomer.
func afterWriter(t *test, k kind) {
	var w osthread.RWLock
	var b *sched.Caller
	read := 0
	t.caller(k, "A", func() {
		w.RLock()
		until(func() bool { return read == 2 })
		w.RUnlock()
	})
	b = t.caller(k, "B", func() {
		until(func() bool { return w.Readers() > 0 })
		must(!w.LockTimeout(brief), "a writer and a reader have the lock")
	})
	join := func() {
		w.RLock()
		read++
		w.RUnlock()
	}
	t.caller(k, "C", func() { until(b.Slept); join() })
	t.caller(k, "D", func() { until(b.Ended); join() })
	t.atEnd("free", func() bool { return !w.Locked() })
}

// writerTimeoutAwake has a writer that is woken to retry, finds the lock taken,
// and gives up, with another one behind it.
func writerTimeoutAwake(t *test, k kind) {
	var w osthread.RWLock
	var s readSection
	var b, c *sched.Caller
	t.caller(k, "A", func() {
		w.Lock()
		until(func() bool { return c.Slept() })
		w.Unlock()
		w.Lock()
		s.write()
		sched.Advance(int64(brief))
		w.Unlock()
	})
	b = t.caller(k, "B", func() {
		until(w.Locked)
		s.use(&w, 't')
	})
	c = t.caller(k, "C", func() {
		until(b.Slept)
		s.use(&w, 'w')
	})
	t.atEnd("free", func() bool { return !w.Locked() })
	t.atEnd("without waiters", func() bool { return w.Waiting() == 0 })
}
