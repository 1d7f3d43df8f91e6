/*
 * ost_ring.h - a ring of bytes or records between one producer and one consumer
 *
 * The producer is the one writer, the consumer the one reader; each is C or Go
 * (shared.Ring), a thread of this process or of another one that maps the same
 * memory. A writer that only tries never blocks, takes no lock, and makes no
 * system call unless the reader sleeps: it may be a real-time thread, or a
 * signal handler.
 *
 *	size = ost_ring_size(capacity);         once, by either side or a third
 *	err = ost_ring_init(ring, size, capacity, OST_RING_RECORDS);
 *
 *	writer, of records                      reader
 *	err = ost_ring_writer(&w, ring, size);  err = ost_ring_reader(&r, ring, size);
 *	err = ost_ring_reserve(&w, n, &p);      err = ost_ring_next(&r, &p, &n);
 *	... fill p[0..n), reserve more ...      ... use p[0..n), next ...
 *	err = ost_ring_commit(&w);              ost_ring_release(&r);
 *	                                        on EAGAIN: err = ost_ring_wait(&r);
 *	ost_ring_writer_close(&w);              on ENODATA: ost_ring_reader_close(&r);
 *
 * The memory: ost_ring_t, three groups of words that lie 128 bytes apart (two
 * cache lines, which processors fetch in pairs), and behind it capacity bytes
 * of data, a power of two.
 *
 *	constants      magic, layout, attr, capacity: read once, on attach
 *	sleep words    reader_sleeps, writer_sleeps: written only around a sleep
 *	tail           the writer's index, and CLOSED: written by the writer
 *	head           the reader's index, and CLOSED: written by the reader
 *
 * An index counts bytes modulo 2^31. tail - head is what is readable, 0 to
 * capacity, which is at most 2^30. CLOSED is the highest bit, so one load shows
 * both how much there is and whether more will come. Each side has its own
 * index in its handle, and the other's as it last read it: the other's cache
 * line is touched only when the ring seems full, or empty.
 *
 * A record is 8 bytes, length and 0, and the payload, rounded up to a multiple
 * of 8, so a payload is aligned to 8. It lies in one piece: if it does not fit
 * before the end of the data, a pad, a length with PAD set, fills the rest. In
 * the mode of bytes there is no frame at all.
 *
 * The doorbell. A side that sleeps does so on the other's index as a futex
 * word, at the value seen at which there was nothing to do. Its sleep word is
 * 0, or that value and SLEEPING.
 *
 *	reader, before it sleeps                writer, commit
 *	reader_sleeps = seen | SLEEPING         tail = new
 *	if (tail == seen)                       s = reader_sleeps
 *		futex wait(&tail, seen)         if (s && s != (new | SLEEPING) &&
 *	                                            cas(&reader_sleeps, s, 0))
 *	                                                futex wake(&tail)
 *
 * All of these are sequentially consistent. In their one order either the store
 * to tail precedes the reader's load of it, which then sees it and does not
 * sleep, or the store to reader_sleeps precedes the writer's load of it, and
 * the writer wakes. A wake before the reader is in the kernel finds no sleeper,
 * but the kernel compares tail with seen under the lock that the wake takes,
 * and it has changed. The writer clears the word, so each sleep costs it one
 * system call, which does not block. It must not clear that of a later sleep.
 * That one has seen new, or is not there yet, as only the writer moves tail: so
 * the writer leaves new alone, and another value that it loaded does not come
 * back. A close always rings, as it leaves the index; no sleep follows one that
 * sees it. The other direction is the same with head and writer_sleeps. The
 * store to an index publishes the data before it. Model: verify/ring.pml.
 *
 * Hostile memory. The other side may write anything anywhere, at any time. No
 * call trusts a word: own indices are private to the handle, the other's index
 * and the length of each record are read once into a local variable, and
 * checked: the writer's index must have moved forward by no more than the room
 * that the reader gave, the reader's index not beyond what the writer has
 * published, a record must lie in what is published and in one piece. Otherwise
 * the call returns EBADMSG and has changed nothing. So the other side can make
 * a call fail, make a wait without a deadline last, and make each commit a
 * system call; it cannot make a call crash, loop for ever, or touch memory
 * outside the ring. What is in a payload is the caller's to check, after it has
 * copied it.
 *
 * A side that dies closes nothing. What it has committed is readable, what it
 * had reserved is not seen, and a new handle for its side continues where it
 * stopped. With OST_PSHARED each sleep lasts 100 ms at most before it checks
 * the index again: a writer killed between its store and its wake loses
 * nothing. Without, both sides must be of one process.
 *
 * Functions return 0 or a positive errno value, and never set errno. A handle
 * belongs to one thread at a time.
 */
