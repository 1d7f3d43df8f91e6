package timeline

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/internal/trace"
	"example.com/thread/osthread"
)

// Event runs on the traced thread, perhaps at once on many. It makes one record
// of a wait, when that ends: until then the wait is in the thread's row, so a
// ring cannot lose its begin. Threads are spread over shards, each with a lock,
// a chunk of records that it fills, and its own labels of objects.
//
// Event calls nothing of the library that could sleep or emit an event, and
// sync.Mutex, unlike the library's locks, has no events. It is called with none
// of the library's guards held, and takes some, for a moment, to read the
// lengths of queues and to make labels; it holds no lock of its own then.

// Options are what a Recorder keeps and shows.
type Options struct {
	// Events is how many events the Recorder holds: in memory the last ones, of
	// a stream those that wait to be written. 0 stands for 65,536; less than
	// 4,096 is 4,096, and more than 16,777,216 is that.
	Events int
	// Counters are drawn as curves by their names, as an executor's Queued is
	// with
	//
	//	map[string]func() int{"backlog": pool.Queued}
	//
	// They are called by a goroutine of the Recorder from Start to Stop, at
	// once and every Interval, and should return soon. The Recorder keeps them.
	// One that panics is reported as osthread.ReportPanic does, and not called
	// again.
	Counters map[string]func() int
	// Interval is how often Counters are called, and how late a stream is
	// written at most unless its writer is slow; 0 or less stands for 20 ms.
	Interval time.Duration
}

const (
	defaultEvents   = 65_536
	leastEvents     = 4096
	mostEvents      = 1 << 24
	defaultInterval = 20 * time.Millisecond
	mostShards      = 16
)

// A Recorder records the events of threads, in memory or to a stream. It comes
// from New or Start. Its methods may be called from any goroutine.
type Recorder struct {
	base     int64 // on the clock of internal/futex
	off      atomic.Bool
	store    *store
	shards   []shard
	rows     rows
	interval time.Duration
	counters []counter
	out      *stream // nil: in memory

	mu      sync.Mutex
	stopped int64   // when; 0: it was not
	ticker  *ticker // nil: none

	namedMu sync.Mutex
	named   map[string]*label // of Count
}

// A shard is where some threads record.
type shard struct {
	mu       sync.Mutex
	recorder *Recorder
	chunk    *chunk
	labels   map[labelKey]*label
	most     int      // labels
	lastKey  labelKey // of labels
	last     *label

	_ [64]byte // the locks of two shards are on two cache lines
}

// New returns a Recorder that keeps the last events in memory.
func New(o Options) *Recorder { return newRecorder(o, nil) }

func newRecorder(o Options, out *stream) *Recorder {
	if o.Events == 0 {
		o.Events = defaultEvents
	}
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	shards := 1
	for shards < min(2*runtime.GOMAXPROCS(0), mostShards) {
		shards *= 2
	}
	chunks := (min(max(o.Events, leastEvents), mostEvents)+chunkSize-1)/chunkSize + shards
	r := &Recorder{
		base: futex.Now(), out: out, interval: o.Interval,
		store: newStore(chunks, out == nil), shards: make([]shard, shards),
		counters: countersOf(o.Counters), named: map[string]*label{},
	}
	r.rows.sweepAt = leastSwept
	for i := range r.shards {
		r.shards[i].recorder = r
		r.shards[i].labels = map[labelKey]*label{}
		r.shards[i].most = mostLabels / shards
	}
	return r
}

// Event records e, on the thread of the event: it is for osthread.SetTrace,
// SetTraceAll and Thread.SetTrace. After Stop it does nothing. A Recorder that
// was started gets all events without it.
func (r *Recorder) Event(e osthread.TraceEvent) { r.record(e, futex.Now()) }

// record is Event for an event at that time.
func (r *Recorder) record(e osthread.TraceEvent, at int64) {
	if at < 0 || r.off.Load() || e.Thread == nil { // a clock of testing/synctest
		return
	}
	now := at - r.base
	w := r.rowOf(e.Thread, now)
	if w.loose && !park.Locked() { // another goroutine on the thread
		return
	}
	switch e.Action {
	case osthread.TraceStart:
		w.start(now)
	case osthread.TraceEnd:
		r.endRow(w, now)
	case osthread.TracePanic:
		w.panicked(now)
	case osthread.TraceBlock:
		r.gauge(w.shard, e.Object, now)
		w.block(e.Object, r.holder(trace.Holder(e.Object)), now)
	case osthread.TraceResume:
		w.resume(e, r.known(e.Waker, now-int64(e.Latency)), now)
		r.gauge(w.shard, e.Object, now)
	case osthread.TraceRelease:
		w.wake(e, now)
		r.gauge(w.shard, e.Object, now)
	}
}

