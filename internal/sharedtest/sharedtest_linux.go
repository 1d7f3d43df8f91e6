//go:build cgo && !android

// Package sharedtest holds the C side of the tests of package shared: the
// functions of csrc's headers one by one, and processes that C code runs until
// they are killed.
package sharedtest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1 -Wall -Wextra -Werror
#include "ost_barrier.h"
#include "ost_cond.h"
#include "ost_event.h"
#include "ost_pmutex.h"
#include "ost_once.h"
#include "ost_rwlock.h"
#include "ost_sem.h"
#include "hammer.h"
#include <stdlib.h>

static int sem_init_(void *p, unsigned value, unsigned flags) { return ost_sem_init(p, value, flags); }
static int sem_wait_(void *p) { return ost_sem_wait(p); }
static int sem_trywait_(void *p) { return ost_sem_trywait(p); }
static int sem_post_(void *p) { return ost_sem_post(p); }
static int sem_getvalue_(void *p, unsigned *value) { return ost_sem_getvalue(p, value); }
static int sem_clockwait_(void *p, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	return ost_sem_clockwait(p, clock, &t);
}

static int event_init_(void *p, unsigned flags) { return ost_event_init(p, flags); }
static int event_set_(void *p) { return ost_event_set(p); }
static int event_clear_(void *p) { return ost_event_clear(p); }
static int event_is_set_(void *p, int *set) { return ost_event_is_set(p, set); }
static int event_wait_(void *p) { return ost_event_wait(p); }
static int event_trywait_(void *p) { return ost_event_trywait(p); }
static int event_clockwait_(void *p, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	return ost_event_clockwait(p, clock, &t);
}

static int barrier_init_(void *p, unsigned parties, unsigned flags) { return ost_barrier_init(p, parties, flags); }
static int barrier_wait_(void *p) { return ost_barrier_wait(p); }
static int barrier_clockwait_(void *p, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	return ost_barrier_clockwait(p, clock, &t);
}

static int cond_init_(void *p, unsigned flags) { return ost_cond_init(p, flags); }
static int cond_wait_(void *p, void *m) { return ost_cond_wait(p, m); }
static int cond_signal_(void *p) { return ost_cond_signal(p); }
static int cond_broadcast_(void *p) { return ost_cond_broadcast(p); }
static int cond_clockwait_(void *p, void *m, int plain, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	if (plain)
		return ost_cond_clockwait_plain(p, m, clock, &t);
	return ost_cond_clockwait(p, m, clock, &t);
}

// consume takes n tokens under m, and waits for them on c. It returns an error.
static int consume(void *c, void *m, uint32_t *tokens, int n)
{
	int err = 0;

	while (n-- > 0 && !err) {
		err = ost_pmutex_lock(m);
		while (!err && !*tokens)
			err = ost_cond_wait(c, m);
		if (err == EOWNERDEAD) {
			err = ost_pmutex_consistent(m);
			ost_cond_broadcast(c);
			if (!*tokens)
				n++;
			else
				--*tokens;
			ost_pmutex_unlock(m);
			continue;
		}
		if (err)
			return err;
		--*tokens;
		err = ost_pmutex_unlock(m);
	}
	return err;
}

// consume_plain is consume with an ost_mutex_t.
static int consume_plain(void *c, void *m, uint32_t *tokens, int n)
{
	while (n-- > 0) {
		ost_mutex_lock(m);
		while (!*tokens) {
			int err = ost_cond_wait_plain(c, m);
			if (err)
				return err;
		}
		--*tokens;
		ost_mutex_unlock(m);
	}
	return 0;
}

static int once_init_(void *p, unsigned flags) { return ost_once_init(p, flags); }
static int once_begin_(void *p) { return ost_once_begin(p); }
static int once_end_(void *p, int done) { return ost_once_end(p, done); }
static void *once_self;
static int once_result;
static int once_calls;
static void once_again(void)
{
	once_calls++;
	once_result = ost_once(once_self, once_again);
}
static int once_recursive(void *p, int *inner, int *calls)
{
	int err;

	once_self = p;
	once_calls = 0;
	err = ost_once(p, once_again);
	*inner = once_result;
	*calls = once_calls;
	return err;
}