#ifndef OST_RING_H
#define OST_RING_H

#include "ost_os.h"

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Attributes of a ring, beside OST_PSHARED. */
#define OST_RING_BYTES		0u
#define OST_RING_RECORDS	1u

#define OST_RING_MAGIC_		0x676e6952u	/* "Ring", little endian */
#define OST_RING_LAYOUT_	1u
#define OST_RING_MIN_		64u
#define OST_RING_MAX_		(1u << 30)
#define OST_RING_CLOSED_	0x80000000u
#define OST_RING_SLEEPING_	0x80000000u
#define OST_RING_LOOK_		1u	/* a sleep word: head is closed */
#define OST_RING_INDEX_		0x7fffffffu	/* an index without CLOSED */
#define OST_RING_PAD_		0x80000000u
#define OST_RING_FRAME_		8u
#define OST_RING_SPINS_		200
#define OST_RING_LINE_		128

typedef struct {
	uint32_t magic;		/* stored last by init */
	uint32_t layout;
	uint32_t attr;
	uint32_t capacity;
	uint32_t reader_sleeps;
	uint32_t writer_sleeps;
	uint32_t pad0_[OST_RING_LINE_ / 4 - 6];
	uint32_t tail;
	uint32_t pad1_[OST_RING_LINE_ / 4 - 1];
	uint32_t head;
	uint32_t pad2_[OST_RING_LINE_ / 4 - 1];
} ost_ring_t;

/* A piece of a ring's data. */
typedef struct {
	void *p;
	uint32_t n;
} ost_ring_span_t;

/*
 * The handle of a side, private to it: it must not lie in shared memory. The
 * fields are the implementation's.
 */
typedef struct {
	ost_ring_t *ring;
	uint8_t *data;
	uint32_t capacity;
	uint32_t attr;
	uint32_t tail;		/* published */
	uint32_t next;		/* reserved up to here */
	uint32_t head;		/* the reader's index when last read */
	int closed;		/* by this side */
	int gone;		/* the reader has closed */
} ost_ring_writer_t;

typedef struct {
	ost_ring_t *ring;
	uint8_t *data;
	uint32_t capacity;
	uint32_t attr;
	uint32_t head;		/* released */
	uint32_t next;		/* consumed up to here */
	uint32_t tail;		/* the writer's index when last read */
	int closed;		/* by this side */
	int ended;		/* the writer has closed at tail */
} ost_ring_reader_t;

static inline void ost_ring_store_(uint32_t *word, uint32_t to)
{
	__atomic_store_n(word, to, __ATOMIC_SEQ_CST);
}

/* How far index is ahead of from. */
static inline uint32_t ost_ring_from_(uint32_t index, uint32_t from)
{
	return (index - from) & OST_RING_INDEX_;
}

/* What a record of n bytes takes of the data; n is at most max. */
static inline uint32_t ost_ring_framed_(uint32_t n)
{
	return OST_RING_FRAME_ + ((n + 7u) & ~7u);
}

/* The longest record: with its pad, at any position, it fits an empty ring. */
static inline uint32_t ost_ring_longest_(uint32_t capacity)
{
	return capacity / 2 - OST_RING_FRAME_;
}

/* Indices of a ring of records are multiples of 8. */
static inline int ost_ring_aligned_(uint32_t attr, uint32_t index)
{
	return !(attr & OST_RING_RECORDS) || !(index & 7u);
}

static inline int ost_ring_known_(uint32_t attr, uint32_t capacity)
{
	return !(attr & ~(OST_RING_RECORDS | OST_PSHARED)) &&
	       capacity >= OST_RING_MIN_ && capacity <= OST_RING_MAX_ &&
	       !(capacity & (capacity - 1));
}

/*
 * ost_ring_size - bytes of memory for a ring with capacity bytes of data
 *
 * Returns 0 if capacity is no power of two from 64 to 2^30. Async-signal-safe;
 * for real-time threads.
 */
static inline size_t ost_ring_size(uint32_t capacity)
{
	if (!ost_ring_known_(0, capacity))
		return 0;
	return sizeof(ost_ring_t) + capacity;
}

