package timeline

import (
	"maps"
	"slices"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/trace"
	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/protect"
)

// A counter is one of Options.Counters.
type counter struct {
	label    *label
	value    func() int
	panicked bool // used by the recorder's goroutine
}

func countersOf(all map[string]func() int) (cs []counter) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		cs = append(cs, counter{label: &label{text: cut(name)}, value: all[name]})
	}
	return cs
}

// get calls the counter's function, but not again after a panic: nobody could
// recover that on the goroutine of a recorder.
func (c *counter) get() (n int, ok bool) {
	if c.panicked {
		return 0, false
	}
	defer func() {
		if v := recover(); v != nil {
			c.panicked = true
			osthread.ReportPanic(protect.Panicked(v))
		}
	}()
	return c.value(), true
}

// mostNamed is how many names of Count are kept.
const mostNamed = 4096

// Count adds a point to the curve with that name: n, from now on.
func (r *Recorder) Count(name string, n int) {
	clock := futex.Now()
	if clock < 0 || r.off.Load() { // a clock of testing/synctest
		return
	}
	r.namedMu.Lock()
	l := r.named[name]
	if l == nil {
		if len(r.named) >= mostNamed {
			clear(r.named)
		}
		l = &label{text: cut(name)}
		r.named[l.text] = l
	}
	r.namedMu.Unlock()
	s := &r.shards[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(l, n, clock-r.base)
}

// gauge records the length of the queue or pool that obj belongs to, if any.
func (r *Recorder) gauge(s *shard, obj any, now int64) {
	of, n, ok := trace.Length(obj)
	if !ok {
		return
	}
	l := s.lockLabel(of)
	defer s.mu.Unlock()
	s.count(l, n, now)
}

// count records that l is n, unless it was. The caller has the lock.
func (s *shard) count(l *label, n int, now int64) {
	if l.last.Swap(int64(n)+1) != int64(n)+1 {
		s.put(record{kind: ofCounter, label: l, ts: now, value: int64(n)})
	}
}

// sample records the values of all counters.
func (r *Recorder) sample() {
	for i := range r.counters {
		c := &r.counters[i]
		n, ok := c.get()
		if !ok {
			continue
		}
		s := &r.shards[0]
		s.mu.Lock()
		s.count(c.label, n, r.now())
		s.mu.Unlock()
	}
}

// A ticker calls a function at regular times.
type ticker struct{ quit, done chan struct{} }

// tick calls f at once, every d, and whenever there is a token in ready, until
// stop.
func tick(d time.Duration, ready <-chan struct{}, f func(timed bool) (goOn bool)) *ticker {
	t := &ticker{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(t.done)
		clock := time.NewTicker(d)
		defer clock.Stop()
		for goOn := f(true); goOn; {
			select {
			case <-t.quit:
				return
			case <-ready:
				goOn = f(false)
			case <-clock.C:
				goOn = f(true)
			}
		}
	}()
	return t
}

// stop returns when the function will not be called any more. It is called
// once.
func (t *ticker) stop() {
	close(t.quit)
	<-t.done
}
