//go:build cgo

package ctest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1
#include "ost_ring.h"
#include "ost_segment.h"
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// Record i of a test: its number, then bytes that follow from it.
static size_t ring_length(uint64_t i)
{
	return 8 + i % 57;
}

static void ring_fill(uint8_t *p, size_t n, uint64_t i)
{
	size_t k;

	memcpy(p, &i, 8);
	for (k = 8; k < n; k++)
		p[k] = (uint8_t)(i + k);
}

static int ring_right(const uint8_t *p, size_t n, uint64_t i)
{
	uint64_t is;
	size_t k;

	if (n != ring_length(i))
		return 0;
	memcpy(&is, p, 8);
	for (k = 8; k < n; k++)
		if (p[k] != (uint8_t)(i + k))
			return 0;
	return is == i;
}

// Writes the records from to, waiting for room; keep leaves the ring open.
static int ring_produce(void *mem, size_t size, uint64_t from, uint64_t to, int keep)
{
	ost_ring_writer_t w;
	uint64_t i = from, batch;
	void *p;
	int err = ost_ring_writer(&w, (ost_ring_t *)mem, size);

	while (!err && i < to) {
		for (batch = 1 + i % 7; batch && i < to; batch--, i++) {
			err = ost_ring_reserve(&w, ring_length(i), &p);
			if (err)
				break;
			ring_fill((uint8_t *)p, ring_length(i), i);
		}
		if (err && err != EAGAIN)
			return err;
		err = ost_ring_commit(&w);
		if (!err)
			err = ost_ring_waitroom(&w, ring_length(i));
	}
	if (!err && !keep)
		err = ost_ring_writer_close(&w);
	return err;
}

// Consumes records from the number from, until the writer closes, and returns
// EILSEQ if one is wrong; then *next is its number.
static int ring_consume(void *mem, size_t size, uint64_t from, uint64_t *next)
{
	ost_ring_reader_t r;
	void *p;
	size_t n;
	int err = ost_ring_reader(&r, (ost_ring_t *)mem, size);

	*next = from;
	while (!err) {
		while (!(err = ost_ring_next(&r, &p, &n))) {
			if (!ring_right((uint8_t *)p, n, *next))
				return EILSEQ;
			++*next;
		}
		ost_ring_release(&r);
		if (err == EAGAIN)
			err = ost_ring_wait(&r);
	}
	return err == ENODATA ? 0 : err;
}

// Byte k of a ring of bytes is k % 251.
static int ring_produce_bytes(void *mem, size_t size, uint64_t total)
{
	ost_ring_writer_t w;
	uint8_t buf[300];
	uint64_t k = 0;
	size_t n, j, done = 0;
	int err = ost_ring_writer(&w, (ost_ring_t *)mem, size);

	while (!err && k < total) {
		n = 1 + k % sizeof(buf);
		if (n > total - k)
			n = (size_t)(total - k);
		for (j = 0; j < n; j++)
			buf[j] = (uint8_t)((k + j) % 251);
		err = ost_ring_waitroom(&w, 1);
		if (!err)
			err = ost_ring_trywrite(&w, buf, n, &done);
		k += done;
	}
	return err ? err : ost_ring_writer_close(&w);
}

static int ring_consume_bytes(void *mem, size_t size, uint64_t *got)
{
	ost_ring_reader_t r;
	uint8_t buf[200];
	size_t n, j;
	int err = ost_ring_reader(&r, (ost_ring_t *)mem, size);

	*got = 0;
	while (!err) {
		err = ost_ring_wait(&r);
		if (!err)
			err = ost_ring_tryread(&r, buf, 1 + *got % sizeof(buf), &n);
		for (j = 0; !err && j < n; j++)
			if (buf[j] != (uint8_t)((*got + j) % 251))
				return EILSEQ;
		if (!err)
			*got += n;
	}
	return err == ENODATA ? 0 : err;
}

// Uses both ends of a ring that another process mutates. What the calls return
// does not matter, except that they do, within the memory.
static uint32_t ring_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

// What lies behind the ring must not be touched, which asan sees.
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n)	ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n)	ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)	((void)(p), (void)(n))
#define UNPOISON(p, n)	((void)(p), (void)(n))
#endif

static void ring_abuse(void *mem, size_t size, size_t behind,
		       uint32_t *stop, uint32_t *calls, uint32_t seed)
{
	ost_ring_t *ring = (ost_ring_t *)mem;
	ost_ring_writer_t w;
	ost_ring_reader_t r;
	ost_ring_span_t s[2];
	uint8_t *buf = (uint8_t *)malloc(size);
	struct timespec end;
	size_t n;
	void *p;
	int err;

	memset(buf, 0, size);
	POISON((uint8_t *)mem + size, behind);
	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_nsec += 50000;
		if (end.tv_nsec > 999999999) {
			end.tv_sec++;
			end.tv_nsec -= 1000000000;
		}
		if (seed & 1 && !ost_ring_writer(&w, ring, size)) {
			for (n = 0; n < 8; n++) {
				size_t length = ring_random(&seed) % 300;

				if (!ost_ring_reserve(&w, length, &p))
					memset(p, 1, length);
				if (!ost_ring_room(&w, s)) {
					memset(s[0].p, 1, s[0].n);
					memset(s[1].p, 1, s[1].n);
					ost_ring_produce(&w, s[0].n / 2);
				}
				ost_ring_commit(&w);
				ost_ring_timedwaitroom(&w, ring_random(&seed) % 100, &end);
			}
			ost_ring_trywrite(&w, buf, ring_random(&seed) % size, &n);
			if (ring_random(&seed) % 16 == 0)
				ost_ring_writer_close(&w);
		}
		if (!ost_ring_reader(&r, ring, size)) {
			for (n = 0; n < 8; n++) {
				size_t length;

				err = ost_ring_next(&r, &p, &length);
				if (!err)
					memcpy(buf, p, length);
				if (!ost_ring_data(&r, s)) {
					memcpy(buf, s[0].p, s[0].n);
					memcpy(buf, s[1].p, s[1].n);
					ost_ring_consume(&r, s[0].n / 2);
				}
				ost_ring_release(&r);
				ost_ring_timedwait(&r, &end);
			}
			ost_ring_tryread(&r, buf, ring_random(&seed) % size, &n);
			if (ring_random(&seed) % 16 == 0)
				ost_ring_reader_close(&r);
		}
		ring_random(&seed);
		__atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST);
	}
	UNPOISON((uint8_t *)mem + size, behind);
	free(buf);
}

// Writes n records of 64 bytes as fast as the reader takes them, batch at a
// time.
static int ring_flood(void *mem, size_t size, uint64_t n, uint64_t batch)
{
	ost_ring_writer_t w;
	uint64_t i = 0, k;
	void *p;
	int err = ost_ring_writer(&w, (ost_ring_t *)mem, size);

	while (!err && i < n) {
		for (k = 0; k < batch && i < n; k++, i++) {
			err = ost_ring_reserve(&w, 64, &p);
			if (err)
				break;
			memset(p, 0, 64);
			memcpy(p, &i, 8);
		}
		if (err && err != EAGAIN)
			return err;
		err = ost_ring_commit(&w);
		if (!err)
			err = ost_ring_waitroom(&w, 64);
	}
	return err ? err : ost_ring_writer_close(&w);
}

static int64_t ring_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Writes n records of 64 bytes, one per us, with the time on CLOCK_MONOTONIC.
static int ring_stamp(void *mem, size_t size, uint64_t n)
{
	ost_ring_writer_t w;
	int64_t buf[8] = { 0 }, next = ring_now();
	size_t done;
	int err = ost_ring_writer(&w, (ost_ring_t *)mem, size);

	for (; !err && n; n--) {
		for (next += 1000; ring_now() < next;)
			ost_pause_();
		buf[0] = ring_now();
		err = ost_ring_trywrite(&w, buf, sizeof(buf), &done);
		if (err == EAGAIN) // the reader is late: a record less
			err = 0;
	}
	return err ? err : ost_ring_writer_close(&w);
}

// Writes back each record of 64 bytes, never asleep.
static int ring_echo(void *in, void *out, size_t size)
{
	ost_ring_reader_t r;
	ost_ring_writer_t w;
	uint8_t buf[64];
	size_t n;
	int err = ost_ring_reader(&r, (ost_ring_t *)in, size);

	if (!err)
		err = ost_ring_writer(&w, (ost_ring_t *)out, size);
	while (!err) {
		while ((err = ost_ring_tryread(&r, buf, sizeof(buf), &n)) == EAGAIN)
			ost_pause_();
		if (!err)
			err = ost_ring_trywrite(&w, buf, n, &n);
	}
	return err == ENODATA ? 0 : err;
}

// The child of fork has one thread, and calls only what a signal handler may.
static pid_t ring_fork(void *mem, size_t size, uint64_t from, int reads)
{
	uint64_t next;
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(reads ? ring_consume(mem, size, from, &next)
		    : ring_produce(mem, size, from, UINT64_MAX, 1));
}

static int segment_use(int fd, uint32_t version, int *wrong)
{
	ost_segment_t s, other;
	uint64_t *a;
	void *p;
	int passed, err = ost_segment_attach(&s, fd, version);

	if (err)
		return err;
	*wrong = 0;
	if (ost_segment_at(&s, 0, ost_segment_size(&s) + 1, 1, &p) != ERANGE)
		*wrong = 1;
	if (ost_segment_at(&s, ost_segment_size(&s), 1, 1, &p) != ERANGE)
		*wrong = 2;
	if (ost_segment_at(&s, 4, 8, 8, &p) != EINVAL)
		*wrong = 3;
	if (ost_segment_at(&s, 8, 8, 8, &p))
		*wrong = 4;
	a = (uint64_t *)p;
	if (!*wrong)
		*a += 1;
	if (ost_segment_pass(&s, &passed) || passed != fd)
		*wrong = 5;
	if (ost_segment_detach(&s) || ost_segment_detach(&s) != EINVAL)
		*wrong = 6;
	if (ost_segment_memfd(&other, "c", 100, 3) || !other.sealed ||
	    ost_segment_size(&other) != 100 || ost_segment_detach(&other))
		*wrong = 7;
	return 0;
}

