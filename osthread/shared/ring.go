//go:build !plan9

package shared

import (
	"fmt"
	"io"
	"math/bits"
	"sync/atomic"
	"syscall"
	"unsafe"

	"example.com/thread/internal/park"
)

// The ring of csrc/ost_ring.h, whose header has the layout, why no wakeup is
// lost, and what the other side's contents can and cannot do. Here are its two
// ends in Go, with the same words:
//
//	constants      magic, layout, attr, capacity    read once, by OpenRing
//	sleep words    readerSleeps, writerSleeps       written only around a sleep
//	tail, head     the two indices                  one cache line each
//
// Invariant of a handle: head <= next <= tail (reader), head <= tail <= next
// (writer), each at most capacity after the first, modulo 2^31. The handle's
// own index is what it has published, and is never read back from the ring; the
// other one moves forward only, as far as the invariant allows, or the call
// fails with ErrCorrupt. So every offset that a handle computes lies in the
// data.
//
// Go's atomics are sequentially consistent, as the doorbell needs. The store to
// an index synchronizes before the load of it that the other side's call is
// based on, so the data needs no atomics.
type ringHead struct {
	magic, layout, attr, capacity uint32
	readerSleeps, writerSleeps    uint32
	_                             [ringLine/4 - 6]uint32
	tail                          uint32
	_                             [ringLine/4 - 1]uint32
	head                          uint32
	_                             [ringLine/4 - 1]uint32
}

const (
	ringLine     = 128 // two cache lines, which processors fetch in pairs
	ringHeadSize = int(unsafe.Sizeof(ringHead{}))
	ringMagic    = 0x676e6952
	ringLayout   = 1
	ringMin      = 64
	ringMax      = 1 << 30

	ringRecords uint32 = 1 // in attr
	ringShared  uint32 = 8 // in attr: OST_PSHARED

	ringClosed uint32 = 1 << 31
	ringIndex  uint32 = ringClosed - 1
	ringPad    uint32 = 1 << 31
	ringAsleep uint32 = 1 << 31 // in a sleep word, beside the index that was seen
	frameSize         = 8
)

// RingAttr is the kind of a [Ring]. The zero value is a ring of bytes for one
// process.
type RingAttr struct {
	// Records makes it a ring of records, of 0 to Ring.Max bytes each, instead
	// of one of bytes.
	Records bool
	// ProcessShared allows the two sides to be in different processes. Not on
	// Windows.
	ProcessShared bool
}

// A Ring is a queue of bytes or records from one writer to one reader, each in
// Go or in C (ost_ring_t of csrc/ost_ring.h), in this process or in another one
// that maps the same memory. It is a view of that memory, and may be copied.
//
// Its [RingWriter] and [RingReader] never block in calls whose name begins with
// Try, and in Reserve, Commit, Next and Release. The others wait, and keep
// their thread while they do, as everything of this package.
//
// A committed record synchronizes before the call of the reader that returns
// it, and its release before the call of the writer that uses the room again.
//
// POSIX has no such object; the nearest is a pipe.
type Ring struct {
	at   *ringHead
	mem  []byte // of the data
	attr uint32
}

// RingSize returns how many bytes a ring with capacity bytes of data takes, and
// 0 if capacity is no power of two from 64 to 2^30.
func RingSize(capacity int) int {
	if capacity < ringMin || capacity > ringMax || bits.OnesCount(uint(capacity)) != 1 {
		return 0
	}
	return ringHeadSize + capacity
}

