//go:build !plan9

package main

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"example.com/thread/osthread/shared"
)

// One writer and one reader pass numbers through a ring: all arrive, once and
// in order.
func beginRing(r *round, _ int) use {
	return use{whole: true, step: func(w *worker) {
		const capacity = 256
		ring, err := shared.NewRing(make([]byte, shared.RingSize(capacity)), capacity, shared.RingAttr{Records: true})
		w.must(err)
		in, err := ring.Writer()
		w.must(err)
		out, err := ring.Reader()
		w.must(err)
		n := 1 + w.rnd.IntN(2000)
		join := elsewhere(r, w.rnd, func() { r.write(in, n) })
		for i := range n {
			r.read(out, uint64(i))
			w.progress.Add(1)
		}
		if _, err := out.Read(make([]byte, 8)); !errors.Is(err, io.EOF) {
			w.fail("%v: a ring that is closed: %v", w, err)
		}
		join()
		w.must(out.Close())
	}}
}

func (r *round) write(in *shared.RingWriter, n int) {
	var b [8]byte
	for i := range n {
		binary.NativeEndian.PutUint64(b[:], uint64(i))
		for {
			_, err := in.WriteTimeout(b[:], time.Duration(1+i%50)*time.Microsecond)
			if err == nil {
				break
			}
			if !isRefusal(err) {
				r.fail("a write to a ring: %v", err)
			}
		}
	}
	r.must(in.Close())
}

func (r *round) read(out *shared.RingReader, want uint64) {
	var b [8]byte
	_, err := out.Read(b[:])
	r.must(err)
	if got := binary.NativeEndian.Uint64(b[:]); got != want {
		r.fail("a ring has delivered %d, want %d", got, want)
	}
}