/*
 * ost_ring_init - make an empty ring in size bytes at r
 *
 * r is aligned to 8; to 128 keeps the two sides' cache lines apart. attr is
 * OST_RING_BYTES or OST_RING_RECORDS, and OST_PSHARED if another process uses
 * the ring. No handle of the memory may be in use.
 *
 * Returns 0, EINVAL for a wrong capacity, attr or alignment or if size is less
 * than ost_ring_size(capacity), or ENOTSUP for OST_PSHARED on Windows.
 * Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_init(ost_ring_t *r, size_t size, uint32_t capacity,
				unsigned attr)
{
	if (!ost_ring_known_(attr, capacity) || (uintptr_t)r % 8 ||
	    size < sizeof(*r) + capacity)
		return EINVAL;
#ifdef _WIN32
	if (attr & OST_PSHARED)
		return ENOTSUP;
#endif
	ost_ring_store_(&r->magic, 0);
	r->layout = OST_RING_LAYOUT_;
	r->attr = attr;
	r->capacity = capacity;
	ost_ring_store_(&r->reader_sleeps, 0);
	ost_ring_store_(&r->writer_sleeps, 0);
	ost_ring_store_(&r->tail, 0);
	ost_ring_store_(&r->head, 0);
	ost_ring_store_(&r->magic, OST_RING_MAGIC_);
	return 0;
}

/*
 * Reads the constants and both indices, once, and checks them. The memory that
 * the caller has is size bytes.
 */
static inline int ost_ring_attach_(ost_ring_t *r, size_t size,
				   uint32_t *attr, uint32_t *capacity,
				   uint32_t *tail, uint32_t *head)
{
	if (!r || (uintptr_t)r % 8 || size < sizeof(*r))
		return EINVAL;
	if (ost_load_(&r->magic) != OST_RING_MAGIC_ ||
	    ost_load_(&r->layout) != OST_RING_LAYOUT_)
		return EPROTO;
	*attr = ost_load_(&r->attr);
	*capacity = ost_load_(&r->capacity);
	*tail = ost_load_(&r->tail);
	*head = ost_load_(&r->head);
	if (!ost_ring_known_(*attr, *capacity) ||
	    size - sizeof(*r) < *capacity ||
	    ost_ring_from_(*tail, *head) > *capacity ||
	    !ost_ring_aligned_(*attr, *tail & OST_RING_INDEX_) ||
	    !ost_ring_aligned_(*attr, *head & OST_RING_INDEX_))
		return EBADMSG;
	return 0;
}

/*
 * ost_ring_writer - the handle of the one writer of the ring at r
 *
 * size is how many bytes at r the caller has. If an earlier writer has died,
 * this one continues behind what that has committed.
 *
 * Returns 0; EINVAL if size or the alignment of r is too small for any ring;
 * EPROTO if there is no ring, or one of another layout; EBADMSG if there is one
 * that cannot be; EPIPE if its writer has closed. Async-signal-safe; for
 * real-time threads.
 */
static inline int ost_ring_writer(ost_ring_writer_t *w, ost_ring_t *r,
				  size_t size)
{
	uint32_t attr, capacity, tail, head;
	int err = ost_ring_attach_(r, size, &attr, &capacity, &tail, &head);

	/* A handle that is not opened is closed. */
	w->ring = 0;
	w->data = 0;
	w->capacity = w->attr = w->tail = w->next = w->head = 0;
	w->closed = w->gone = 1;
	if (err)
		return err;
	if (tail & OST_RING_CLOSED_)
		return EPIPE;
	w->ring = r;
	w->data = (uint8_t *)(r + 1);
	w->capacity = capacity;
	w->attr = attr;
	w->tail = w->next = tail;
	w->head = head & OST_RING_INDEX_;
	w->closed = 0;
	w->gone = (head & OST_RING_CLOSED_) != 0;
	return 0;
}

/*
 * ost_ring_reader - the handle of the one reader of the ring at r
 *
 * As ost_ring_writer. If an earlier reader has died, this one begins with what
 * that had not released. EPIPE if the ring's reader has closed.
 */
static inline int ost_ring_reader(ost_ring_reader_t *h, ost_ring_t *r,
				  size_t size)
{
	uint32_t attr, capacity, tail, head;
	int err = ost_ring_attach_(r, size, &attr, &capacity, &tail, &head);

	/* A handle that is not opened is closed. */
	h->ring = 0;
	h->data = 0;
	h->capacity = h->attr = h->tail = h->next = h->head = 0;
	h->closed = h->ended = 1;
	if (err)
		return err;
	if (head & OST_RING_CLOSED_)
		return EPIPE;
	h->ring = r;
	h->data = (uint8_t *)(r + 1);
	h->capacity = capacity;
	h->attr = attr;
	h->head = h->next = head;
	h->tail = tail & OST_RING_INDEX_;
	h->closed = 0;
	h->ended = (tail & OST_RING_CLOSED_) != 0;
	return 0;
}

