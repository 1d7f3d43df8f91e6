package timeline

import (
	"bufio"
	"cmp"
	"io"
	"slices"
)

// What a recorder in memory has is copied, chunk by chunk, while it records,
// and then sorted and written without its locks.

// A part is an event of the file: a record's slice, or an end of its arrow.
type part struct {
	ts   int64
	rec  *record
	what partKind
	flow int64
}

type partKind uint8

const (
	theSlice partKind = iota
	theStart          // of the arrow
	theEnd
)

// WriteTo writes the timeline of the events in memory to w, and returns the
// number of bytes and the error of w. Waits and threads that have not ended are
// shown up to now, or to Stop. The recording goes on meanwhile. A Recorder that
// streams returns ErrStream.
func (r *Recorder) WriteTo(w io.Writer) (n int64, err error) {
	if r.out != nil {
		return 0, ErrStream
	}
	count := &counting{w: w}
	f := formatter{w: bufio.NewWriterSize(count, 1<<16)}
	lost := r.Dropped()
	records := r.snapshot()
	f.rows(records)
	parts := partsOf(records)
	if lost > 0 && len(parts) > 0 {
		f.dropped(lost, parts[0].ts)
	}
	for _, p := range parts {
		switch p.what {
		case theSlice:
			f.slice(p.rec)
		case theStart:
			f.flowStart(p.rec, p.flow)
		case theEnd:
			f.flowEnd(p.rec, p.flow)
		}
		if f.err != nil {
			return count.n, f.err
		}
	}
	f.end(lost)
	if f.err == nil {
		f.err = f.w.Flush()
	}
	return count.n, f.err
}

// snapshot returns a copy of all records, and what is unfinished.
func (r *Recorder) snapshot() (all []record) {
	add := func(some []record) { all = append(all, some...) }
	last := r.store.lastGen()
	copied := map[uint64]bool{}
	for i := range r.shards {
		if gen, ok := r.shards[i].copyTo(last, add); ok {
			copied[gen] = true
		}
	}
	now := r.stoppedOr(r.now())
	r.store.copyFull(last, copied, add)
	for _, w := range r.rows.sorted() {
		add(w.unfinished(now))
	}
	return all
}

// stoppedOr returns when r was stopped, now if it was not.
func (r *Recorder) stoppedOr(now int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != 0 {
		return r.stopped
	}
	return now
}

// copyTo calls add with the records of the chunk that s fills, and returns its
// generation, if that is not after last.
func (s *shard) copyTo(last uint64, add func([]record)) (gen uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chunk == nil || s.chunk.gen > last {
		return 0, false
	}
	add(s.chunk.records[:s.chunk.n])
	return s.chunk.gen, true
}

// rows writes the metadata of the rows of records.
func (f *formatter) rows(records []record) {
	named := map[*row]bool{}
	for i := range records {
		for _, w := range []*row{records[i].row, records[i].waker} {
			if w != nil && !named[w] {
				named[w] = true
				f.row(w)
			}
		}
	}
}

// partsOf returns the events of records by their times. Of two slices that
// begin at once the longer one, which has the other in it, is the first.
func partsOf(records []record) []part {
	parts := make([]part, 0, len(records))
	flows := int64(0)
	for i := range records {
		rec := &records[i]
		parts = append(parts, part{ts: rec.ts, rec: rec})
		if rec.hasFlow() {
			flows++
			sent, got := rec.woken()
			parts = append(parts, part{sent, rec, theStart, flows}, part{got, rec, theEnd, flows})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.ts, b.ts), cmp.Compare(a.what, b.what), cmp.Compare(b.rec.dur, a.rec.dur))
	})
	return parts
}

// counting counts what is written.
type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
