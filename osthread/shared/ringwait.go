//go:build !plan9

package shared

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"example.com/thread/internal/park"
)

// The waits of a Ring's two sides, beside the calls of ring.go that only try. A
// side alone changes what it waits for, so once a wait has returned nil the
// next Try finds what it was for.
//
// A hostile peer can keep a waiter from sleeping, by changing the index all the
// time. So the waiter naps after so many tries, and sleep checks the limit each
// time.

const (
	ringTries = 1000
	ringNap   = time.Millisecond
)

// Wait waits until there is something to read. It returns io.EOF if there is
// nothing and the writer has closed, and an error that is ErrCorrupt if the
// writer's index is, and ErrClosed if this side has closed. POSIX: poll of a
// pipe.
func (r *RingReader) Wait() error { return r.wait("RingReader.Wait", forever()) }

// WaitTimeout is Wait for at most d; it then returns an error that is
// ErrTimeout. It does not sleep if d is 0 or less.
func (r *RingReader) WaitTimeout(d time.Duration) error {
	return r.waitTry("RingReader.WaitTimeout", func() limit { return within(d) })
}

// WaitContext is Wait until ctx is done; it then returns ctx's cause.
func (r *RingReader) WaitContext(ctx context.Context) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return r.wait("RingReader.WaitContext", l)
}

// WaitUntil is Wait until d; it then returns an error that is ErrTimeout.
func (r *RingReader) WaitUntil(d Deadline) error {
	if err := d.check(); err != nil {
		return err
	}
	return r.wait("RingReader.WaitUntil", untilTime(d))
}

// waitTry is wait that makes the limit only if it must, as that reads the
// clock.
func (r *RingReader) waitTry(call string, l func() limit) error {
	if err := r.some(); !errors.Is(err, errRingEmpty) {
		return err
	}
	return r.wait(call, l())
}

func (r *RingReader) wait(call string, l limit) error {
	err := r.some()
	empty := func() bool { return errors.Is(err, errRingEmpty) } // no other error, as it is the same value
	if !empty() {
		return err
	}
	if park.CanSpin() && r.spin.Until(func() bool { err = r.some(); return !empty() }) {
		return err
	}
	h := r.ring.at
	w := begin(r, &h.tail, l, r.ring.processShared())
	defer w.end()
	for tries, more := 1, true; more && empty(); tries++ {
		more = ringSleep(&w, &h.readerSleeps, &h.tail, r.tail, tries)
		err = r.some()
	}
	atomic.StoreUint32(&h.readerSleeps, 0)
	if empty() {
		return w.limit.err(call)
	}
	return err
}

// Read reads at least one byte, or one record, into p, waiting until there is
// one: io.Reader of a ring of bytes. The errors are those of Wait and TryRead.
func (r *RingReader) Read(p []byte) (int, error) { return r.read(p, (*RingReader).Wait) }

// ReadTimeout is Read for at most d; it then returns an error that is
// ErrTimeout.
func (r *RingReader) ReadTimeout(p []byte, d time.Duration) (int, error) {
	return r.read(p, func(r *RingReader) error { return r.WaitTimeout(d) })
}

// ReadContext is Read until ctx is done; it then returns ctx's cause.
func (r *RingReader) ReadContext(ctx context.Context, p []byte) (int, error) {
	return r.read(p, func(r *RingReader) error { return r.WaitContext(ctx) })
}

// ReadUntil is Read until d; it then returns an error that is ErrTimeout.
func (r *RingReader) ReadUntil(p []byte, d Deadline) (int, error) {
	return r.read(p, func(r *RingReader) error { return r.WaitUntil(d) })
}

func (r *RingReader) read(p []byte, wait func(*RingReader) error) (int, error) {
	if len(p) == 0 && !r.ring.Records() {
		return 0, nil
	}
	if err := wait(r); err != nil {
		return 0, err
	}
	return r.TryRead(p)
}

// WaitRoom waits until there is room for a record of n bytes, or n bytes. What
// is reserved and not committed takes room, so commit first. It returns an
// error that is ErrTooLong if n is more than Max or negative, ErrClosed if
// either side has closed, and ErrCorrupt if the reader's index is.
func (w *RingWriter) WaitRoom(n int) error { return w.wait("RingWriter.WaitRoom", n, forever()) }

// WaitRoomTimeout is WaitRoom for at most d; it then returns an error that is
// ErrTimeout. It does not sleep if d is 0 or less.
func (w *RingWriter) WaitRoomTimeout(n int, d time.Duration) error {
	return w.waitTry("RingWriter.WaitRoomTimeout", n, func() limit { return within(d) })
}

