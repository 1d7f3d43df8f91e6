package timeline

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"example.com/thread/osthread"
)

// A row is what the recorder knows of a thread. It is found by the Thread, even
// for a while after its end, since what it has woken may run later. Idents and
// native ids, which the system reuses, identify no row. So the rows of two
// threads are never joined.
//
// A row is closed by TraceEnd, or, if C code has ended the thread or the thread
// is a dummy, by a sweep, which comes when the number of rows has doubled.
//
// Locks are taken in the order rows, shard, store.

type row struct {
	id     int // the tid of the format
	serial uint64
	loose  bool // goroutines that are not locked to the thread run on it as well
	shard  *shard

	// Under the shard's lock.
	thread *osthread.Thread // nil once the row is closed
	name   string           // at the close
	native int
	early  bool  // the thread had begun before the recording
	began  int64 // when it did, or was seen first
	last   int64 // the end of its last slice
	open   []wait

	ended atomic.Int64 // when the row was closed; 0: it was not

	named bool // the stream has its name; the writer's
}

// A wait is one that has not ended.
type wait struct {
	label  *label
	holder *row
	ts     int64
}

// mostOpen is the depth of waits within waits, such as a call that runs on the
// caller's own thread, that is recorded.
const mostOpen = 16

// rows has the rows of a recorder.
type rows struct {
	byThread sync.Map // *osthread.Thread: *row
	bySerial sync.Map // uint64: *row

	mu      sync.Mutex
	made    int
	n       int // in byThread
	sweepAt int
	ended   [keptEnded]*osthread.Thread // a ring of those that are closed and in byThread
	oldest  int
}

const (
	keptEnded  = 1024
	leastSwept = 1024
)

// rowOf returns the row of t, which it makes if t has none yet.
func (r *Recorder) rowOf(t *osthread.Thread, now int64) *row {
	if w, ok := r.rows.byThread.Load(t); ok {
		return w.(*row)
	}
	return r.addRow(t, now)
}

// known returns the row of t, nil if t is nil, or has ended and is forgotten.
func (r *Recorder) known(t *osthread.Thread, now int64) *row {
	if t == nil {
		return nil
	}
	if w, ok := r.rows.byThread.Load(t); ok {
		return w.(*row)
	}
	if !t.Alive() {
		return nil
	}
	return r.addRow(t, now)
}

// holder returns the row of the thread with that serial, nil if there is none.
func (r *Recorder) holder(serial uint64) *row {
	if serial == 0 {
		return nil
	}
	w, _ := r.rows.bySerial.Load(serial)
	found, _ := w.(*row)
	return found
}

func (r *Recorder) addRow(t *osthread.Thread, now int64) *row {
	rs := &r.rows
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if w, ok := rs.byThread.Load(t); ok {
		return w.(*row)
	}
	if rs.n >= rs.sweepAt {
		r.sweep()
	}
	rs.made++
	w := &row{id: rs.made, thread: t, early: true, began: now, last: now, shard: &r.shards[rs.made%len(r.shards)]}
	if th, err := t.OSThread(); err == nil {
		w.serial = th.Serial()
		rs.bySerial.Store(w.serial, w)
	} else {
		w.loose = true
	}
	rs.byThread.Store(t, w)
	rs.n++
	return w
}

// sweep closes the rows of threads that have ended without an event. The caller
// has rows.mu.
func (r *Recorder) sweep() {
	r.rows.byThread.Range(func(key, value any) bool {
		t, w := key.(*osthread.Thread), value.(*row)
		if t.Alive() {
			return true
		}
		w.shard.mu.Lock()
		closed := w.thread == nil || r.off.Load() // Stop shows it
		if !closed {
			w.close(w.last, w.shard.put)
		}
		w.shard.mu.Unlock()
		if !closed {
			r.rows.forgetOldest(t)
		}
		return true
	})
	r.rows.sweepAt = max(leastSwept, 2*r.rows.n)
}

// end notes that the row of t was closed.
func (r *Recorder) end(t *osthread.Thread) {
	r.rows.mu.Lock()
	defer r.rows.mu.Unlock()
	r.rows.forgetOldest(t)
}

// forgetOldest puts t, whose row was closed, in the place of the thread whose
// row was closed keptEnded rows ago. The caller has mu.
func (rs *rows) forgetOldest(t *osthread.Thread) {
	old := rs.ended[rs.oldest]
	rs.ended[rs.oldest] = t
	rs.oldest = (rs.oldest + 1) % keptEnded
	if old == nil {
		return
	}
	if w, ok := rs.byThread.LoadAndDelete(old); ok {
		rs.bySerial.CompareAndDelete(w.(*row).serial, w)
		rs.n--
	}
}

// sorted returns all rows in the order of their ids.
func (rs *rows) sorted() (all []*row) {
	rs.byThread.Range(func(_, w any) bool {
		all = append(all, w.(*row))
		return true
	})
	slices.SortFunc(all, func(a, b *row) int { return cmp.Compare(a.id, b.id) })
	return all
}

// unfinished returns what w shows of a thread for which no event has reported
// the end: up to now if it lives, else up to its last event.
func (w *row) unfinished(now int64) (all []record) {
	w.shard.mu.Lock()
	t, last := w.thread, w.last
	w.shard.mu.Unlock()
	if t == nil {
		return nil
	}
	alive := t.Alive()
	if !alive {
		now = last
	}
	w.shard.mu.Lock()
	defer w.shard.mu.Unlock()
	if w.thread != nil {
		w.show(now, alive, func(rec record) { all = append(all, rec) })
	}
	return all
}

// show calls put with the waits that are open and the life of w's thread, up to
// now. The caller has the shard's lock.
func (w *row) show(now int64, open bool, put func(record)) {
	for i := len(w.open) - 1; i >= 0; i-- {
		o := w.open[i]
		put(record{
			row: w, kind: ofWait, label: o.label, holder: o.holder,
			ts: o.ts, dur: max(now-o.ts, 0), open: open,
		})
	}
	put(record{row: w, kind: ofLife, ts: w.began, dur: max(now-w.began, 0), open: open})
}

// close ends w's waits and its thread at now. The caller has the shard's lock.
func (w *row) close(now int64, put func(record)) {
	w.show(now, false, put)
	w.name, w.native = w.thread.Name(), w.thread.NativeID()
	w.thread, w.open = nil, nil
	w.ended.Store(now)
}

// title returns the name and the native id of w's thread.
func (w *row) title() (name string, native int) {
	w.shard.mu.Lock()
	t, name, native := w.thread, w.name, w.native
	w.shard.mu.Unlock()
	if t != nil {
		return t.Name(), t.NativeID() // waits for a thread that begins
	}
	return name, native
}
