//go:build cgo && !android

package sharedtest

/*
#include "ost_pmutex.h"
#include <signal.h>
#include <sys/prctl.h>

static struct timespec soon(long us)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += us * 1000;
	if (t.tv_nsec > 999999999) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

#include "mutex.h"

static int mutex_init(void *p, unsigned attr) { return ost_pmutex_init(p, attr); }
static int mutex_destroy(void *p) { return ost_pmutex_destroy(p); }
static int mutex_lock(void *p) { return ost_pmutex_lock(p); }
static int mutex_trylock(void *p) { return ost_pmutex_trylock(p); }
static int mutex_unlock(void *p) { return ost_pmutex_unlock(p); }
static int mutex_consistent(void *p) { return ost_pmutex_consistent(p); }
static int mutex_clocklock(void *p, int clock, int64_t sec, int64_t nsec)
{
	struct timespec t = { (time_t)sec, (long)nsec };
	return ost_pmutex_clocklock(p, clock, &t);
}
static uint64_t self(void) { return ost_self_(); }
*/
import "C"

import (
	"syscall"
	"time"
	"unsafe"
)

// The attributes of a mutex.
const (
	ErrorCheck = C.OST_MUTEX_ERRORCHECK
	Recursive  = C.OST_MUTEX_RECURSIVE
	Robust     = C.OST_ROBUST
	Inherit    = C.OST_INHERIT
	Protect    = C.OST_PROTECT
)

func MutexInit(p unsafe.Pointer, attr uint32) syscall.Errno {
	return errno(C.mutex_init(p, C.uint(attr)))
}
func MutexDestroy(p unsafe.Pointer) syscall.Errno    { return errno(C.mutex_destroy(p)) }
func MutexLock(p unsafe.Pointer) syscall.Errno       { return errno(C.mutex_lock(p)) }
func MutexTryLock(p unsafe.Pointer) syscall.Errno    { return errno(C.mutex_trylock(p)) }
func MutexUnlock(p unsafe.Pointer) syscall.Errno     { return errno(C.mutex_unlock(p)) }
func MutexConsistent(p unsafe.Pointer) syscall.Errno { return errno(C.mutex_consistent(p)) }

func MutexClockLock(p unsafe.Pointer, d Deadline) syscall.Errno {
	return errno(C.mutex_clocklock(p, C.int(d.Clock), C.int64_t(d.Sec), C.int64_t(d.Nsec)))
}

// MutexLockElsewhere and MutexUnlockElsewhere are the functions in a thread of
// their own, which ends.
func MutexLockElsewhere(p unsafe.Pointer) syscall.Errno { return errno(C.mutex_lock_elsewhere(p)) }

func MutexUnlockElsewhere(p unsafe.Pointer) syscall.Errno { return errno(C.mutex_unlock_elsewhere(p)) }

// MutexAdd adds 1 to counter, times over on each of n threads of C, at most 16.
func MutexAdd(p unsafe.Pointer, counter *int64, n, times int) {
	C.mutex_add(p, (*C.int64_t)(unsafe.Pointer(counter)), C.int(n), C.long(times))
}

// MutexLockAndExec makes a process that locks p, in a thread that ends or in
// its only one, stores 1 to locked, and becomes sleep(1). It returns its id.
func MutexLockAndExec(p unsafe.Pointer, inThread bool, locked *uint32) (pid int, err error) {
	var thread C.int
	if inThread {
		thread = 1
	}
	n, err := C.mutex_lock_and_exec(p, thread, (*C.uint32_t)(unsafe.Pointer(locked)))
	if n < 0 {
		return 0, err
	}
	return int(n), nil
}

// Self is the calling thread as an owner.
func Self() uint64 { return uint64(C.self()) }

// The mutexes of Inversion.
const (
	InversionPlain     = C.PLAIN
	InversionInherit   = C.PI
	InversionPthreadPI = C.PTHREAD_PI
)

// Inversion returns how long a thread of high priority waits for a mutex that
// one of low priority holds for 20 ms, while one in between computes for 200 ms
// on the same processor.
func Inversion(kind int) (time.Duration, error) {
	ns := C.inversion(C.int(kind))
	if ns < 0 {
		return 0, syscall.Errno(-ns)
	}
	return time.Duration(ns), nil
}
