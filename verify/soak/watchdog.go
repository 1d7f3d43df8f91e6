package main

import (
	"sync"
	"time"
)

// A watchdog fails the soak if a worker makes no progress for s.stall. It sees
// each worker from before its thread is started until that is joined.
type watchdog struct {
	mu      sync.Mutex
	workers map[*worker]seen
}

// seen is when a worker's progress was last seen to change.
type seen struct {
	progress int64
	at       time.Time
}

func (d *watchdog) add(w *worker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.workers[w] = seen{at: time.Now()}
}

func (d *watchdog) remove(w *worker) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.workers, w)
}

// begin starts the watch, until stop.
func (d *watchdog) begin(s *soak) (stop func()) {
	d.workers = map[*worker]seen{}
	tick, end, ended := time.NewTicker(s.stall/30), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if w := d.stalled(s.stall); w != nil {
					s.fail("no progress for %v: %v", s.stall, w)
				}
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// stalled returns a worker that has made no progress for that long, or nil.
func (d *watchdog) stalled(limit time.Duration) *worker {
	d.mu.Lock()
	defer d.mu.Unlock()
	for w, last := range d.workers {
		now := seen{w.progress.Load(), time.Now()}
		if now.progress != last.progress {
			d.workers[w] = now
		} else if now.at.Sub(last.at) > limit {
			return w
		}
	}
	return nil
}
