package timeline

import (
	"errors"
	"io"
	"os"
	"sync"

	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/osthread"
)

// running is the recorder that was started, and gets the events of all threads.
var running struct {
	mu sync.Mutex
	r  *Recorder
}

// Start records all threads and streams the timeline to w, until Stop. w is
// written by one goroutine at a time, and must not call Stop; its panic is an
// error that Stop returns, as any error of its. Start returns
// ErrRunning if there is a recorder that was started and not stopped, and
// ErrBubble in a bubble of testing/synctest.
func Start(w io.Writer, o Options) (*Recorder, error) {
	r := newRecorder(o, newStream(w))
	if err := r.Start(); err != nil {
		return nil, err
	}
	return r, nil
}

// WriteFile records all threads while f runs and writes the timeline to the
// file with that name, which it makes or truncates. It returns what f returned,
// joined with errors of Start, which it returns without calling f, and of the
// file.
func WriteFile(name string, f func() error) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	r, err := Start(file, Options{})
	if err != nil {
		return errors.Join(err, file.Close())
	}
	defer func() { err = errors.Join(err, r.Stop(), file.Close()) }() // even if f panics
	return f()
}

// Start records all threads from now on, until Stop: those that run and those
// to come. It returns ErrRunning if there is a recorder that was started and
// not stopped, ErrStopped if this one was stopped, and ErrBubble in a bubble of
// testing/synctest.
func (r *Recorder) Start() error {
	if park.InBubble() {
		return ErrBubble
	}
	if err := r.install(); err != nil {
		return err
	}
	now := r.now()
	for t := range osthread.Threads() {
		if t.Alive() { // one that has not begun will report that
			r.rowOf(t, now)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped != 0: // meanwhile
	case r.out != nil:
		r.ticker = tick(r.interval, r.store.ready, r.write)
	case len(r.counters) > 0:
		r.ticker = tick(r.interval, nil, func(bool) bool { r.sample(); return true })
	}
	return nil
}

// install makes r the recorder that gets the events of all threads.
func (r *Recorder) install() error {
	running.mu.Lock()
	defer running.mu.Unlock()
	if running.r != nil {
		return ErrRunning
	}
	if r.off.Load() {
		return ErrStopped
	}
	running.r = r
	trace.Record(r.record)
	return nil
}

// uninstall undoes install, if r was installed.
func (r *Recorder) uninstall() {
	running.mu.Lock()
	defer running.mu.Unlock()
	if running.r == r {
		running.r = nil
		trace.Record((func(osthread.TraceEvent, int64))(nil))
	}
}

// Stop ends the recording. Waits and threads that have not ended are shown up
// to now. Of a stream Stop returns when all is written, with the first error of
// the writer; another call returns the same error. A recorder in memory keeps
// its events for WriteTo.
func (r *Recorder) Stop() error {
	r.uninstall()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == 0 {
		if r.ticker != nil {
			r.ticker.stop() // and the counters have been called once
		}
		r.stopped = max(r.silence(), 1)
		if r.out != nil {
			r.finish()
		}
	}
	if r.out == nil {
		return nil
	}
	return r.out.err
}

// silence ends the recording of events and returns when, which none is after.
func (r *Recorder) silence() (now int64) {
	r.off.Store(true)
	for i := range r.shards {
		r.shards[i].settle()
	}
	return r.now()
}

// settle returns when an event that has found the recording on is recorded.
func (s *shard) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
}
