//go:build cgo && linux

// Package ctest holds the C side of tests, which cannot be in the tests themselves: threads that C makes, C frames that fill a stack, C
// code that takes a Lock.
package ctest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1
#include "osthread.h"
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern void ctestCall(uintptr_t n);

static void *alien(void *p)
{
	ctestCall((uintptr_t)p);
	return NULL;
}

// aliens makes n threads that call Go n times each at once, and joins them.
static int aliens(int n)
{
	pthread_t *t = malloc(n * sizeof(*t));
	pthread_attr_t a;
	int i, made, err = 0;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 256 << 10);
	for (made = 0; made < n && !err; made++)
		err = pthread_create(&t[made], &a, alien, (void *)(uintptr_t)made);
	if (err)
		made--;
	for (i = 0; i < made; i++)
		pthread_join(t[i], NULL);
	pthread_attr_destroy(&a);
	free(t);
	return err;
}

// recurse uses bytes of stack, in frames of 4 KiB that it writes to.
__attribute__((noinline)) static long recurse(long bytes)
{
	volatile char frame[4096];

	memset((char *)frame, (int)bytes, sizeof(frame));
	if (bytes <= (long)sizeof(frame))
		return frame[0];
	return recurse(bytes - (long)sizeof(frame)) + frame[sizeof(frame) - 1];
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
	long *counter;
	long times;
	int timed;
};

static void *add(void *p)
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
	return NULL;
}

// add_under makes n threads that add to the counter under m, and joins them. Every other one locks with deadlines.
static void add_under(ost_mutex_t *m, long *counter, int n, long times)
{
	pthread_t *t = malloc(n * sizeof(*t));
	struct job plain = { m, counter, times, 0 }, timed = { m, counter, times, 1 };
	int i;

	for (i = 0; i < n; i++)
		pthread_create(&t[i], NULL, add, i % 2 ? &timed : &plain);
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	free(t);
}

static void exit_thread(void)
{
	pthread_exit(NULL);
}

// The C names of the lock, one by one, for a table of tests.
static int m_lock(void *m) { return ost_mutex_lock(m); }
static int m_trylock(void *m) { return ost_mutex_trylock(m); }
static int m_unlock(void *m) { return ost_mutex_unlock(m); }
static int m_timedlock(void *m, long sec, long nsec)
{
	struct timespec t = { sec, nsec };
	return ost_mutex_timedlock(m, &t);
}

static int m_lock_for(void *m, long ns)
{
	struct timespec end = from_now(ns);
	return ost_mutex_timedlock(m, &end);
}

// count_values returns how many keys have a value in the calling thread.
static void *count_values(void *unused)
{
	pthread_key_t k;
	uintptr_t n = 0;

	for (k = 0; k < PTHREAD_KEYS_MAX; k++)
		n += pthread_getspecific(k) != NULL;
	return (void *)n;
}

// values_of_new makes a thread and returns how many keys have a value there, -1 if it fails.
static long values_of_new(void)
{
	pthread_t t;
	void *n;

	if (pthread_create(&t, NULL, count_values, NULL) || pthread_join(t, &n))
		return -1;
	return (long)(uintptr_t)n;
}

static int use_keys(int n)
{
	pthread_key_t k;
	int i;

	for (i = 0; i < n && pthread_key_create(&k, NULL) == 0; i++)
		;
	return i;
}
*/
import "C"

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var call atomic.Pointer[func(n int)]

//export ctestCall
func ctestCall(n C.uintptr_t) { (*call.Load())(int(n)) }

// Aliens runs f on n threads that C makes, at once, each with its number, and waits for them. One call at a time.
func Aliens(n int, f func(n int)) error {
	call.Store(&f)
	if errno := C.aliens(C.int(n)); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// Back calls f by way of C.
func Back(f func(n int)) {
	call.Store(&f)
	C.alien(nil)
}

// Recurse uses that many bytes of the thread's stack.
func Recurse(bytes int) { C.recurse(C.long(bytes)) }

// AddUnder adds 1 to counter, times over on each of n threads of C, under m, which is the word of a Lock. Both must be C memory.
func AddUnder(m unsafe.Pointer, counter *int64, n, times int) {
	C.add_under((*C.ost_mutex_t)(m), (*C.long)(unsafe.Pointer(counter)), C.int(n), C.long(times))
}

// PthreadExit ends the calling thread by pthread_exit.
func PthreadExit() { C.exit_thread() }

// ValuesOfNew makes a thread of C, and returns how many keys of pthread have a value there when it begins, -1 if it fails. The keys are taken for
// numbers from 0, which they are on Linux.
func ValuesOfNew() int { return int(C.values_of_new()) }

// Malloc returns n zeroed bytes of C memory.
func Malloc(n int) unsafe.Pointer { return C.calloc(1, C.size_t(n)) }

// Free frees what Malloc returned.
func Free(p unsafe.Pointer) { C.free(p) }

// Lock, TryLock, TimedLock and Unlock are the functions of osthread.h on the word m, with the errno they return.
func Lock(m unsafe.Pointer) syscall.Errno    { return syscall.Errno(C.m_lock(m)) }
func TryLock(m unsafe.Pointer) syscall.Errno { return syscall.Errno(C.m_trylock(m)) }
func Unlock(m unsafe.Pointer) syscall.Errno  { return syscall.Errno(C.m_unlock(m)) }
func TimedLock(m unsafe.Pointer, sec, nsec int) syscall.Errno {
	return syscall.Errno(C.m_timedlock(m, C.long(sec), C.long(nsec)))
}

// LockFor is ost_mutex_timedlock with a deadline at d from now, at most 2 s where C's long has 32 bits.
func LockFor(m unsafe.Pointer, d time.Duration) syscall.Errno {
	return syscall.Errno(C.m_lock_for(m, C.long(d)))
}

// UseKeys makes up to n keys of pthread and returns how many there were left.
func UseKeys(n int) int { return int(C.use_keys(C.int(n))) }