func (w *row) start(now int64) {
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	w.began, w.last, w.early = now, now, false
}

func (r *Recorder) endRow(w *row, now int64) {
	w.shard.mu.Lock()
	t := w.thread
	if r.off.Load() {
		t = nil // Stop shows it
	}
	if t != nil {
		w.close(now, w.shard.put)
	}
	w.shard.mu.Unlock()
	if t != nil {
		r.end(t)
	}
}

func (w *row) panicked(now int64) {
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	w.shard.put(record{row: w, kind: ofPanic, ts: now})
}

func (w *row) block(obj any, holder *row, now int64) {
	l := w.shard.lockLabel(obj)
	defer w.shard.mu.Unlock()
	if len(w.open) < mostOpen {
		w.open = append(w.open, wait{label: l, holder: holder, ts: now})
	}
}

// resume records the wait for e.Object, which is the last to have begun unless
// waits in it were not seen to end.
func (w *row) resume(e osthread.TraceEvent, waker *row, now int64) {
	l := w.shard.lockLabel(e.Object)
	defer w.shard.mu.Unlock()
	if w.shard.recorder.off.Load() {
		return // Stop shows it
	}
	rec := record{
		row: w, kind: ofWait, label: l, waker: waker,
		ts: max(now-int64(e.Waited), w.last), value: int64(e.Latency),
	}
	if e.Waker != nil && waker == nil { // it has ended, and was not recorded
		rec.value = 0
	}
	if i := w.openFor(l); i >= 0 {
		o := w.open[i]
		rec.holder, rec.ts = o.holder, o.ts
		w.open = w.open[:i]
	}
	rec.dur = max(now-rec.ts, 0)
	w.last = now
	w.shard.put(rec)
}

// openFor returns the index of the innermost wait for l, -1 if there is none.
func (w *row) openFor(l *label) int {
	for i := len(w.open) - 1; i >= 0; i-- {
		if w.open[i].label == l || w.open[i].label.text == l.text {
			return i
		}
	}
	return -1
}

func (w *row) wake(e osthread.TraceEvent, now int64) {
	l := w.shard.lockLabel(e.Object)
	defer w.shard.mu.Unlock()
	ts := max(now-int64(e.Waited), w.last)
	if n := len(w.open); n > 0 {
		ts = max(ts, w.open[n-1].ts)
	}
	w.last = now
	w.shard.put(record{row: w, kind: ofWake, label: l, ts: ts, dur: max(now-ts, 0)})
}

// lockLabel returns the label of obj, with the lock of s, which it releases
// while it makes one.
func (s *shard) lockLabel(obj any) *label {
	key := keyOf(obj)
	s.mu.Lock()
	if key == s.lastKey && s.last != nil {
		return s.last
	}
	l := s.labels[key]
	if l == nil {
		s.mu.Unlock()
		l = newLabel(obj)
		s.mu.Lock()
		if len(s.labels) >= s.most {
			clear(s.labels)
		}
		s.labels[key] = l
	}
	s.lastKey, s.last = key, l
	return l
}

// put adds a record. The caller has the lock.
func (s *shard) put(rec record) {
	r := s.recorder
	if r.off.Load() {
		return
	}
	if s.chunk == nil || s.chunk.n == chunkSize {
		if s.chunk = r.store.exchange(s.chunk); s.chunk == nil {
			r.store.lost.Add(1)
			return
		}
	}
	s.chunk.records[s.chunk.n] = rec
	s.chunk.n++
}

// flush gives the writer the records that s has.
func (s *shard) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chunk != nil && s.chunk.n > 0 {
		s.recorder.store.add(s.chunk)
		s.chunk = nil
	}
}

func (r *Recorder) now() int64 { return futex.Now() - r.base }

// Dropped returns how many events are lost so far: those that a recorder in
// memory has replaced, or that came while a stream's writer was too slow.
func (r *Recorder) Dropped() uint64 { return r.store.lost.Load() }