/*
 * Wakes the other side if it sleeps on index, unless it has seen mine, what
 * this side has just stored there.
 */
static inline void ost_ring_bell_(uint32_t *sleeps, uint32_t *index,
				  uint32_t mine, uint32_t attr)
{
	uint32_t s = ost_load_(sleeps);

	if (s && s != (mine | OST_RING_SLEEPING_) &&
	    __atomic_compare_exchange_n(sleeps, &s, 0, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		ost_wake_on_(index, 1, attr & OST_PSHARED);
}

/* The bell of a close. */
static inline void ost_ring_last_bell_(uint32_t *sleeps, uint32_t *index,
				       uint32_t attr)
{
	if (ost_swap_(sleeps, 0))
		ost_wake_on_(index, 1, attr & OST_PSHARED);
}

/* Two pieces of n bytes that begin at index. */
static inline void ost_ring_pieces_(uint8_t *data, uint32_t capacity,
				    uint32_t index, uint32_t n,
				    ost_ring_span_t s[2])
{
	uint32_t at = index & (capacity - 1);
	uint32_t first = capacity - at < n ? capacity - at : n;

	s[0].p = data + at;
	s[0].n = first;
	s[1].p = data;
	s[1].n = n - first;
}

/* The writer. */

/* Reads the reader's index. */
static inline int ost_ring_see_head_(ost_ring_writer_t *w)
{
	uint32_t word = ost_load_(&w->ring->head);
	uint32_t head = word & OST_RING_INDEX_;

	if (ost_ring_from_(head, w->head) > ost_ring_from_(w->tail, w->head) ||
	    !ost_ring_aligned_(w->attr, head))
		return EBADMSG;
	w->head = head;
	if (word & OST_RING_CLOSED_)
		w->gone = 1;
	return 0;
}

/* How many bytes can be reserved, as far as is known. */
static inline uint32_t ost_ring_free_(const ost_ring_writer_t *w)
{
	return w->capacity - ost_ring_from_(w->next, w->head);
}

/* 0 if there are n bytes of room, reading the reader's index if need be. */
static inline int ost_ring_need_(ost_ring_writer_t *w, uint32_t n)
{
	int err;

	if (w->closed || w->gone)
		return EPIPE;
	if (ost_ring_free_(w) >= n)
		return 0;
	err = ost_ring_see_head_(w);
	if (err)
		return err;
	if (w->gone)
		return EPIPE;
	return ost_ring_free_(w) >= n ? 0 : EAGAIN;
}

/* The pad in front of a record that takes size bytes, in *pad. */
static inline int ost_ring_fit_(ost_ring_writer_t *w, uint32_t size,
				uint32_t *pad)
{
	uint32_t rest = w->capacity - (w->next & (w->capacity - 1));

	*pad = rest < size ? rest : 0;
	return ost_ring_need_(w, *pad + size);
}

static inline void ost_ring_frame_(ost_ring_writer_t *w, uint32_t length)
{
	uint32_t frame[2] = { length, 0 };

	memcpy(w->data + (w->next & (w->capacity - 1)), frame, sizeof(frame));
}

/*
 * ost_ring_reserve - reserve a record of n bytes, in *p, to be filled
 *
 * Any number of records can be reserved before one ost_ring_commit, which makes
 * all visible. *p is aligned to 8 and is the caller's until then.
 *
 * Returns 0; EAGAIN if there is no room; EMSGSIZE if n is more than
 * ost_ring_max; EPIPE if either side has closed; EBADMSG if the reader's index
 * is corrupt; EINVAL for a ring of bytes. Never blocks. Async-signal-safe; for
 * real-time threads.
 */
static inline int ost_ring_reserve(ost_ring_writer_t *w, size_t n, void **p)
{
	uint32_t size, pad;
	int err;

	if (!(w->attr & OST_RING_RECORDS))
		return EINVAL;
	if (n > ost_ring_longest_(w->capacity))
		return EMSGSIZE;
	size = ost_ring_framed_((uint32_t)n);
	err = ost_ring_fit_(w, size, &pad);
	if (err)
		return err;
	if (pad) {
		ost_ring_frame_(w, OST_RING_PAD_ | (pad - OST_RING_FRAME_));
		w->next = (w->next + pad) & OST_RING_INDEX_;
	}
	ost_ring_frame_(w, (uint32_t)n);
	*p = w->data + (w->next & (w->capacity - 1)) + OST_RING_FRAME_;
	w->next = (w->next + size) & OST_RING_INDEX_;
	return 0;
}

/*
 * ost_ring_max - the longest record, or what a ring of bytes holds, in bytes
 */
static inline uint32_t ost_ring_max(const ost_ring_writer_t *w)
{
	return w->attr & OST_RING_RECORDS ? ost_ring_longest_(w->capacity)
					  : w->capacity;
}

/*
 * ost_ring_commit - make what has been reserved visible to the reader
 *
 * Wakes the reader if it sleeps: one system call, which does not sleep.
 *
 * Returns 0, even if nothing was reserved; EPIPE if this side has closed, or if
 * it noticed that the reader has: nothing will be read then. Never blocks.
 * Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_commit(ost_ring_writer_t *w)
{
	if (w->closed)
		return EPIPE;
	if (w->next == w->tail)
		return w->gone ? EPIPE : 0;
	w->tail = w->next;
	ost_ring_store_(&w->ring->tail, w->tail);
	if (ost_load_(&w->ring->reader_sleeps)) {
		ost_ring_bell_(&w->ring->reader_sleeps, &w->ring->tail,
			       w->tail, w->attr);
		/* A reader that closes sets reader_sleeps, too. */
		if (ost_load_(&w->ring->head) & OST_RING_CLOSED_)
			w->gone = 1;
	}
	return w->gone ? EPIPE : 0;
}