static int segment_file(const char *path, int create, uint32_t version)
{
	ost_segment_t s;
	int err = create ? ost_segment_create(&s, path, 0600, 100, version)
			 : ost_segment_open(&s, path, version);

	return err ? err : ost_segment_detach(&s);
}

static int segment_shm(const char *name, int create, uint32_t version)
{
	ost_segment_t s;
	int err = create ? ost_segment_shm_create(&s, name, 0600, 100, version)
			 : ost_segment_shm_open(&s, name, version);

	return err ? err : ost_segment_detach(&s);
}
*/
import "C"

import (
	"syscall"
	"unsafe"

	_ "example.com/thread/csrc" // is rebuilt if a header changes
)

// RingProduce writes the records from the number from up to to, of 8 to 64
// bytes, into the ring in mem by csrc/ost_ring.h, waits for room, and closes.
func RingProduce(mem []byte, from, to uint64) error {
	p, n := address(mem)
	return orNil(C.ring_produce(p, n, C.uint64_t(from), C.uint64_t(to), 0))
}

// RingConsume reads records from the number from until the writer closes, and
// returns the number after the last one. The error is EILSEQ for a wrong one.
func RingConsume(mem []byte, from uint64) (uint64, error) {
	p, n := address(mem)
	var next C.uint64_t
	err := orNil(C.ring_consume(p, n, C.uint64_t(from), &next))
	return uint64(next), err
}

// RingProduceBytes writes total bytes, waits for room, and closes.
func RingProduceBytes(mem []byte, total uint64) error {
	p, n := address(mem)
	return orNil(C.ring_produce_bytes(p, n, C.uint64_t(total)))
}

// RingConsumeBytes reads bytes until the writer closes, and returns how many.
func RingConsumeBytes(mem []byte) (uint64, error) {
	p, n := address(mem)
	var got C.uint64_t
	err := orNil(C.ring_consume_bytes(p, n, &got))
	return uint64(got), err
}

// RingAbuse uses the ring in mem, which is mutated meanwhile, until *stop is
// not 0, and counts in calls. The behind bytes after mem must not be touched.
func RingAbuse(mem []byte, behind int, stop, calls *uint32, seed uint32) {
	p, n := address(mem)
	C.ring_abuse(p, n, C.size_t(behind), (*C.uint32_t)(unsafe.Pointer(stop)),
		(*C.uint32_t)(unsafe.Pointer(calls)), C.uint32_t(seed|1<<20))
}

// RingFlood writes n records of 64 bytes, batch by one commit, and closes.
func RingFlood(mem []byte, n, batch int) error {
	p, size := address(mem)
	return orNil(C.ring_flood(p, size, C.uint64_t(n), C.uint64_t(batch)))
}

// RingStamp writes n records of 64 bytes, one per us, that begin with the time
// on CLOCK_MONOTONIC in ns, and closes.
func RingStamp(mem []byte, n int) error {
	p, size := address(mem)
	return orNil(C.ring_stamp(p, size, C.uint64_t(n)))
}

// RingEcho writes the records of 64 bytes that it reads from in to out, and
// does not sleep, until in is closed.
func RingEcho(in, out []byte) error {
	p, size := address(in)
	q, _ := address(out)
	return orNil(C.ring_echo(p, q, size))
}

// RingFork makes a process without Go that writes records without end, or reads
// them, from the number from. It exits with an errno.
func RingFork(mem []byte, from uint64, reads bool) (pid int, err error) {
	p, n := address(mem)
	var r C.int
	if reads {
		r = 1
	}
	pid = int(C.ring_fork(p, n, C.uint64_t(from), r))
	if pid < 0 {
		return 0, syscall.EAGAIN
	}
	return pid, nil
}

// SegmentUse attaches the segment of the descriptor by csrc/ost_segment.h,
// checks its functions, adds 1 to the 8 bytes at 8, and detaches, which closes
// fd. wrong is the number of the check that failed.
func SegmentUse(fd int, version uint32) (wrong int, err error) {
	var w C.int
	err = orNil(C.segment_use(C.int(fd), C.uint32_t(version), &w))
	return int(w), err
}

// SegmentFile makes or opens a segment of 100 bytes in a file, and detaches it.
func SegmentFile(path string, create bool, version uint32) error {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	return orNil(C.segment_file(p, flag(create), C.uint32_t(version)))
}

// SegmentShm is SegmentFile for a name of shm_open.
func SegmentShm(name string, create bool, version uint32) error {
	p := C.CString(name)
	defer C.free(unsafe.Pointer(p))
	return orNil(C.segment_shm(p, flag(create), C.uint32_t(version)))
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func address(mem []byte) (unsafe.Pointer, C.size_t) {
	return unsafe.Pointer(unsafe.SliceData(mem)), C.size_t(len(mem))
}

func orNil(n C.int) error {
	if n == 0 {
		return nil
	}
	return syscall.Errno(n)
}