static int rw_init_(void *p, unsigned flags) { return ost_rwlock_init(p, flags); }
static int rw_rdlock_(void *p) { return ost_rwlock_rdlock(p); }
static int rw_tryrdlock_(void *p) { return ost_rwlock_tryrdlock(p); }
static int rw_rdunlock_(void *p) { return ost_rwlock_rdunlock(p); }
static int rw_wrlock_(void *p) { return ost_rwlock_wrlock(p); }
static int rw_trywrlock_(void *p) { return ost_rwlock_trywrlock(p); }
static int rw_wrunlock_(void *p) { return ost_rwlock_wrunlock(p); }
static int rw_unlock_(void *p) { return ost_rwlock_unlock(p); }
static int rw_consistent_(void *p) { return ost_rwlock_consistent(p); }
static int rw_clock_(void *p, int writer, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	if (writer)
		return ost_rwlock_clockwrlock(p, clock, &t);
	return ost_rwlock_clockrdlock(p, clock, &t);
}
*/
import "C"

import (
	"syscall"
	"unsafe"

	_ "example.com/thread/csrc" // is rebuilt if a header changes
)

// The flags of C's functions init.
const (
	Shared = C.OST_PSHARED
	Auto   = C.OST_EVENT_AUTO
	Serial = syscall.Errno(^uintptr(0)) // C's OST_BARRIER_SERIAL
)

// A Deadline is an absolute time of a clock by its number.
type Deadline struct {
	Clock     int
	Sec, Nsec int64
}

// Malloc returns n zeroed bytes of C memory.
func Malloc(n int) unsafe.Pointer { return C.calloc(1, C.size_t(n)) }

// Free frees what Malloc returned.
func Free(p unsafe.Pointer) { C.free(p) }

func errno(n C.int) syscall.Errno { return syscall.Errno(n) }

func SemInit(p unsafe.Pointer, value, flags uint32) syscall.Errno {
	return errno(C.sem_init_(p, C.uint(value), C.uint(flags)))
}
func SemWait(p unsafe.Pointer) syscall.Errno    { return errno(C.sem_wait_(p)) }
func SemTryWait(p unsafe.Pointer) syscall.Errno { return errno(C.sem_trywait_(p)) }
func SemPost(p unsafe.Pointer) syscall.Errno    { return errno(C.sem_post_(p)) }

func SemValue(p unsafe.Pointer) (uint32, syscall.Errno) {
	var value C.uint
	err := errno(C.sem_getvalue_(p, &value))
	return uint32(value), err
}