/* ost_ring_cancel - forget what was reserved since the last commit */
static inline void ost_ring_cancel(ost_ring_writer_t *w)
{
	w->next = w->tail;
}

/*
 * ost_ring_room - the room of a ring of bytes, in two pieces
 *
 * The second piece is empty unless the room goes round the end of the data. The
 * room stays until ost_ring_produce.
 *
 * Returns 0, and at least one byte; otherwise as ost_ring_reserve. Never
 * blocks. Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_room(ost_ring_writer_t *w, ost_ring_span_t s[2])
{
	int err;

	if (w->attr & OST_RING_RECORDS)
		return EINVAL;
	if (w->closed || w->gone)
		return EPIPE;
	err = ost_ring_see_head_(w);
	if (!err)
		err = ost_ring_need_(w, 1);
	if (!err)
		ost_ring_pieces_(w->data, w->capacity, w->next,
				 ost_ring_free_(w), s);
	return err;
}

/*
 * ost_ring_produce - make the first n bytes of the room visible to the reader
 *
 * Returns what ost_ring_commit does, or EINVAL for a ring of records, or if the
 * last ost_ring_room was smaller. Never blocks. Async-signal-safe; for
 * real-time threads.
 */
static inline int ost_ring_produce(ost_ring_writer_t *w, size_t n)
{
	if (w->attr & OST_RING_RECORDS || n > ost_ring_free_(w))
		return EINVAL;
	w->next = (w->next + (uint32_t)n) & OST_RING_INDEX_;
	return ost_ring_commit(w);
}

/*
 * ost_ring_trywrite - copy n bytes into the ring and commit
 *
 * One record, as a whole or not; or as many bytes as there is room for. *done
 * is how many. Commits what was reserved before, too.
 *
 * Returns 0, or as ost_ring_reserve and ost_ring_commit. Never blocks.
 * Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_trywrite(ost_ring_writer_t *w, const void *from,
				    size_t n, size_t *done)
{
	ost_ring_span_t s[2];
	const uint8_t *b = (const uint8_t *)from;
	void *p;
	uint32_t first, second;
	int err;

	*done = 0;
	if (w->attr & OST_RING_RECORDS) {
		err = ost_ring_reserve(w, n, &p);
		if (err)
			return err;
		if (n)
			memcpy(p, b, n);
		*done = n;
		return ost_ring_commit(w);
	}
	if (!n)
		return w->closed || w->gone ? EPIPE : 0;
	err = ost_ring_room(w, s);
	if (err)
		return err;
	first = n < s[0].n ? (uint32_t)n : s[0].n;
	second = n - first < s[1].n ? (uint32_t)(n - first) : s[1].n;
	memcpy(s[0].p, b, first);
	if (second)
		memcpy(s[1].p, b + first, second);
	*done = (size_t)first + second;
	return ost_ring_produce(w, *done);
}

/* The reader. */

/* Reads the writer's index. */
static inline int ost_ring_see_tail_(ost_ring_reader_t *h)
{
	uint32_t word = ost_load_(&h->ring->tail);
	uint32_t tail = word & OST_RING_INDEX_;
	uint32_t had = ost_ring_from_(h->tail, h->head);

	if (ost_ring_from_(tail, h->tail) > h->capacity - had ||
	    !ost_ring_aligned_(h->attr, tail))
		return EBADMSG;
	h->tail = tail;
	h->ended = (word & OST_RING_CLOSED_) != 0;
	return 0;
}