// WaitRoomContext is WaitRoom until ctx is done; it then returns ctx's cause.
func (w *RingWriter) WaitRoomContext(ctx context.Context, n int) error {
	l, err := withContext(ctx)
	if err != nil {
		return err
	}
	return w.wait("RingWriter.WaitRoomContext", n, l)
}

// WaitRoomUntil is WaitRoom until d; it then returns an error that is
// ErrTimeout.
func (w *RingWriter) WaitRoomUntil(n int, d Deadline) error {
	if err := d.check(); err != nil {
		return err
	}
	return w.wait("RingWriter.WaitRoomUntil", n, untilTime(d))
}

// room returns the room that n bytes take, with their pad.
func (w *RingWriter) room(n int) (uint32, error) {
	if n < 0 || n > w.ring.Max() {
		return 0, errRingLength
	}
	if !w.ring.Records() {
		return uint32(n), nil
	}
	size := framed(uint32(n))
	return w.pad(size) + size, nil
}

// waitTry is wait that makes the limit only if it must.
func (w *RingWriter) waitTry(call string, n int, l func() limit) error {
	room, err := w.room(n)
	if err == nil {
		err = w.need(room)
	}
	if !errors.Is(err, errRingFull) {
		return err
	}
	return w.wait(call, n, l())
}

func (w *RingWriter) wait(call string, n int, l limit) error {
	room, err := w.room(n)
	if err != nil {
		return err
	}
	err = w.need(room)
	full := func() bool { return errors.Is(err, errRingFull) }
	if !full() {
		return err
	}
	if park.CanSpin() && w.spin.Until(func() bool { err = w.need(room); return !full() }) {
		return err
	}
	h := w.ring.at
	wt := begin(w, &h.head, l, w.ring.processShared())
	defer wt.end()
	for tries, more := 1, true; more && full(); tries++ {
		more = ringSleep(&wt, &h.writerSleeps, &h.head, w.head, tries)
		err = w.need(room)
	}
	atomic.StoreUint32(&h.writerSleeps, 0)
	if full() {
		return wt.limit.err(call)
	}
	return err
}

// Write writes one record, or all bytes of p, waiting for room: io.Writer. The
// errors are those of WaitRoom and TryWrite; with one, the bytes counted are in
// the ring.
func (w *RingWriter) Write(p []byte) (int, error) { return w.write(p, (*RingWriter).WaitRoom) }

// WriteTimeout is Write for at most d; it then returns an error that is
// ErrTimeout, and how many bytes are in the ring.
func (w *RingWriter) WriteTimeout(p []byte, d time.Duration) (int, error) {
	end := Monotonic.After(d)
	return w.write(p, func(w *RingWriter, n int) error { return w.WaitRoomTimeout(n, end.left()) })
}

// WriteContext is Write until ctx is done; it then returns ctx's cause, and how
// many bytes are in the ring.
func (w *RingWriter) WriteContext(ctx context.Context, p []byte) (int, error) {
	return w.write(p, func(w *RingWriter, n int) error { return w.WaitRoomContext(ctx, n) })
}

// WriteUntil is Write until d; it then returns an error that is ErrTimeout, and
// how many bytes are in the ring.
func (w *RingWriter) WriteUntil(p []byte, d Deadline) (int, error) {
	return w.write(p, func(w *RingWriter, n int) error { return w.WaitRoomUntil(n, d) })
}

func (w *RingWriter) write(p []byte, wait func(w *RingWriter, n int) error) (int, error) {
	if w.ring.Records() {
		if err := wait(w, len(p)); err != nil {
			return 0, err
		}
		return w.TryWrite(p)
	}
	done := 0
	for done < len(p) {
		if err := wait(w, 1); err != nil {
			return done, err
		}
		n, err := w.TryWrite(p[done:])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// ringSleep sleeps on the other side's index while it is seen. It returns false
// once the limit has ended.
func ringSleep(w *waiter, sleeps, index *uint32, seen uint32, tries int) bool {
	atomic.StoreUint32(sleeps, seen|ringAsleep)
	same := atomic.LoadUint32(index) == seen
	switch {
	case tries%ringTries == 0:
		time.Sleep(ringNap)
	case !same:
		return true
	}
	return w.sleep(index, seen)
}

// processShared reports whether the sides may be in different processes.
func (r Ring) processShared() bool { return r.attr&ringShared != 0 }

var (
	_ io.ReadCloser  = (*RingReader)(nil)
	_ io.WriteCloser = (*RingWriter)(nil)
)