func SemClockWait(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.sem_clockwait_(p, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

func EventInit(p unsafe.Pointer, flags uint32) syscall.Errno {
	return errno(C.event_init_(p, C.uint(flags)))
}
func EventSet(p unsafe.Pointer) syscall.Errno     { return errno(C.event_set_(p)) }
func EventClear(p unsafe.Pointer) syscall.Errno   { return errno(C.event_clear_(p)) }
func EventWait(p unsafe.Pointer) syscall.Errno    { return errno(C.event_wait_(p)) }
func EventTryWait(p unsafe.Pointer) syscall.Errno { return errno(C.event_trywait_(p)) }

func EventIsSet(p unsafe.Pointer) (bool, syscall.Errno) {
	var set C.int
	err := errno(C.event_is_set_(p, &set))
	return set != 0, err
}

func EventClockWait(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.event_clockwait_(p, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

func BarrierInit(p unsafe.Pointer, parties, flags uint32) syscall.Errno {
	return errno(C.barrier_init_(p, C.uint(parties), C.uint(flags)))
}

// BarrierWait returns Serial to one party.
func BarrierWait(p unsafe.Pointer) syscall.Errno { return errno(C.barrier_wait_(p)) }

func BarrierClockWait(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.barrier_clockwait_(p, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

// Hammer makes a process that is a copy of this one with one thread, and that
// uses the object of that kind in mem, by C code at random, until it is killed.
// It counts in the word at ready what it has done. Hammer returns its id.
func Hammer(kind int, mem unsafe.Pointer, ready *uint32, seed uint32) (pid int, err error) {
	n, err := C.hammer_fork(C.int(kind), mem, (*C.uint32_t)(unsafe.Pointer(ready)), C.uint(seed))
	if n < 0 {
		return 0, err
	}
	return int(n), nil
}

// HammerHere is Hammer in the calling thread, times over.
func HammerHere(kind int, mem unsafe.Pointer, times int, seed uint32) {
	C.hammer_here(C.int(kind), mem, C.int(times), C.uint(seed))
}

func CondInit(p unsafe.Pointer, flags uint32) syscall.Errno {
	return errno(C.cond_init_(p, C.uint(flags)))
}
func CondWait(p, m unsafe.Pointer) syscall.Errno   { return errno(C.cond_wait_(p, m)) }
func CondSignal(p unsafe.Pointer) syscall.Errno    { return errno(C.cond_signal_(p)) }
func CondBroadcast(p unsafe.Pointer) syscall.Errno { return errno(C.cond_broadcast_(p)) }

func CondClockWait(p, m unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.cond_clockwait_(p, m, 0, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

// CondClockWaitPlain is CondClockWait with an ost_mutex_t.
func CondClockWaitPlain(p, m unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.cond_clockwait_(p, m, 1, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

// Consume takes n tokens under the mutex m, and waits for them on the condition
// c.
func Consume(c, m unsafe.Pointer, tokens *uint32, n int) syscall.Errno {
	return errno(C.consume(c, m, (*C.uint32_t)(unsafe.Pointer(tokens)), C.int(n)))
}

// ConsumePlain is Consume with an ost_mutex_t.
func ConsumePlain(c, m unsafe.Pointer, tokens *uint32, n int) syscall.Errno {
	return errno(C.consume_plain(c, m, (*C.uint32_t)(unsafe.Pointer(tokens)), C.int(n)))
}

func OnceInit(p unsafe.Pointer, flags uint32) syscall.Errno {
	return errno(C.once_init_(p, C.uint(flags)))
}
func OnceBegin(p unsafe.Pointer) syscall.Errno { return errno(C.once_begin_(p)) }
func OnceEnd(p unsafe.Pointer, done int) syscall.Errno {
	return errno(C.once_end_(p, C.int(done)))
}

// OnceRecursive calls a function by p that does the same, and returns also the
// inner result and the number of calls.
func OnceRecursive(p unsafe.Pointer) (err, inner syscall.Errno, calls int) {
	var in, n C.int
	err = errno(C.once_recursive(p, &in, &n))
	return err, errno(in), int(n)
}

func RWInit(p unsafe.Pointer, flags uint32) syscall.Errno { return errno(C.rw_init_(p, C.uint(flags))) }
func RWRdLock(p unsafe.Pointer) syscall.Errno             { return errno(C.rw_rdlock_(p)) }
func RWTryRdLock(p unsafe.Pointer) syscall.Errno          { return errno(C.rw_tryrdlock_(p)) }
func RWRdUnlock(p unsafe.Pointer) syscall.Errno           { return errno(C.rw_rdunlock_(p)) }
func RWWrLock(p unsafe.Pointer) syscall.Errno             { return errno(C.rw_wrlock_(p)) }
func RWTryWrLock(p unsafe.Pointer) syscall.Errno          { return errno(C.rw_trywrlock_(p)) }
func RWWrUnlock(p unsafe.Pointer) syscall.Errno           { return errno(C.rw_wrunlock_(p)) }
func RWUnlock(p unsafe.Pointer) syscall.Errno             { return errno(C.rw_unlock_(p)) }
func RWConsistent(p unsafe.Pointer) syscall.Errno         { return errno(C.rw_consistent_(p)) }

func RWClockRdLock(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.rw_clock_(p, 0, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

func RWClockWrLock(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.rw_clock_(p, 1, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}