/* 0 if there is something to read, reading the writer's index if need be. */
static inline int ost_ring_some_(ost_ring_reader_t *h)
{
	int err;

	if (h->closed)
		return EPIPE;
	if (h->next != h->tail)
		return 0;
	err = ost_ring_see_tail_(h);
	if (err)
		return err;
	if (h->next != h->tail)
		return 0;
	return h->ended ? ENODATA : EAGAIN;
}

/*
 * The record at h->next: what it takes in *size, its length in *n. A pad has
 * size and no length. The word in the ring is read once.
 */
static inline int ost_ring_parse_(ost_ring_reader_t *h, uint32_t *size,
				  uint32_t *n, int *pad)
{
	uint32_t at = h->next & (h->capacity - 1);
	uint32_t rest = h->capacity - at;
	uint32_t there = ost_ring_from_(h->tail, h->next);
	uint32_t length = __atomic_load_n((uint32_t *)(void *)(h->data + at),
					  __ATOMIC_RELAXED);

	*pad = (length & OST_RING_PAD_) != 0;
	*n = length & ~OST_RING_PAD_;
	if (*pad) {
		*size = rest;
		return at && *n == rest - OST_RING_FRAME_ && rest <= there
			       ? 0 : EBADMSG;
	}
	if (*n > ost_ring_longest_(h->capacity))
		return EBADMSG;
	*size = ost_ring_framed_(*n);
	return *size <= rest && *size <= there ? 0 : EBADMSG;
}

/* The next record, without moving over it; over a pad it moves. */
static inline int ost_ring_peek_(ost_ring_reader_t *h, uint32_t *size,
				 uint32_t *n)
{
	int err, pad;

	do {
		err = ost_ring_some_(h);
		if (!err)
			err = ost_ring_parse_(h, size, n, &pad);
		if (err)
			return err;
		if (pad)
			h->next = (h->next + *size) & OST_RING_INDEX_;
	} while (pad); /* twice at most: the next record is at the beginning */
	return 0;
}

/*
 * ost_ring_next - the next record: *n bytes at *p
 *
 * The record is the caller's until ost_ring_release, which returns all that
 * were taken since the last one. Its contents are what the writer's process
 * makes of them, at any time: copy first, then check.
 *
 * Returns 0; EAGAIN if there is none; ENODATA if there is none and the writer
 * has closed; EBADMSG if the writer's index or the record is corrupt; EPIPE if
 * this side has closed; EINVAL for a ring of bytes. Never blocks.
 * Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_next(ost_ring_reader_t *h, void **p, size_t *n)
{
	uint32_t size, length;
	int err;

	if (!(h->attr & OST_RING_RECORDS))
		return EINVAL;
	err = ost_ring_peek_(h, &size, &length);
	if (err)
		return err;
	*p = h->data + (h->next & (h->capacity - 1)) + OST_RING_FRAME_;
	*n = length;
	h->next = (h->next + size) & OST_RING_INDEX_;
	return 0;
}

/*
 * ost_ring_release - return to the writer what has been taken
 *
 * Wakes the writer if it waits for room. Never blocks. Async-signal-safe; for
 * real-time threads.
 */
static inline void ost_ring_release(ost_ring_reader_t *h)
{
	if (h->closed || h->next == h->head)
		return;
	h->head = h->next;
	ost_ring_store_(&h->ring->head, h->head);
	ost_ring_bell_(&h->ring->writer_sleeps, &h->ring->head, h->head,
		       h->attr);
}

/*
 * ost_ring_data - all bytes that are readable, in two pieces
 *
 * For a ring of bytes. They stay until ost_ring_consume.
 *
 * Returns 0, and at least one byte; otherwise as ost_ring_next. Never blocks.
 * Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_data(ost_ring_reader_t *h, ost_ring_span_t s[2])
{
	int err;

	if (h->attr & OST_RING_RECORDS)
		return EINVAL;
	if (h->closed)
		return EPIPE;
	err = ost_ring_see_tail_(h);
	if (!err)
		err = ost_ring_some_(h);
	if (!err)
		ost_ring_pieces_(h->data, h->capacity, h->next,
				 ost_ring_from_(h->tail, h->next), s);
	return err;
}

/*
 * ost_ring_consume - return the first n readable bytes to the writer
 *
 * Returns 0, or EINVAL for a ring of records, or if the last ost_ring_data was
 * smaller. Never blocks. Async-signal-safe; for real-time threads.
 */