// NewRing makes an empty ring with capacity bytes of data at the beginning of
// mem, which holds at least RingSize(capacity) bytes, aligned to 8; aligned to
// 128, the two sides do not share cache lines. No other handle of the memory
// may be in use. mem must not be memory of Go if C keeps it.
//
// It returns an error that is ErrInvalid if capacity, the size or the alignment
// is wrong, and ErrUnsupported for a ProcessShared ring on Windows.
func NewRing(mem []byte, capacity int, attr RingAttr) (Ring, error) {
	size := RingSize(capacity)
	switch {
	case size == 0:
		return Ring{}, fmt.Errorf("shared: ring of %d bytes: %w", capacity, ErrInvalid)
	case len(mem) < size || !aligned(mem):
		return Ring{}, fmt.Errorf("shared: ring in %d bytes at %p: %w", len(mem), mem, ErrInvalid)
	case attr.ProcessShared && !canShare():
		return Ring{}, fmt.Errorf("shared: process-shared ring: %w", ErrUnsupported)
	}
	h := (*ringHead)(unsafe.Pointer(unsafe.SliceData(mem)))
	atomic.StoreUint32(&h.magic, 0)
	atomic.StoreUint32(&h.layout, ringLayout)
	atomic.StoreUint32(&h.attr, attr.word())
	atomic.StoreUint32(&h.capacity, uint32(capacity))
	for _, w := range []*uint32{&h.readerSleeps, &h.writerSleeps, &h.tail, &h.head} {
		atomic.StoreUint32(w, 0)
	}
	atomic.StoreUint32(&h.magic, ringMagic)
	return Ring{h, mem[ringHeadSize:size:size], attr.word()}, nil
}

// OpenRing returns the ring at the beginning of mem, which Go or C has made
// there. It returns an error that is ErrInvalid if mem is smaller than any ring
// or not aligned to 8, ErrLayout if there is no ring or one of another layout,
// ErrCorrupt if there is one that cannot be, and ErrUnsupported for a
// ProcessShared one on a system that has none.
func OpenRing(mem []byte) (Ring, error) {
	if len(mem) < ringHeadSize || !aligned(mem) {
		return Ring{}, fmt.Errorf("shared: ring in %d bytes at %p: %w", len(mem), mem, ErrInvalid)
	}
	h := (*ringHead)(unsafe.Pointer(unsafe.SliceData(mem)))
	magic, layout := atomic.LoadUint32(&h.magic), atomic.LoadUint32(&h.layout)
	if magic != ringMagic || layout != ringLayout {
		return Ring{}, fmt.Errorf("shared: ring: magic %#x, layout %d: %w", magic, layout, ErrLayout)
	}
	attr, capacity := atomic.LoadUint32(&h.attr), atomic.LoadUint32(&h.capacity)
	size := 0
	if capacity <= ringMax {
		size = RingSize(int(capacity))
	}
	if size == 0 || size > len(mem) || attr&^(ringRecords|ringShared) != 0 {
		return Ring{}, fmt.Errorf("shared: ring of %d bytes, attributes %#x, in %d bytes: %w",
			capacity, attr, len(mem), ErrCorrupt)
	}
	if attr&ringShared != 0 && !canShare() {
		return Ring{}, fmt.Errorf("shared: process-shared ring: %w", ErrUnsupported)
	}
	return Ring{h, mem[ringHeadSize:size:size], attr}, nil
}

// Capacity returns the bytes of data.
func (r Ring) Capacity() int { return len(r.mem) }

// Records reports whether r is a ring of records.
func (r Ring) Records() bool { return r.attr&ringRecords != 0 }

// Max returns the longest record, in bytes; of a ring of bytes the capacity. A
// record of that length fits into the empty ring at any position.
func (r Ring) Max() int {
	if !r.Records() {
		return len(r.mem)
	}
	return len(r.mem)/2 - frameSize
}

// Writer returns the handle of r's one writer. If an earlier writer has died,
// it continues behind what that has committed. It returns an error that is
// ErrClosed if the writer has closed, and ErrCorrupt if the indices cannot be.
func (r Ring) Writer() (*RingWriter, error) {
	tail, head, err := r.indices()
	if err != nil {
		return nil, err
	}
	if isClosed(tail) {
		return nil, fmt.Errorf("shared: ring's writer: %w", ErrClosed)
	}
	return &RingWriter{ring: r, tail: tail, next: tail, head: head & ringIndex, gone: isClosed(head)}, nil
}

