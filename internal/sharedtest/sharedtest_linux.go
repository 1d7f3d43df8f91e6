//go:build cgo && !android

// Package sharedtest holds the C side of the tests of package shared: the
// functions of csrc's headers one by one, and processes that C code runs until
// they are killed.
package sharedtest

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE -O1 -Wall -Wextra -Werror
#include "ost_barrier.h"
#include "ost_event.h"
#include "ost_pmutex.h"
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
*/
import "C"

import (
	"syscall"
	"unsafe"
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