static inline int ost_ring_consume(ost_ring_reader_t *h, size_t n)
{
	if (h->attr & OST_RING_RECORDS ||
	    n > ost_ring_from_(h->tail, h->next))
		return EINVAL;
	h->next = (h->next + (uint32_t)n) & OST_RING_INDEX_;
	ost_ring_release(h);
	return 0;
}

/*
 * ost_ring_tryread - copy one record, or up to n bytes, and release
 *
 * *done is how many bytes were copied.
 *
 * Returns 0; EMSGSIZE if the record is longer than n, and is then still the
 * next one; otherwise as ost_ring_next. Never blocks. Async-signal-safe; for
 * real-time threads.
 */
static inline int ost_ring_tryread(ost_ring_reader_t *h, void *to, size_t n,
				   size_t *done)
{
	ost_ring_span_t s[2];
	uint8_t *b = (uint8_t *)to;
	uint32_t size, length, first, second;
	int err;

	*done = 0;
	if (h->attr & OST_RING_RECORDS) {
		err = ost_ring_peek_(h, &size, &length);
		if (err)
			return err;
		if (length > n)
			return EMSGSIZE;
		if (length)
			memcpy(b, h->data + (h->next & (h->capacity - 1)) +
				  OST_RING_FRAME_, length);
		h->next = (h->next + size) & OST_RING_INDEX_;
		ost_ring_release(h);
		*done = length;
		return 0;
	}
	if (!n)
		return h->closed ? EPIPE : 0;
	err = ost_ring_data(h, s);
	if (err)
		return err;
	first = n < s[0].n ? (uint32_t)n : s[0].n;
	second = n - first < s[1].n ? (uint32_t)(n - first) : s[1].n;
	memcpy(b, s[0].p, first);
	if (second)
		memcpy(b + first, s[1].p, second);
	*done = (size_t)first + second;
	return ost_ring_consume(h, *done);
}

/* Waiting and closing, for a side that may block. */

/*
 * Sleeps on the other side's index while it is seen, or until l has ended.
 * Returns what ost_wait_on_ does.
 */
static inline int ost_ring_sleep_(uint32_t *sleeps, uint32_t *index,
				  uint32_t seen, ost_limit_ *l)
{
	ost_ring_store_(sleeps, seen | OST_RING_SLEEPING_);
	return ost_wait_on_(index, seen, l);
}

static inline int ost_ring_await_data_(ost_ring_reader_t *h,
				       ost_limit_ *l)
{
	uint32_t *sleeps = &h->ring->reader_sleeps;
	int i, err, late = 0;

	for (i = 0; (err = ost_ring_some_(h)) == EAGAIN &&
		    i < OST_RING_SPINS_; i++)
		ost_pause_();
	if (err != EAGAIN)
		return err;
	while (err == EAGAIN && !late) {
		late = ost_ring_sleep_(sleeps, &h->ring->tail, h->tail, l);
		err = ost_ring_some_(h);
	}
	ost_ring_store_(sleeps, 0);
	return err == EAGAIN ? late : err;
}

static inline int ost_ring_await_room_(ost_ring_writer_t *w, uint32_t n,
				       ost_limit_ *l)
{
	uint32_t *sleeps = &w->ring->writer_sleeps;
	int i, err, late = 0;

	for (i = 0; (err = ost_ring_need_(w, n)) == EAGAIN &&
		    i < OST_RING_SPINS_; i++)
		ost_pause_();
	if (err != EAGAIN)
		return err;
	while (err == EAGAIN && !late) {
		late = ost_ring_sleep_(sleeps, &w->ring->head, w->head, l);
		err = ost_ring_need_(w, n);
	}
	ost_ring_store_(sleeps, 0);
	return err == EAGAIN ? late : err;
}

/*
 * ost_ring_wait - wait until there is something to read
 *
 * Returns 0; ENODATA if there is nothing and the writer has closed; EBADMSG if
 * the writer's index is corrupt; EPIPE if this side has closed. May sleep: not
 * async-signal-safe, not for real-time threads.
 */
static inline int ost_ring_wait(ost_ring_reader_t *h)
{
	ost_limit_ l;

	ost_limit_init_(&l, h->attr & OST_PSHARED, CLOCK_MONOTONIC, 0);
	return ost_ring_await_data_(h, &l);
}

/*
 * ost_ring_clockwait - ost_ring_wait until deadline on clock, at most
 *
 * clock is CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME. Returns ETIMEDOUT
 * once it has passed and there is nothing; EINVAL for another clock, or a
 * deadline whose tv_nsec is not in 0 to 999999999; otherwise as ost_ring_wait.
 */
