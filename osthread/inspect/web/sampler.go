package web

import (
	"sync"
	"time"

	"example.com/thread/osthread/inspect"
)

// A sampler takes the snapshots for all open streams. Its goroutine runs while
// there is one: the first starts it, and the last ends it.
//
// A goroutine belongs to the channel stop that it was started with. One that
// was stopped may still be taking a snapshot when the next one runs: what it
// publishes then is dropped, since stop is another channel.
type sampler struct {
	interval time.Duration
	pause    time.Duration // see options
	most     int           // streams

	mu      sync.Mutex
	streams int
	stop    chan struct{} // nil while no goroutine runs
	frame   *frame        // nil until the first, and while no goroutine runs
	changed chan struct{} // closed when frame changes
}

// join adds a stream, and reports whether there was room for it. The caller
// calls leave when it ends.
func (s *sampler) join() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == s.most {
		return false
	}
	s.streams++
	if s.streams == 1 {
		s.stop = make(chan struct{})
		go s.run(s.stop)
	}
	return true
}

func (s *sampler) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams--
	if s.streams == 0 {
		close(s.stop)
		s.stop, s.frame = nil, nil
	}
}

// current returns the present frame, nil if there is none, and a channel that
// is closed when there is another.
func (s *sampler) current() (f *frame, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frame, s.changed
}

func (s *sampler) publish(stop chan struct{}, f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != stop {
		return
	}
	s.frame = f
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sampler) run(stop chan struct{}) {
	var last *frame
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-timer.C:
		}
		cost := time.Duration(0)
		if last != nil {
			cost = time.Duration(last.rendering.Load())
		}
		began := time.Now()
		last = newFrame(inspect.Take(), last)
		cost += time.Since(began)
		s.publish(stop, last)
		timer.Reset(max(s.interval, s.pause*cost))
	}
}