// Reader returns the handle of r's one reader. If an earlier reader has died,
// it begins with what that had not released. It returns errors as Writer.
func (r Ring) Reader() (*RingReader, error) {
	tail, head, err := r.indices()
	if err != nil {
		return nil, err
	}
	if isClosed(head) {
		return nil, fmt.Errorf("shared: ring's reader: %w", ErrClosed)
	}
	return &RingReader{ring: r, head: head, next: head, tail: tail & ringIndex, ended: isClosed(tail)}, nil
}

func (r Ring) indices() (tail, head uint32, err error) {
	tail, head = atomic.LoadUint32(&r.at.tail), atomic.LoadUint32(&r.at.head)
	if distance(tail, head) > r.capacity() || !r.possible(tail) || !r.possible(head) {
		return 0, 0, fmt.Errorf("shared: ring: indices %#x and %#x: %w", tail, head, ErrCorrupt)
	}
	return tail, head, nil
}

func (r Ring) capacity() uint32 { return uint32(len(r.mem)) }

// offset returns where in the data index is.
func (r Ring) offset(index uint32) uint32 { return index & (r.capacity() - 1) }

// possible reports whether index is a multiple of 8, if r has records.
func (r Ring) possible(index uint32) bool { return !r.Records() || index&(frameSize-1) == 0 }

// pieces returns the n bytes from index, in two pieces.
func (r Ring) pieces(index, n uint32) (a, b []byte) {
	at := r.offset(index)
	first := min(r.capacity()-at, n)
	return r.mem[at : at+first : at+first], r.mem[: n-first : n-first]
}

func (a RingAttr) word() uint32 {
	var w uint32
	if a.Records {
		w |= ringRecords
	}
	if a.ProcessShared {
		w |= ringShared
	}
	return w
}

func isClosed(index uint32) bool { return index&ringClosed != 0 }

// distance returns how far index is ahead of from.
func distance(index, from uint32) uint32 { return (index - from) & ringIndex }

// framed returns what a record of n bytes takes of the data.
func framed(n uint32) uint32 { return frameSize + (n+frameSize-1)&^(frameSize-1) }

// aligned reports whether mem is aligned to 8.
func aligned(mem []byte) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(mem)))%8 == 0 }

// A RingWriter is the handle of a [Ring]'s writer. One goroutine at a time may
// use it.
type RingWriter struct {
	ring   Ring
	tail   uint32 // published
	next   uint32 // reserved up to here
	head   uint32 // the reader's index when last read
	closed bool   // by this side
	gone   bool   // the reader has closed
	spin   park.Spinner
}

// seeHead reads the reader's index.
func (w *RingWriter) seeHead() error {
	word := atomic.LoadUint32(&w.ring.at.head)
	head := word & ringIndex
	if distance(head, w.head) > distance(w.tail, w.head) || !w.ring.possible(head) {
		return errRingIndex
	}
	w.head = head
	w.gone = w.gone || isClosed(word)
	return nil
}

// free returns how many bytes can be reserved, as far as is known.
func (w *RingWriter) free() uint32 { return w.ring.capacity() - distance(w.next, w.head) }

// need returns nil if there are n bytes of room. It reads the reader's index
// only if it has to.
func (w *RingWriter) need(n uint32) error {
	switch {
	case w.closed || w.gone:
		return errRingClosed
	case w.free() >= n:
		return nil
	}
	if err := w.seeHead(); err != nil {
		return err
	}
	switch {
	case w.gone:
		return errRingClosed
	case w.free() < n:
		return errRingFull
	}
	return nil
}

// pad returns the pad in front of a record that takes size bytes.
func (w *RingWriter) pad(size uint32) uint32 {
	if rest := w.ring.capacity() - w.ring.offset(w.next); rest < size {
		return rest
	}
	return 0
}

// Reserve reserves a record of n bytes, to be filled before the Commit that
// makes it visible with all others reserved since the last one. The record is
// aligned to 8.
//
// It returns an error that is ErrBusy if there is no room, ErrTooLong if n is
// more than Max or negative, ErrClosed if either side has closed, ErrCorrupt if
// the reader's index is, and ErrInvalid for a ring of bytes. It does not block.
func (w *RingWriter) Reserve(n int) ([]byte, error) {
	if !w.ring.Records() {
		return nil, errRingKind
	}
	if n < 0 || n > w.ring.Max() {
		return nil, errRingLength
	}
	size := framed(uint32(n))
	pad := w.pad(size)
	if err := w.need(pad + size); err != nil {
		return nil, err
	}
	if pad != 0 {
		w.frame(ringPad | (pad - frameSize))
		w.next = (w.next + pad) & ringIndex
	}
	w.frame(uint32(n))
	at := w.ring.offset(w.next) + frameSize
	w.next = (w.next + size) & ringIndex
	return w.ring.mem[at : at+uint32(n) : at+uint32(n)], nil
}

// frame writes what is in front of a record, or a pad, at next.
func (w *RingWriter) frame(length uint32) {
	at := w.ring.offset(w.next)
	*(*[2]uint32)(unsafe.Pointer(&w.ring.mem[at])) = [2]uint32{length, 0}
}

// Commit makes what has been reserved visible to the reader, and wakes it if it
// sleeps. It returns an error that is ErrClosed if this side has closed, or if
// it noticed that the reader has. It does not block.
func (w *RingWriter) Commit() error {
	if w.closed {
		return errRingClosed
	}
	if w.next != w.tail {
		w.tail = w.next
		h := w.ring.at
		atomic.StoreUint32(&h.tail, w.tail)
		if atomic.LoadUint32(&h.readerSleeps) != 0 {
			w.ring.bell(&h.readerSleeps, &h.tail, w.tail)
			// A reader that closes sets readerSleeps, too.
			w.gone = w.gone || isClosed(atomic.LoadUint32(&h.head))
		}
	}
	if w.gone {
		return errRingClosed
	}
	return nil
}

// Cancel forgets what was reserved since the last Commit.
func (w *RingWriter) Cancel() { w.next = w.tail }

// Room returns the room of a ring of bytes, in two pieces, the second of which
// is empty unless the room goes round the end of the data. It stays until
// Produce. The errors are those of Reserve, ErrInvalid for a ring of records.
// It does not block.
func (w *RingWriter) Room() (a, b []byte, err error) {
	if w.ring.Records() {
		return nil, nil, errRingKind
	}
	if !w.closed && !w.gone {
		err = w.seeHead()
	}
	if err == nil {
		err = w.need(1)
	}
	if err != nil {
		return nil, nil, err
	}
	a, b = w.ring.pieces(w.next, w.free())
	return a, b, nil
}

// Produce makes the first n bytes of the room visible to the reader, and
// returns what Commit does, or an error that is ErrInvalid if the last Room was
// smaller.
func (w *RingWriter) Produce(n int) error {
	if w.ring.Records() || n < 0 || uint(n) > uint(w.free()) {
		return errRingKind
	}
	w.next = (w.next + uint32(n)) & ringIndex
	return w.Commit()
}

// TryWrite copies p into the ring and commits: one record, as a whole or not,
// or as many bytes as there is room for. It returns how many, and the errors of
// Reserve and Commit. It does not block.
func (w *RingWriter) TryWrite(p []byte) (int, error) {
	if w.ring.Records() {
		record, err := w.Reserve(len(p))
		if err != nil {
			return 0, err
		}
		copy(record, p)
		return len(p), w.Commit()
	}
	if len(p) == 0 {
		return 0, w.Commit()
	}
	a, b, err := w.Room()
	if err != nil {
		return 0, err
	}
	n := copy(a, p)
	n += copy(b, p[n:])
	return n, w.Produce(n)
}