static inline int ost_ring_clockwait(ost_ring_reader_t *h, clockid_t clock,
				     const struct timespec *deadline)
{
	ost_limit_ l;
	int err = ost_limit_init_(&l, h->attr & OST_PSHARED, clock, deadline);

	return err ? err : ost_ring_await_data_(h, &l);
}

/*
 * ost_ring_timedwait - ost_ring_clockwait on CLOCK_MONOTONIC
 */
static inline int ost_ring_timedwait(ost_ring_reader_t *h,
				     const struct timespec *deadline)
{
	return ost_ring_clockwait(h, CLOCK_MONOTONIC, deadline);
}

/* The room that n bytes of payload take, in *room. */
static inline int ost_ring_takes_(ost_ring_writer_t *w, size_t n,
				  uint32_t *room)
{
	uint32_t rest, size;

	if (n > ost_ring_max(w))
		return EMSGSIZE;
	*room = (uint32_t)n;
	if (!(w->attr & OST_RING_RECORDS))
		return 0;
	size = ost_ring_framed_((uint32_t)n);
	rest = w->capacity - (w->next & (w->capacity - 1));
	*room = rest < size ? rest + size : size;
	return 0;
}

/*
 * ost_ring_waitroom - wait until there is room for a record of n bytes, or n
 * bytes
 *
 * What is reserved and not committed counts as taken, so commit first.
 *
 * Returns 0; EMSGSIZE if n is more than ost_ring_max; EPIPE if either side has
 * closed; EBADMSG if the reader's index is corrupt. May sleep: not
 * async-signal-safe, not for real-time threads.
 */
static inline int ost_ring_waitroom(ost_ring_writer_t *w, size_t n)
{
	ost_limit_ l;
	uint32_t room = 0;
	int err = ost_ring_takes_(w, n, &room);

	if (err)
		return err;
	ost_limit_init_(&l, w->attr & OST_PSHARED, CLOCK_MONOTONIC, 0);
	return ost_ring_await_room_(w, room, &l);
}

/*
 * ost_ring_clockwaitroom - ost_ring_waitroom until deadline on clock, at most
 *
 * Returns ETIMEDOUT, or EINVAL, as ost_ring_clockwait; otherwise as
 * ost_ring_waitroom.
 */
static inline int ost_ring_clockwaitroom(ost_ring_writer_t *w, size_t n,
					 clockid_t clock,
					 const struct timespec *deadline)
{
	ost_limit_ l;
	uint32_t room = 0;
	int err = ost_limit_init_(&l, w->attr & OST_PSHARED, clock, deadline);

	if (!err)
		err = ost_ring_takes_(w, n, &room);
	return err ? err : ost_ring_await_room_(w, room, &l);
}

/*
 * ost_ring_timedwaitroom - ost_ring_clockwaitroom on CLOCK_MONOTONIC
 */
static inline int ost_ring_timedwaitroom(ost_ring_writer_t *w, size_t n,
					 const struct timespec *deadline)
{
	return ost_ring_clockwaitroom(w, n, CLOCK_MONOTONIC, deadline);
}

/*
 * ost_ring_writer_close - close the writer's side, for good
 *
 * What was reserved and not committed is dropped; the reader gets the rest,
 * then ENODATA.
 *
 * Returns 0, or EPIPE if this side has closed. Never blocks. Async-signal-safe;
 * for real-time threads.
 */
static inline int ost_ring_writer_close(ost_ring_writer_t *w)
{
	if (w->closed)
		return EPIPE;
	w->closed = 1;
	w->next = w->tail;
	ost_ring_store_(&w->ring->tail, w->tail | OST_RING_CLOSED_);
	ost_ring_last_bell_(&w->ring->reader_sleeps, &w->ring->tail, w->attr);
	return 0;
}

/*
 * ost_ring_reader_close - close the reader's side, for good
 *
 * The writer's calls fail with EPIPE then, from the second one on at the
 * latest.
 *
 * Returns 0, or EPIPE if this side has closed. Never blocks. Async-signal-safe;
 * for real-time threads.
 */
static inline int ost_ring_reader_close(ost_ring_reader_t *h)
{
	if (h->closed)
		return EPIPE;
	h->closed = 1;
	h->next = h->head;
	ost_ring_store_(&h->ring->head, h->head | OST_RING_CLOSED_);
	/* Has the next commit read head. */
	ost_ring_store_(&h->ring->reader_sleeps, OST_RING_LOOK_);
	ost_ring_last_bell_(&h->ring->writer_sleeps, &h->ring->head, h->attr);
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif
