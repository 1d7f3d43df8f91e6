package timeline

import (
	"bufio"
	"io"

	"example.com/thread/osthread/internal/protect"
)

// A stream writes chunks as they become full, and every interval what is in
// those that are not. Until Stop it is used by the recorder's goroutine alone,
// then by the caller of Stop.
type stream struct {
	formatter
	lost uint64 // that the file says already
	err  error  // the first one
}

func newStream(w io.Writer) *stream {
	return &stream{formatter: formatter{w: bufio.NewWriterSize(protected{w}, 1<<16)}}
}

// A protected writer returns the panic of a Write as an error: nobody could
// recover it on the goroutine of a recorder. That of a nil writer is one, too.
type protected struct{ w io.Writer }

func (p protected) Write(b []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = protect.Recovered(v)
		}
	}()
	return p.w.Write(b)
}

// write writes what was recorded. It reports false once the writer has failed,
// and then ends the recording.
func (r *Recorder) write(timed bool) (goOn bool) {
	if timed {
		r.sample()
		for i := range r.shards {
			r.shards[i].flush()
		}
	}
	r.drain()
	if timed && r.out.err == nil {
		r.out.fail(r.out.w.Flush())
	}
	if r.out.err != nil {
		r.off.Store(true)
		r.uninstall()
		return false
	}
	return true
}

// drain writes the full chunks.
func (r *Recorder) drain() {
	for c := r.store.take(); c != nil; c = r.store.take() {
		for i := range c.records[:c.n] {
			r.out.record(&c.records[i])
		}
		r.store.recycle(c)
		r.out.noteLost(r)
	}
}

// finish ends the stream.
func (r *Recorder) finish() {
	for i := range r.shards {
		r.shards[i].flush()
	}
	r.drain()
	for _, w := range r.rows.sorted() {
		for _, rec := range w.unfinished(r.stopped) {
			r.out.record(&rec)
		}
	}
	r.out.noteLost(r)
	r.out.end(r.Dropped())
	r.out.fail(r.out.w.Flush())
}

// record writes rec, and before it what its row is called.
func (s *stream) record(rec *record) {
	if s.err != nil {
		return
	}
	for _, w := range []*row{rec.row, rec.waker} {
		if w != nil && (!w.named || w == rec.row && rec.kind == ofLife) {
			w.named = true
			s.row(w)
		}
	}
	s.slice(rec)
	s.flow(rec)
	s.fail(s.formatter.err)
}

// noteLost marks that events were lost since the last mark.
func (s *stream) noteLost(r *Recorder) {
	if lost := r.Dropped(); lost != s.lost {
		s.dropped(lost-s.lost, r.now())
		s.lost = lost
	}
}

func (s *stream) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