// Close closes the writer's side. Records that were not committed are dropped;
// the reader gets the others, then io.EOF. It returns an error that is
// ErrClosed if the side is closed. A closed side cannot be opened again.
func (w *RingWriter) Close() error {
	if w.closed {
		return errRingClosed
	}
	w.closed, w.next = true, w.tail
	h := w.ring.at
	atomic.StoreUint32(&h.tail, w.tail|ringClosed)
	w.ring.lastBell(&h.readerSleeps, &h.tail)
	return nil
}

// A RingReader is the handle of a [Ring]'s reader. One goroutine at a time may
// use it.
type RingReader struct {
	ring   Ring
	head   uint32 // released
	next   uint32 // consumed up to here
	tail   uint32 // the writer's index when last read
	closed bool   // by this side
	ended  bool   // the writer has closed, at tail
	spin   park.Spinner
}

// seeTail reads the writer's index.
func (r *RingReader) seeTail() error {
	word := atomic.LoadUint32(&r.ring.at.tail)
	tail := word & ringIndex
	if distance(tail, r.tail) > r.ring.capacity()-distance(r.tail, r.head) || !r.ring.possible(tail) {
		return errRingIndex
	}
	r.tail, r.ended = tail, isClosed(word)
	return nil
}

// some returns nil if there is something to read. It reads the writer's index
// only if it has to.
func (r *RingReader) some() error {
	switch {
	case r.closed:
		return errRingClosed
	case r.next != r.tail:
		return nil
	}
	if err := r.seeTail(); err != nil {
		return err
	}
	switch {
	case r.next != r.tail:
		return nil
	case r.ended:
		return io.EOF
	}
	return errRingEmpty
}

// parse returns what the record, or the pad, at next takes, and its length. It
// reads the word once.
func (r *RingReader) parse() (size, n uint32, pad bool, err error) {
	at := r.ring.offset(r.next)
	rest, there := r.ring.capacity()-at, distance(r.tail, r.next)
	length := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.ring.mem[at])))
	if n = length &^ ringPad; n != length {
		if at == 0 || n != rest-frameSize || rest > there {
			return 0, 0, true, errRingRecord
		}
		return rest, 0, true, nil
	}
	if n > uint32(r.ring.Max()) || framed(n) > rest || framed(n) > there {
		return 0, 0, false, errRingRecord
	}
	return framed(n), n, false, nil
}

// peek returns the next record, and what it takes. It moves over a pad.
func (r *RingReader) peek() (record []byte, size uint32, err error) {
	for { // twice at most: behind a pad is the beginning
		if err := r.some(); err != nil {
			return nil, 0, err
		}
		size, n, pad, err := r.parse()
		if err != nil {
			return nil, 0, err
		}
		if !pad {
			at := r.ring.offset(r.next) + frameSize
			return r.ring.mem[at : at+n : at+n], size, nil
		}
		r.next = (r.next + size) & ringIndex
	}
}

// Next returns the next record, which is the caller's until the Release that
// returns all that were taken since the last one. If the writer's process is
// not trusted, copy first, then check: it may change the contents at any time.
//
// It returns an error that is ErrBusy if there is no record, io.EOF if there is
// none and the writer has closed, ErrCorrupt if the writer's index or the
// record is, ErrClosed if this side has closed, and ErrInvalid for a ring of
// bytes. It does not block.
func (r *RingReader) Next() ([]byte, error) {
	if !r.ring.Records() {
		return nil, errRingKind
	}
	record, size, err := r.peek()
	if err != nil {
		return nil, err
	}
	r.next = (r.next + size) & ringIndex
	return record, nil
}

// Release returns to the writer what has been taken, and wakes it if it waits
// for room. It does not block.
func (r *RingReader) Release() {
	if r.closed || r.next == r.head {
		return
	}
	r.head = r.next
	atomic.StoreUint32(&r.ring.at.head, r.head)
	r.ring.bell(&r.ring.at.writerSleeps, &r.ring.at.head, r.head)
}

