//go:build cgo && (linux || windows)

// Package ctest holds the C side of tests, which cannot be in the tests
// themselves: threads that C makes, C frames that fill a stack, C code that
// takes a Lock.
package ctest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1
#cgo windows LDFLAGS: -Wl,-Bstatic -lpthread -Wl,-Bdynamic
#include "osthread.h"
#include "threads.h"
#include <stdlib.h>
#include <string.h>

extern void ctestCall(uintptr_t n);

static result THREAD_CALL alien(void *p)
{
	ctestCall((uintptr_t)p);
	return 0;
}

// aliens makes n threads that call Go n times each at once, and joins them.
static int aliens(int n)
{
	thread *t = malloc(n * sizeof(*t));
	int i, made, err = 0;

	for (made = 0; made < n && !err; made++)
		err = spawn(&t[made], alien, (void *)(uintptr_t)made, 256 << 10);
	if (err)
		made--;
	for (i = 0; i < made; i++)
		join(t[i]);
	free(t);
	return err;
}

// recurse uses bytes of stack, in frames of 4 KiB that it writes to. Each frame
// is known to the one below, so that the compiler makes no loop of it.
__attribute__((noinline)) static long recurse(long bytes, volatile char *above)
{
	volatile char frame[4096];

	memset((char *)frame, (int)bytes, sizeof(frame));
	if (above)
		above[0]++;
	if (bytes <= (long)sizeof(frame))
		return frame[0];
	return recurse(bytes - (long)sizeof(frame), frame) + frame[sizeof(frame) - 1];
}

// touch writes to each page of bytes of stack, in one frame, and returns the
// lowest address.
__attribute__((noinline)) static uintptr_t touch(long bytes)
{
	volatile char frame[bytes];
	volatile uintptr_t lowest;
	long at;

	for (at = bytes - 1; at > 0; at -= 4096)
		frame[at] = 1;
	frame[0] = 1;
	lowest = (uintptr_t)frame;
	return lowest;
}

static struct timespec from_now(long ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ns / 1000000000;
	t.tv_nsec += ns % 1000000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

struct job {
	ost_mutex_t *m;
	int64_t *counter;
	long times;
	int timed;
};

static result THREAD_CALL add(void *p)
{
	struct job *j = p;
	struct timespec end;
	long i;

	for (i = 0; i < j->times; i++) {
		if (j->timed) {
			end = from_now(1000);
			while (ost_mutex_timedlock(j->m, &end))
				;
		} else {
			ost_mutex_lock(j->m);
		}
		++*j->counter;
		ost_mutex_unlock(j->m);
	}
	return 0;
}

// add_under makes n threads that add to the counter under m, and joins them.
// Every other one locks with deadlines.
static void add_under(ost_mutex_t *m, int64_t *counter, int n, long times)
{
	thread *t = malloc(n * sizeof(*t));
	struct job plain = { m, counter, times, 0 }, timed = { m, counter, times, 1 };
	int i;

	for (i = 0; i < n; i++)
		spawn(&t[i], add, i % 2 ? &timed : &plain, 0);
	for (i = 0; i < n; i++)
		join(t[i]);
	free(t);
}

// The C names of the lock, one by one, for a table of tests.
static int m_lock(void *m) { return ost_mutex_lock(m); }
static int m_trylock(void *m) { return ost_mutex_trylock(m); }
static int m_unlock(void *m) { return ost_mutex_unlock(m); }
static int m_timedlock(void *m, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	return ost_mutex_timedlock(m, &t);
}

static int m_lock_for(void *m, long ns)
{
	struct timespec end = from_now(ns);
	return ost_mutex_timedlock(m, &end);
}
*/
import "C"

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	_ "example.com/thread/csrc" // is rebuilt if a header changes
)

var call atomic.Pointer[func(n int)]

//export ctestCall
func ctestCall(n C.uintptr_t) { (*call.Load())(int(n)) }

// Aliens runs f on n threads that C makes, at once, each with its number, and
// waits for them. One call at a time.
func Aliens(n int, f func(n int)) error {
	spare()
	call.Store(&f)
	if err := C.aliens(C.int(n)); err != 0 {
		return errno(err)
	}
	return nil
}

// Back calls f by way of C.
func Back(f func(n int)) {
	call.Store(&f)
	C.alien(nil)
}

// Touch writes to each page of that many bytes of the thread's stack, and
// returns the lowest address.
func Touch(bytes int) uintptr { return uintptr(C.touch(C.long(bytes))) }

// Recurse uses that many bytes of the thread's stack.
func Recurse(bytes int) { C.recurse(C.long(bytes), nil) }

// AddUnder adds 1 to counter, times over on each of n threads of C, under m,
// which is the word of a Lock. Both must be C memory.
func AddUnder(m unsafe.Pointer, counter *int64, n, times int) {
	C.add_under((*C.ost_mutex_t)(m), (*C.int64_t)(unsafe.Pointer(counter)), C.int(n), C.long(times))
}

// PthreadExit ends the calling thread by pthread_exit, or ExitThread.
func PthreadExit() { C.exit_thread() }

// Malloc returns n zeroed bytes of C memory.
func Malloc(n int) unsafe.Pointer { return C.calloc(1, C.size_t(n)) }

// Free frees what Malloc returned.
func Free(p unsafe.Pointer) { C.free(p) }

// Lock, TryLock, TimedLock and Unlock are the functions of osthread.h on the
// word m, with the errno they return.
func Lock(m unsafe.Pointer) syscall.Errno    { return errno(C.m_lock(m)) }
func TryLock(m unsafe.Pointer) syscall.Errno { return errno(C.m_trylock(m)) }
func Unlock(m unsafe.Pointer) syscall.Errno  { return errno(C.m_unlock(m)) }
func TimedLock(m unsafe.Pointer, sec, nsec int) syscall.Errno {
	return errno(C.m_timedlock(m, C.int64_t(sec), C.int64_t(nsec)))
}

// LockFor is ost_mutex_timedlock with a deadline at d from now, at most 2 s
// where C's long has 32 bits.
func LockFor(m unsafe.Pointer, d time.Duration) syscall.Errno {
	return errno(C.m_lock_for(m, C.long(d)))
}

// errno returns C's n as Go numbers it, which on Windows is otherwise.
func errno(n C.int) syscall.Errno {
	switch n {
	case C.EPERM:
		return syscall.EPERM
	case C.EBUSY:
		return syscall.EBUSY
	case C.EINVAL:
		return syscall.EINVAL
	case C.ETIMEDOUT:
		return syscall.ETIMEDOUT
	case C.EAGAIN:
		return syscall.EAGAIN
	default:
		return syscall.Errno(n)
	}
}

// UseKeys makes up to n keys of pthread, or all TLS and FLS indexes, and
// returns how many there were left.
func UseKeys(n int) int { return int(C.use_keys(C.int(n))) }