// Data returns all readable bytes of a ring of bytes, in two pieces; they stay
// until Consume. The errors are those of Next, ErrInvalid for a ring of
// records. It does not block.
func (r *RingReader) Data() (a, b []byte, err error) {
	if r.ring.Records() {
		return nil, nil, errRingKind
	}
	if !r.closed {
		err = r.seeTail()
	}
	if err == nil {
		err = r.some()
	}
	if err != nil {
		return nil, nil, err
	}
	a, b = r.ring.pieces(r.next, distance(r.tail, r.next))
	return a, b, nil
}

// Consume returns the first n readable bytes to the writer. It returns an error
// that is ErrInvalid for a ring of records, or if the last Data was shorter.
func (r *RingReader) Consume(n int) error {
	if r.ring.Records() || n < 0 || uint(n) > uint(distance(r.tail, r.next)) {
		return errRingKind
	}
	r.next = (r.next + uint32(n)) & ringIndex
	r.Release()
	return nil
}

// TryRead copies the next record into p, or as many bytes as there are, and
// releases them. It returns how many. The errors are those of Next, and
// ErrTooLong if p is shorter than the record, which then remains the next one.
// It does not block.
func (r *RingReader) TryRead(p []byte) (int, error) {
	if r.ring.Records() {
		record, size, err := r.peek()
		if err != nil {
			return 0, err
		}
		if len(record) > len(p) {
			return 0, errRingLength
		}
		copy(p, record)
		r.next = (r.next + size) & ringIndex
		r.Release()
		return len(record), nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	a, b, err := r.Data()
	if err != nil {
		return 0, err
	}
	n := copy(p, a)
	n += copy(p[n:], b)
	return n, r.Consume(n)
}

// Close closes the reader's side. The writer's calls fail from then on, at the
// latest the second one. It returns an error that is ErrClosed if the side is
// closed. A closed side cannot be opened again.
func (r *RingReader) Close() error {
	if r.closed {
		return errRingClosed
	}
	r.closed, r.next = true, r.head
	h := r.ring.at
	atomic.StoreUint32(&h.head, r.head|ringClosed)
	atomic.StoreUint32(&h.readerSleeps, 1) // has the next Commit read head
	r.ring.lastBell(&h.writerSleeps, &h.head)
	return nil
}

// bell wakes the other side if it sleeps on index, unless it has seen mine,
// what this side has just stored there: that would be a later sleep, whose word
// must stay.
func (r Ring) bell(sleeps, index *uint32, mine uint32) {
	if s := atomic.LoadUint32(sleeps); s != 0 && s != mine|ringAsleep && atomic.CompareAndSwapUint32(sleeps, s, 0) {
		wake(index, 1, r.processShared())
	}
}

// lastBell is the bell of a close.
func (r Ring) lastBell(sleeps, index *uint32) {
	if atomic.SwapUint32(sleeps, 0) != 0 {
		wake(index, 1, r.processShared())
	}
}

var (
	// ErrClosed says that a side of a Ring has closed.
	ErrClosed error = &posixError{"closed", syscall.EPIPE}
	// ErrTooLong says that a record is longer than the ring can hold, or the
	// buffer.
	ErrTooLong error = &posixError{"record too long", syscall.EMSGSIZE}

	errRingFull   = failed("ring: full", ErrBusy)
	errRingEmpty  = failed("ring: empty", ErrBusy)
	errRingClosed = failed("ring", ErrClosed)
	errRingLength = failed("ring", ErrTooLong)
	errRingKind   = failed("ring: call for the other kind of ring, or more bytes than there are", ErrInvalid)
	errRingIndex  = failed("ring: index of the other side", ErrCorrupt)
	errRingRecord = failed("ring: length of a record", ErrCorrupt)
)
